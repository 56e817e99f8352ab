package main

import (
	"fmt"
	"strings"

	"github.com/fblwatch/fblwatch/internal/survey"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// trial prints how each check went.
type trial struct {
	p      *program
	failed int
	sample *survey.Survey  // nil: without
	made   map[string]bool // folders that a move will make, as it was told

	unwritten bool // no process writes the ledger
}

const (
	failedWord  = "FAILED"
	checkIndent = 8 // of what stands behind the word
)

func (t *trial) ok(what, format string, args ...any) {
	t.say("ok", what, fmt.Sprintf(format, args...))
}

// say prints a line that begins with a word of seven letters at most.
func (t *trial) say(word, what, text string) {
	lines := terminal.Wrap(fmt.Sprintf("%-7s ", word), terminal.Printable(what)+": "+terminal.Printable(text), checkIndent, terminal.Width(t.p.stdout))
	if word == failedWord {
		lines = t.p.colours(t.p.stdout).Failure(word) + strings.TrimPrefix(lines, word)
	}
	fmt.Fprint(t.p.stdout, lines)
}

func (t *trial) fail(what string, err error) {
	t.failed++
	t.say(failedWord, what, err.Error())
	if hint := hintFor(err); hint != "" {
		fmt.Fprint(t.p.stdout, terminal.Wrap(strings.Repeat(" ", checkIndent), "hint: "+hint, checkIndent, terminal.Width(t.p.stdout)))
	}
}
