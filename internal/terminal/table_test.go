package terminal

import (
	"strings"
	"testing"
)

// A wide character takes two columns, a mark that stands on another none.
func TestCells(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "Größe": 5, "e\u0301": 1, "日本": 4, "ｶﾅ": 2, "한국": 4, "Ａ": 2, "🎉": 2, "…": 1, "\u1112\u1161\u11ab": 2} {
		if got := Cells(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
	for _, test := range []struct {
		s    string
		n    int
		want string
	}{
		{"abcdef", 6, "abcdef"}, {"abcdef", 5, "abcd…"}, {"日本語", 6, "日本語"}, {"日本語", 5, "日本…"}, {"日本語", 4, "日…"}, {"日本語", 2, "…"},
		{"e\u0301e\u0301e\u0301", 2, "e\u0301…"}, {"ab", 1, "…"},
	} {
		if got := Cut(test.s, test.n); got != test.want {
			t.Errorf("%q to %d: %q, want %q", test.s, test.n, got, test.want)
		}
	}
}

// A sheet leaves out what has the highest rank before it cuts what stays.
func TestSheet(t *testing.T) {
	list := Sheet{Columns: []Column{{Title: "ACCOUNT", Rank: 1}, {Title: "N"}, {Title: "OLD", Rank: 2}, {Title: "FOLDER"}}}
	list.Row("fbl", "7", "yes", "FBL/日本\x07")
	list.Row("others", "12", "-", "A")
	for width, want := range map[int]string{
		0:  "ACCOUNT  N   OLD  FOLDER\nfbl      7   yes  FBL/日本\uFFFD\nothers   12  -    A\n",
		26: "ACCOUNT  N   FOLDER\nfbl      7   FBL/日本\uFFFD\nothers   12  A\n",
		27: "ACCOUNT  N   OLD  FOLDER\nfbl      7   yes  FBL/日本\uFFFD\nothers   12  -    A\n",
		13: "N   FOLDER\n7   FBL/日本\uFFFD\n12  A\n",
		10: "N   FOLDER\n7   FBL/…\n12  A\n",
	} {
		var out strings.Builder
		if err := list.Write(&out, width, false); err != nil || out.String() != want {
			t.Errorf("%d\n got %q, %v\nwant %q", width, out.String(), err, want)
		}
	}
}
