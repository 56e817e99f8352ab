package main

import (
	"flag"
	"os"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "put what commands print into the pages of docs that show it")

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
	want := "```text\n" + command + printed + "```\n"
	if strings.Contains(string(page), want) {
		return
	}
	before, shown, found := strings.Cut(string(page), "```text\n"+command)
	if _, after, ended := strings.Cut(shown, "```\n"); *update && found && ended {
		ts.Check(os.WriteFile("../../docs/"+args[0], []byte(before+want+after), 0o644))
		return
	}
	ts.Fatalf("docs/%s does not show (go test ./cmd/fblwatch -run TestScripts -update)\n%s", args[0], want)
}
