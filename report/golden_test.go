package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fblwatch/fblwatch/internal/message"
)

var update = flag.Bool("update", false, "write the goldens of testdata anew")

// fixture is one message of testdata, NAME.eml.
type fixture struct {
	name    string
	message []byte
}

func fixtures(t testing.TB) []fixture {
	files, _ := filepath.Glob("testdata/*.eml")
	if len(files) < 20 {
		t.Fatalf("%d fixtures", len(files))
	}
	var list []fixture
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fixture{strings.TrimSuffix(filepath.Base(file), ".eml"), b})
	}
	return list
}

// golden is what NAME.json holds.
type golden struct {
	Kind    Kind     `json:"kind"`
	Records []Record `json:"records,omitempty"`
}

var envelope = Envelope{
	ReceivedAt:  time.Date(2026, 7, 6, 12, 0, 7, 0, time.FixedZone("CEST", 7200)),
	ProcessedAt: time.Date(2026, 7, 6, 10, 0, 9, 5e6, time.UTC),
	Mailbox:     &Mailbox{Account: "example", Folder: "FBL", UID: 7, UIDValidity: 1, Size: 1000},
}

func TestGolden(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.name, func(t *testing.T) {
			r := Parse(f.message)
			got, err := json.MarshalIndent(golden{r.Kind, r.Records(envelope)}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", f.name+".json")
			if *update {
				if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(bytes.TrimSpace(want)), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestParser: a Parser reads as Parse does, whatever it read before, and keeps nothing of
// a message beyond the next one.
func TestParser(t *testing.T) {
	var p Parser
	var records []Record
	var buffer []byte
	for range 2 {
		for _, f := range fixtures(t) {
			clear(buffer)
			buffer = append(buffer[:0], f.message...)
			for _, n := range []int{len(buffer), len(buffer) / 2} {
				want := ParsePrefix(f.message[:n], int64(len(buffer)))
				got, err := p.Parse(t.Context(), buffer[:n], int64(len(buffer)))
				if err != nil {
					t.Fatal(err)
				}
				records = got.AppendRecords(records[:0], envelope)
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(Report{}, raw{}, Header{}), cmp.Comparer(sameHeader)); diff != "" {
					t.Fatalf("%s, %d octets: %s", f.name, n, diff)
				}
				if diff := cmp.Diff(want.Records(envelope), records, cmpopts.EquateEmpty()); diff != "" {
					t.Fatalf("%s, %d octets: %s", f.name, n, diff)
				}
			}
		}
	}
}

func sameHeader(a, b message.Header) bool {
	return a.Whole() == b.Whole() && maps.Equal(maps.Collect(a.Fields()), maps.Collect(b.Fields())) && a.Raw == b.Raw
}

// TestReadBack: what AppendJSON writes, encoding/json reads, and nothing is
// lost on the way.
func TestReadBack(t *testing.T) {
	for _, f := range fixtures(t) {
		for _, want := range Parse(f.message).Records(envelope) {
			line := want.AppendJSON(nil)
			var got Record
			if err := json.Unmarshal(line, &got); err != nil {
				t.Fatalf("%s: %v\n%s", f.name, err, line)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", f.name, diff)
			}
			for _, c := range line {
				if c < ' ' || c == 0x7f {
					t.Fatalf("%s: control character in %q", f.name, line)
				}
			}
		}
	}
}
