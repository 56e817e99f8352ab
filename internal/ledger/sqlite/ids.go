package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"slices"
	"strings"

	"modernc.org/sqlite"
)

// idSize is the number of octets of a report id, written as twice as many lower-case
// hexadecimal digits.
const idSize = 16

// idKey is a report id as the ledger keeps it: idSize octets, or the text itself if it
// is none of 32 hexadecimal digits. SQLite never takes a blob for a text.
func idKey(id string) any {
	if key := hexKey(id); key != nil {
		return key
	}
	return id
}

// hexKey is the octets of an id of 32 lower-case digits; nil: it is no such id.
func hexKey(id string) []byte {
	if len(id) != 2*idSize || strings.ContainsAny(id, "ABCDEF") {
		return nil
	}
	key, err := hex.DecodeString(id)
	if err != nil {
		return nil
	}
	return key
}

// storedID scans a report id.
type storedID string

func (id *storedID) Scan(v any) error {
	switch v := v.(type) {
	case []byte:
		*id = storedID(hex.EncodeToString(v))
	case string:
		*id = storedID(v)
	}
	return nil
}

// hashOf is what the index of ids is ordered by: the first octets of an id. Ids of 32
// digits are hashes by themselves; others may begin alike.
func hashOf(key any) int64 {
	switch key := key.(type) {
	case []byte:
		return ordered(binary.BigEndian.Uint64(key))
	case string:
		var b [8]byte
		copy(b[:4], key)
		binary.BigEndian.PutUint32(b[4:], crc32.ChecksumIEEE([]byte(key)))
		return ordered(binary.BigEndian.Uint64(b[:]))
	}
	return 0
}

// ordered is a number whose sign keeps the order of unsigned ones.
func ordered(n uint64) int64 { return int64(n ^ 1<<63) }

// hashRanges are the ranges, ends included, in which the hashes of ids that begin with
// prefix lie.
func hashRanges(prefix string) (ranges [][2]int64) {
	pad := func(key []byte, octets int, with byte) int64 {
		key = slices.Clone(key[:min(len(key), octets)])
		for len(key) < 8 {
			key = append(key, with)
		}
		return ordered(binary.BigEndian.Uint64(key))
	}
	ranges = append(ranges, [2]int64{pad([]byte(prefix), 4, 0), pad([]byte(prefix), 4, 0xff)})
	if len(prefix) <= 2*idSize {
		digits := func(with string) []byte { return hexKey(prefix + strings.Repeat(with, 2*idSize-len(prefix))) }
		if low, high := digits("0"), digits("f"); low != nil && high != nil {
			ranges = append(ranges, [2]int64{pad(low, 8, 0), pad(high, 8, 0)})
		}
	}
	return ranges
}

func init() {
	// For the step to schema 5.
	sqlite.MustRegisterDeterministicScalarFunction("fblwatch_hash", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		return hashOf(args[0]), nil
	})
}

// recentMost is about how many ids are not in the table mail_id yet. An id is random, so
// each would have a page of that table written. Many together, in order, share pages:
// with ten million messages about five of them a page.
const recentMost = 1 << 17

// recent are the messages whose ids are not in the table mail_id, and maybe some that
// are: those above indexed, up to loaded. In the ledger they stand in the table mail only.
type recent struct {
	indexed, loaded int64
	byHash          map[int64]int64   // n by hash
	alike           map[int64][]int64 // more n, of other ids with that hash
}

// load brings r up to date. With an error r is empty, and not loaded in part.
func (r *recent) load(ctx context.Context, on queryer) error {
	var indexed int64
	if err := on.QueryRowContext(ctx, "SELECT n FROM indexed").Scan(&indexed); err != nil {
		return err
	}
	r.forget(indexed)
	err := eachOf(ctx, on, func(rows *sql.Rows) error {
		var n int64
		var key any
		err := rows.Scan(&n, &key)
		r.add(hashOf(key), n)
		return err
	}, "SELECT n, report_id FROM mail WHERE n > ? ORDER BY n", max(r.loaded, r.indexed))
	if err != nil {
		*r = recent{}
	}
	return err
}

// add adds the message n, which comes after all others.
func (r *recent) add(hash, n int64) {
	if r.byHash == nil {
		r.byHash = make(map[int64]int64)
	}
	if _, ok := r.byHash[hash]; !ok {
		r.byHash[hash] = n
	} else {
		if r.alike == nil {
			r.alike = make(map[int64][]int64)
		}
		r.alike[hash] = append(r.alike[hash], n)
	}
	r.loaded = n
}

// forget drops the messages up to indexed.
func (r *recent) forget(indexed int64) {
	if indexed <= r.indexed {
		return
	}
	r.indexed = indexed
	was, alike, loaded := r.byHash, r.alike, max(r.loaded, indexed)
	r.byHash, r.alike = nil, nil
	for hash, n := range was {
		if n > indexed {
			r.add(hash, n)
		}
	}
	for hash, some := range alike {
		for _, n := range some {
			if n > indexed {
				r.add(hash, n)
			}
		}
	}
	r.loaded = loaded
}

// of lists the messages that have the hash.
func (r *recent) of(hash int64) []int64 {
	n, ok := r.byHash[hash]
	if !ok {
		return nil
	}
	return append([]int64{n}, r.alike[hash]...)
}

// find returns the number of the message that has an id; 0: there is none.
func (r *recent) find(ctx context.Context, on queryer, id string) (int64, error) {
	key := idKey(id)
	hash := hashOf(key)
	candidates := r.of(hash)
	if r.indexed > 0 {
		some, err := keysOf(on.QueryContext(ctx, "SELECT n FROM mail_id WHERE hash = ?", hash))
		if err != nil {
			return 0, err
		}
		candidates = append(candidates, some...)
	}
	for _, n := range candidates {
		var got storedID
		if err := on.QueryRowContext(ctx, "SELECT report_id FROM mail WHERE n = ?", n).Scan(&got); err != nil {
			return 0, err
		}
		if string(got) == id {
			return n, nil
		}
	}
	return 0, nil
}
