package terminal

import "testing"

// Lines are broken at blanks; a word is divided where no line has room for it.
func TestWrap(t *testing.T) {
	for _, test := range []struct {
		head, text    string
		indent, width int
		want          string
	}{
		{"ok      ", "all is well here", 8, 0, "ok      all is well here\n"},
		{"ok      ", "all is well here", 8, 30, "ok      all is well here\n"},
		{"ok      ", "a folder of a name", 8, 30, "ok      a folder of a name\n"},
		{"ok      ", "a folder of a name and more", 8, 30, "ok      a folder of a name and\n        more\n"},
		{"ok      ", "日本日本日本 日本日本日本日本", 8, 30, "ok      日本日本日本\n        日本日本日本日本\n"},
		// The URL has 32 columns: 28 beside the key have no room for it, 36 below do.
		{"  key       ", "short https://example.com/u/0123456789ab", 12, 40, "  key       short\n    https://example.com/u/0123456789ab\n"},
		{"  key       ", "https://example.com/u/0123456789abcdefghi", 12, 40, "  key       https://example.com/u/012345\n            6789abcdefghi\n"},
		// There is no room for an indent.
		{"  a_long_key_of_24_cells  ", "seven words here", 26, 30, "  a_long_key_of_24_cells\n  seven words here\n"},
		{"                          ", "of the same key", 26, 30, "  of the same key\n"},
	} {
		if got := Wrap(test.head, test.text, test.indent, test.width); got != test.want {
			t.Errorf("%q at %d\n got %q\nwant %q", test.text, test.width, got, test.want)
		}
	}
}
