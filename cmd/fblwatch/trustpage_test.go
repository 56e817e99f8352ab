package main

import (
	"os"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// inPage: inpage PAGE COMMAND... says that docs/PAGE shows the command with what it
// printed last, to stdout or else to stderr; of explain, the end of it. The server
// of a script is imap.example.com there.
func inPage(ts *testscript.TestScript, _ bool, args []string) {
	page, err := os.ReadFile("../../docs/" + args[0])
	ts.Check(err)
	printed := ts.ReadFile("stdout")
	if args[1] == "sweep" { // a terminal gets no records
		printed = regexp.MustCompile(`took \S+`).ReplaceAllString(ts.ReadFile("stderr"), "took 22ms")
	}
	command := "$ fblwatch " + strings.Join(args[1:], " ") + "\n"
	if args[1] == "explain" {
		printed = "...\n" + printed[strings.Index(printed, "  reporter.from "):]
	}
	printed = strings.ReplaceAll(printed, ts.Getenv("ADDR"), "imap.example.com:993")
	if want := "```text\n" + command + printed + "```\n"; !strings.Contains(string(page), want) {
		ts.Fatalf("docs/%s does not show\n%s", args[0], want)
	}
}
