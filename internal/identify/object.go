package identify

import (
	"bytes"
	"encoding/json"
	"io"
	"unicode/utf8"
)

// object reads a JSON object. It returns the members that are strings or numbers. An
// object with two members of one name is not ok.
func object(b []byte) (members map[string]string, ok bool) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || b[0] != '{' || !utf8.Valid(b) {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	members = make(map[string]string)
	for d.More() {
		key, err := d.Token()
		name, isName := key.(string)
		var v any
		if err != nil || !isName || d.Decode(&v) != nil {
			return nil, false
		}
		if _, twice := members[name]; twice {
			return nil, false
		}
		switch v := v.(type) {
		case string:
			members[name] = v
		case json.Number:
			members[name] = v.String()
		default:
			members[name] = ""
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, false
	}
	_, err := d.Token()
	return members, err == io.EOF
}
