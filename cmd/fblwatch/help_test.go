package main

import (
	"bytes"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"strings"
	"testing"
)

// No help is longer than a terminal is wide, and the words stay whole.
func TestHelpFits(t *testing.T) {
	p := &program{env: env()}
	names := append(commandNames(p.app()), "")
	for _, name := range names {
		var out, stderr bytes.Buffer
		args := []string{"fblwatch", name, "--help"}
		if name == "" {
			args = []string{"fblwatch", "--help"}
		}
		if code := run(t.Context(), args, nil, &out, &stderr, env()); code != exitDone {
			t.Fatalf("%s: exit %d: %s", name, code, &stderr)
		}
		for _, width := range []int{40, 80, 120} {
			text := helpText(out.String(), width)
			for line := range strings.Lines(text) {
				if word := strings.TrimSpace(line); terminal.Cells(strings.TrimSuffix(line, "\n")) > width {
					t.Errorf("%s at %d: %q", name, width, word)
				}
			}
			if width >= 80 && strings.Join(strings.Fields(text), " ") != strings.Join(strings.Fields(out.String()), " ") {
				t.Errorf("%s at %d: a word was divided:\n%s", name, width, text)
			}
		}
		if helpText(out.String(), 0) != out.String() {
			t.Errorf("%s: no terminal: it is not the same", name)
		}
	}
}
