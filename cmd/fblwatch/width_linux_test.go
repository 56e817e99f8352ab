package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// onTerminal runs the program with stdout and stderr on a terminal of that width,
// and returns what came there.
func onTerminal(t *testing.T, columns int, environment []string, args ...string) string {
	t.Helper()
	master, slave := pty(t)
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: uint16(columns)}); err != nil {
		t.Fatal(err)
	}
	shown := make(chan string, 1)
	go func() {
		var text bytes.Buffer
		buf := make([]byte, 4096)
		for !bytes.Contains(text.Bytes(), []byte("\x04the end")) {
			n, err := master.Read(buf)
			if text.Write(buf[:n]); err != nil {
				break
			}
		}
		shown <- text.String()
	}()
	run(t.Context(), append([]string{"fblwatch"}, args...), nil, slave, slave, env(environment...))
	fmt.Fprint(slave, "\x04the end")
	select {
	case text := <-shown:
		text, _, _ = strings.Cut(text, "\x04")
		return strings.ReplaceAll(text, "\r\n", "\n")
	case <-time.After(30 * time.Second):
		t.Fatal("the terminal is silent")
		return ""
	}
}

var (
	escape   = regexp.MustCompile("\x1b\\[[0-9]*[mK]")
	coloured = regexp.MustCompile("\x1b\\[3[1-6]m([^\x1b]*)\x1b\\[0m")
)

// On a terminal no line of a table or list is longer than the terminal is wide,
// and colours are on verdicts and errors alone.
func TestFitsTerminal(t *testing.T) {
	server := imaptest.New()
	defer server.Close()
	address, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		server.Append("INBOX", bytes.ReplaceAll(sample.Report(i, 0), []byte("user"), []byte("受信者受信者受信者\x1b[2J受信者受信者受信者user")))
	}
	server.Append("INBOX", sample.Message(5, "dsn"))
	server.AddMailbox("FBL/" + strings.Repeat("a long name ", 12))
	dir := t.TempDir()
	file := filepath.Join(dir, strings.Repeat("m", 50)+".eml")
	fixture.File(t, file, sample.Report(1, 0))
	ledger, url := filepath.Join(dir, "l.db"), "imap://user@"+address
	environment := []string{"HOME", dir, "FBLWATCH_PASSWORD", "pass", "TERM", "xterm"}
	for _, args := range [][]string{
		{"sweep", "--url", url + "/INBOX", "--ledger", ledger},
		{"records", "--ledger", ledger},
		{"suppress", "--include", "review", "--ledger", ledger},
		{"review", "--ledger", ledger},
		{"check", "--url", url + "/INBOX", "--ledger", ledger, "--sample", "9"},
		{"check", "--url", url + "/Missing", "--ledger", ledger},
		{"folders", "--url", url},
		{"explain", file},
		{"parse", file},
		{"generate", "--list"},
		{"suppress", "--help"},
	} {
		for _, columns := range []int{80, 40, 120, 200} {
			text := onTerminal(t, columns, environment, args...)
			for line := range strings.Lines(escape.ReplaceAllString(text, "")) {
				line = line[strings.LastIndexByte(line, '\r')+1:] // after progress
				proposal := args[0] == "check" && strings.HasPrefix(strings.TrimSpace(line), "#") || strings.Contains(line, "match: ")
				if n := terminal.Cells(strings.TrimSuffix(line, "\n")); n > columns && !proposal && !strings.HasPrefix(line, "fblwatch: ") {
					t.Errorf("%s at %d: %d columns: %q", args[0], columns, n, line)
				}
				if strings.ContainsRune(line, '\x1b') {
					t.Errorf("%s at %d: an escape: %q", args[0], columns, line)
				}
			}
			for _, match := range coloured.FindAllStringSubmatch(text, -1) {
				switch match[1] {
				case "review", "FAILED", "error:":
				default:
					t.Errorf("%s at %d: in colour: %q", args[0], columns, match[0])
				}
			}
			if args[0] == "records" && (!coloured.MatchString(text) || !strings.Contains(text, "  受")) {
				t.Errorf("records at %d: no colour, or nobody: %q", columns, text)
			}
		}
	}
	for name, more := range map[string][]string{"NO_COLOR": {"NO_COLOR", "1"}, "a dumb terminal": {"TERM", "dumb"}} {
		for _, args := range [][]string{{"records", "--ledger", ledger}, {"sweep", "--all", "--url", url + "/INBOX", "--ledger", ledger}, {"records", "--nonsense"}} {
			text := onTerminal(t, 80, append(more, environment...), args...)
			if coloured.MatchString(text) || name == "a dumb terminal" && strings.ContainsRune(text, '\x1b') {
				t.Errorf("%s: %q", name, text)
			}
		}
	}
}
