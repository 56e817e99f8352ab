package suppress

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/report"
)

// TestDecisionKeepsRecord: a decision changes a record's revision and suppress,
// and no other key is lost or altered by being read and written again.
func TestDecisionKeepsRecord(t *testing.T) {
	files, err := filepath.Glob("../../report/testdata/*.json")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d goldens, %v", len(files), err)
	}
	var all []json.RawMessage
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var golden struct{ Records []json.RawMessage }
		if err := json.Unmarshal(data, &golden); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, golden.Records...)
	}
	var every report.Record
	fill(reflect.ValueOf(&every).Elem())
	text := every.AppendJSON(nil)
	if n := strings.Count(string(text), `":`); n < 100 {
		t.Fatalf("%d keys in %s", n, text)
	}
	for _, line := range append(all, text) {
		r, err := process.ReadRecord(ledger.Row{Record: ledger.Record{JSON: line}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(keysOf(t, line), keysOf(t, r.AppendJSON(nil))); diff != "" {
			t.Errorf("read and written again: %s", diff)
		}
		want := keysOf(t, line)
		if decide(&r, false, time.Now()) != nil {
			continue
		}
		got := keysOf(t, r.AppendJSON(nil))
		for _, key := range []string{"revision", "suppress"} {
			if reflect.DeepEqual(want[key], got[key]) {
				t.Errorf("%s is the same", key)
			}
			delete(want, key)
			delete(got, key)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("decided: %s", diff)
		}
	}
}

func keysOf(t *testing.T, line []byte) (keys map[string]any) {
	if err := json.Unmarshal(line, &keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

// fill gives every field a value.
func fill(v reflect.Value) {
	if at, ok := v.Addr().Interface().(*time.Time); ok {
		*at = time.Date(2026, 7, 6, 12, 0, 7, 123456789, time.UTC)
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.Map:
		value := reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("a <\u2028>\x1b key"), value)
	case reflect.String:
		v.SetString("tab\t \u202e <&> \x00 \xe2\x80 end")
	case reflect.Bool:
		v.SetBool(true)
	default:
		v.Set(reflect.ValueOf(7).Convert(v.Type()))
	}
}
