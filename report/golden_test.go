package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
