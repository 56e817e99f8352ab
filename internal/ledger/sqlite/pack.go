package sqlite

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// A pack is some pieces compressed together: its first octet says how, then comes one
// block of s2 of each piece with its length before it. Reports of one feed are much
// alike: eight records together take a sixth of what they take one by one, and with the
// dictionary one takes a fifth. To read one takes the whole pack.
const (
	packedPlain   = 0 // without a dictionary
	packedRecords = 1 // with the first dictionary of records
)

const (
	// headsSize and recordsSize are how many octets go into a pack before compression.
	// A block of s2 is 64 KiB.
	headsSize   = 48 << 10
	recordsSize = 16 << 10
)

// records1 is the dictionary of packedRecords: some records of the most frequent
// dialects. It never changes, for packs are read with the dictionary that they were
// written with.
//
//go:embed records1.dict
var records1 []byte

var recordsDict = sync.OnceValue(func() *s2.Dict { return s2.MakeDict(records1, []byte(`{"schema":1`)) })

var errPack = errors.New("ledger: kept octets are damaged")

// packer compresses pieces; its buffers are used again.
type packer struct {
	plain []byte
	out   []byte
}

func (p *packer) add(piece []byte) {
	p.plain = append(binary.AppendUvarint(p.plain, uint64(len(piece))), piece...)
}

func (p *packer) addText(piece string) {
	p.plain = append(binary.AppendUvarint(p.plain, uint64(len(piece))), piece...)
}

// pack returns the pieces since the last call. The octets are good until the next.
func (p *packer) pack(how byte) []byte {
	if n := 1 + s2.MaxEncodedLen(len(p.plain)); n > cap(p.out) {
		p.out = make([]byte, n)
	}
	p.out = append(p.out[:0], how)
	// s2 writes into what its first argument has room for.
	room := p.out[1:1:cap(p.out)][:cap(p.out)-1]
	if how == packedRecords {
		room = recordsDict().Encode(room, p.plain)
	} else {
		room = s2.Encode(room, p.plain)
	}
	p.plain = p.plain[:0]
	return p.out[:1+len(room)]
}

// unpacked are the pieces of a pack. Their memory is used again for the next one.
type unpacked struct {
	plain  []byte
	pieces [][]byte
}

// read reads a pack.
func (u *unpacked) read(data []byte) (err error) {
	u.pieces = u.pieces[:0]
	if len(data) == 0 {
		return errPack
	}
	switch data[0] {
	case packedPlain:
		u.plain, err = s2.Decode(u.plain[:cap(u.plain)], data[1:])
	case packedRecords:
		u.plain, err = recordsDict().Decode(u.plain[:cap(u.plain)], data[1:])
	default:
		return fmt.Errorf("%w: a pack of type %d", ledger.ErrNewer, data[0])
	}
	if err != nil {
		return errors.Join(errPack, err)
	}
	u.pieces, err = split(u.pieces, u.plain)
	return err
}

// unpack returns the pieces of a pack.
func unpack(data []byte) ([][]byte, error) {
	var u unpacked
	err := u.read(data)
	return u.pieces, err
}

// split cuts octets into the pieces that they are made of, and appends these.
func split(pieces [][]byte, plain []byte) ([][]byte, error) {
	for len(plain) > 0 {
		size, w := binary.Uvarint(plain)
		if w <= 0 || size > uint64(len(plain)-w) {
			return nil, errPack
		}
		pieces = append(pieces, plain[w:w+int(size):w+int(size)])
		plain = plain[w+int(size):]
	}
	return pieces, nil
}

// recordPacker packs records with consecutive keys together.
type recordPacker struct {
	packer
	first, next int64
}

// add adds a record. write takes a pack that is complete, with the key of its first
// record.
func (p *recordPacker) add(key int64, id string, json []byte, write func(key int64, pack []byte) error) error {
	if key != p.next || len(p.plain) >= recordsSize {
		if err := p.flush(write); err != nil {
			return err
		}
	}
	if len(p.plain) == 0 {
		p.first = key
	}
	p.next = key + 1
	p.addText(id)
	p.packer.add(json)
	return nil
}

// flush writes what is left.
func (p *recordPacker) flush(write func(key int64, pack []byte) error) error {
	if len(p.plain) == 0 {
		return nil
	}
	return write(p.first, p.pack(packedRecords))
}
