package settings

import (
	"reflect"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/sink"
)

// The older keys and their new forms give the same sinks, by the same names. Only
// the older keys give hints.
func TestOldSinks(t *testing.T) {
	const account = "accounts:\n  - {name: a, url: 'imaps://u@h', password: x}\n"
	want := sink.List{
		{Name: "file", Type: "file", From: "start", File: sink.FileConfig{Path: "r.ndjson"}},
		{Name: "command", Type: "exec", From: "start", Exec: sink.ExecConfig{Command: []string{"suppress", "--all"}}},
	}
	for keys, hints := range map[string]int{
		"records: {file: r.ndjson}\nhooks: {record: [suppress, --all]}":                                                                               2,
		"sinks:\n  - {name: file, type: file, from: start, path: r.ndjson}\n  - {name: command, type: exec, from: start, command: [suppress, --all]}": 0,
		"records: {file: r.ndjson}\nsinks: [{name: command, type: exec, from: start, command: [suppress, --all]}]":                                    1,
	} {
		c, err := Parse([]byte(account+keys), "c", env())
		if err != nil {
			t.Fatal(err)
		}
		if got := c.AllSinks(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", keys, got, want)
		}
		if got := c.Superseded(); len(got) != hints {
			t.Errorf("%s: hints %q, want %d", keys, got, hints)
		}
		// A hint is a config, but for the values.
		for _, hint := range c.Superseded() {
			_, form, _ := strings.Cut(hint, "written as ")
			form, _, _ = strings.Cut(form, ";")
			if _, err := Parse([]byte(account+form), "c", env()); err != nil {
				t.Errorf("%s: %v", hint, err)
			}
		}
		if c.NoSinks(); len(c.AllSinks()) > 0 {
			t.Errorf("%s: sinks are left", keys)
		}
	}
}
