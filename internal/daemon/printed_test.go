package daemon

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/sink"
)

// A command that prints owes what it read and what an interrupted one before it
// left, and nothing that a silent command read, in whatever order they come and
// however they end.
func TestPrinted(t *testing.T) {
	for _, test := range []struct{ story, want string }{
		// p prints, s is silent; each reads one message into INBOX, and into Other
		// where it is a capital letter. ! is killed before it could print.
		{"p", "0"},
		{"p p", "0 | 1"},
		{"p s p", "0 | 2"},
		{"s p", "1"},
		{"s s p p", "2 | 3"},
		{"p! p", "0 1"},
		{"p s p! p", "0 | 2 3"},
		{"p! s p", "0 2"},
		{"p p! s s p p", "0 | 1 4 | 5"},
		{"p p! s p! s p p", "0 | 1 3 5 | 6"},
		{"s p! s! s p", "1 4"},
		{"P S P", "0 0' | 2 2'"},
		{"p S p", "0 | 2"}, // Other is new
		{"S P! s P", "1 3 1' 3'"},
		{"p P! S p", "0 | 1 3 1'"},
		{"p S! P", "0 | 2 2'"},
		{"p! s s s p! s s p", "0 4 7"},
	} {
		l := memory.New()
		var printed []string
		for n, command := range strings.Fields(test.story) {
			prints, killed := strings.EqualFold(command[:1], "p"), strings.HasSuffix(command, "!")
			begun, err := beginPrinted(t.Context(), l, prints)
			if err != nil {
				t.Fatal(err)
			}
			if prints {
				if err := l.Register(t.Context(), sink.StdoutName, true); err != nil {
					t.Fatal(err)
				}
			}
			commitOne(t, l, "INBOX", fmt.Sprint(n))
			if command[:1] == "P" || command[:1] == "S" {
				commitOne(t, l, "Other", fmt.Sprint(n)+"'")
			}
			if killed {
				continue
			}
			var out []string
			for row, err := range (owed{l, begun}).Unsent(t.Context(), sink.StdoutName) {
				if err != nil {
					t.Fatal(err)
				}
				if prints {
					out = append(out, strings.TrimSuffix(row.ID, ".1"))
					if err := l.Ack(t.Context(), sink.StdoutName, 0, row.FolderID, row.Seq); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := begun.settle(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			if prints {
				printed = append(printed, strings.Join(out, " "))
			}
		}
		if got := strings.Join(slices.Clip(printed), " | "); got != test.want {
			t.Errorf("%s: printed %s, want %s", test.story, got, test.want)
		}
	}
}

// However often a silent command starts, what it read is one span a folder.
func TestPrintedSpans(t *testing.T) {
	l := memory.New()
	var begun *printed
	for n, prints := range []bool{true, false, false, false, true} {
		var err error
		if begun, err = beginPrinted(t.Context(), l, prints); err != nil {
			t.Fatal(err)
		}
		commitOne(t, l, "INBOX", fmt.Sprint(n))
	}
	for folder, spans := range begun.Skip {
		if !slices.Equal(spans, []between{{1, 4}}) {
			t.Errorf("folder %d: %v", folder, spans)
		}
	}
	if len(begun.Skip) != 1 {
		t.Errorf("%d folders", len(begun.Skip))
	}
}

func commitOne(t *testing.T, l ledger.Ledger, folder, id string) {
	t.Helper()
	claim, err := l.Claim(t.Context(), ledger.Folder{Account: "a", Name: folder})
	if err == nil {
		_, err = l.Commit(t.Context(), claim, ledger.Batch{Messages: []ledger.Message{
			{ReportID: id, Kind: "report", Records: []ledger.Record{{ID: id + ".1", Revision: 1, JSON: []byte("{}")}}},
		}})
	}
	if err != nil {
		t.Fatal(err)
	}
}
