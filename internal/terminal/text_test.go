package terminal

import (
	"testing"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"Größe 大 ✓":             "Größe 大 ✓",
		"\x1b[31mred\x07":       "\uFFFD[31mred\uFFFD",
		"a\r\nb\tc":             "a\uFFFD\uFFFDb\uFFFDc",
		"user\u202Egnp.exe":     "user\uFFFDgnp.exe",
		"bad \xff utf-8 \u009b": "bad \uFFFD utf-8 \uFFFD",
	} {
		if got := Printable(in); got != want {
			t.Errorf("Printable(%q) = %q, want %q", in, got, want)
		}
	}
}
