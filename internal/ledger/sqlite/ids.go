package sqlite

import (
	"encoding/hex"
	"slices"
	"strings"
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

// idRange is the smallest and the largest key of ids of 32 digits that begin with
// prefix; ok is false if there are none.
func idRange(prefix string) (low, high []byte, ok bool) {
	if len(prefix) > 2*idSize {
		return nil, nil, false
	}
	pad := func(digit string) []byte { return hexKey(prefix + strings.Repeat(digit, 2*idSize-len(prefix))) }
	low, high = pad("0"), pad("f")
	return low, high, low != nil && high != nil
}

// compareKeys orders keys as SQLite does: texts before blobs.
func compareKeys(a, b any) int {
	x, isBlob := a.([]byte)
	y, isBlob2 := b.([]byte)
	switch {
	case isBlob && isBlob2:
		return slices.Compare(x, y)
	case isBlob:
		return 1
	case isBlob2:
		return -1
	}
	return strings.Compare(a.(string), b.(string))
}
