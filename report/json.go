package report

import (
	"bytes"
	"encoding/json"
)

// AppendJSON appends the record as one JSON object, without a line break.
func (r *Record) AppendJSON(dst []byte) []byte {
	type plain Record
	b, err := json.Marshal((*plain)(r))
	if err != nil {
		return dst
	}
	return append(dst, bytes.TrimSpace(b)...)
}

// MarshalJSON is AppendJSON.
func (r *Record) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil), nil }
