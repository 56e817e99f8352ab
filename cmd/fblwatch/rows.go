package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// valueRow is one value of a record; a key within a key has a dot.
type valueRow struct{ key, source, value string }

// rowsOf lists the values of a record in the order of its JSON.
func rowsOf(line []byte) (rows []valueRow) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var walk func(key string)
	walk = func(key string) {
		token, err := d.Token()
		if err != nil {
			return // AppendJSON writes JSON
		}
		switch token {
		case json.Delim('{'):
			for d.More() {
				name, _ := d.Token()
				walk(strings.TrimPrefix(fmt.Sprintf("%s.%v", key, name), "."))
			}
			_, _ = d.Token()
		case json.Delim('['):
			for d.More() {
				walk(key)
			}
			_, _ = d.Token()
		default:
			rows = append(rows, valueRow{key: key, value: fmt.Sprint(token)})
		}
	}
	walk("")
	return rows
}
