package sqlite

import (
	"encoding/binary"
	"errors"

	"github.com/klauspost/compress/s2"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// packSize is how many octets of heads go into one pack before compression.
// Reports of one feed are much alike: eight together shrink to 38 %, one alone
// to 53 %, and one block of s2 is 64 KiB.
const packSize = 48 << 10

// pack is the heads of some messages of a batch, in the batch's order.
type pack struct {
	messages []int  // indices into Batch.Messages
	data     []byte // s2 of each head with its length before it
}

func packHeads(messages []ledger.Message) []pack {
	var (
		packs []pack
		plain []byte
		of    []int
		buf   []byte
	)
	flush := func() {
		if n := s2.MaxEncodedLen(len(plain)); n > cap(buf) {
			buf = make([]byte, n)
		}
		packs = append(packs, pack{of, append([]byte(nil), s2.Encode(buf[:cap(buf)], plain)...)})
		plain, of = plain[:0], nil
	}
	for i, m := range messages {
		if len(m.Head) == 0 {
			continue
		}
		if len(plain) > 0 && len(plain)+len(m.Head) > packSize {
			flush()
		}
		plain = binary.AppendUvarint(plain, uint64(len(m.Head)))
		plain = append(plain, m.Head...)
		of = append(of, i)
	}
	if len(plain) > 0 {
		flush()
	}
	return packs
}

var errPack = errors.New("ledger: a kept head is damaged")

// unpackHeads returns the heads of a pack.
func unpackHeads(data []byte) (heads [][]byte, err error) {
	plain, err := s2.Decode(nil, data)
	if err != nil {
		return nil, errors.Join(errPack, err)
	}
	for len(plain) > 0 {
		size, w := binary.Uvarint(plain)
		if w <= 0 || size > uint64(len(plain)-w) {
			return nil, errPack
		}
		heads = append(heads, plain[w:w+int(size):w+int(size)])
		plain = plain[w+int(size):]
	}
	return heads, nil
}

// unpackHead returns the nth head of a pack.
func unpackHead(data []byte, n int) ([]byte, error) {
	heads, err := unpackHeads(data)
	if err == nil && n >= len(heads) {
		err = errPack
	}
	if err != nil {
		return nil, err
	}
	return heads[n], nil
}
