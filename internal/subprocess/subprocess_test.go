package subprocess

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fblwatch/fblwatch/internal/fixture"
)

// The test's binary is also the child: its first argument says what it does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if act := acts[os.Args[1]]; act != nil {
			act()
			os.Exit(0)
		}
	}
	goleak.VerifyTestMain(m)
}

var acts = map[string]func(){
	"env":  func() { fmt.Print(strings.Join(os.Environ(), "\n")) },
	"copy": func() { io.Copy(os.Stdout, os.Stdin) },
	"fail": func() {
		fmt.Fprint(os.Stderr, "no paper")
		os.Exit(3)
	},
	"sleep": func() { time.Sleep(time.Minute) },
}

func self(t *testing.T, args ...string) Command {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return append(Command{path}, args...)
}

// start returns a running command that is cleared away at the end.
func start(t *testing.T, c Command, env ...string) *Process {
	t.Helper()
	p, err := c.Start(env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Kill()
		p.Err()
		p.Close()
	})
	return p
}

func all(t *testing.T, f *os.File) string {
	t.Helper()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func TestStreams(t *testing.T) {
	p := start(t, self(t, "copy"))
	fmt.Fprint(p.Stdin, "ding\ndong")
	p.Stdin.Close()
	if got := all(t, p.Stdout); got != "ding\ndong" {
		t.Errorf("stdout %q", got)
	}
	if err := p.Err(); err != nil {
		t.Error(err)
	}
	p = start(t, self(t, "fail"))
	if got := all(t, p.Stderr); got != "no paper" {
		t.Errorf("stderr %q", got)
	}
	if err := p.Err(); err == nil || err.Error() != "exit status 3" {
		t.Errorf("%v", err)
	}
}

// A command gets what it needs to run and nothing else of our environment.
func TestEnvironment(t *testing.T) {
	t.Setenv("FBLWATCH_PASSWORD", "hunter2")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
	t.Setenv("TZ", "UTC")
	t.Setenv("LC_ALL", "")
	p := start(t, self(t, "env"), "FBLWATCH_EVENT=exists")
	got := strings.Split(all(t, p.Stdout), "\n")
	for _, want := range []string{"PATH=" + os.Getenv("PATH"), "TZ=UTC", "LC_ALL=", "FBLWATCH_EVENT=exists"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, variable := range got {
		name, _, _ := strings.Cut(variable, "=")
		if !slices.Contains(passed, name) && name != "FBLWATCH_EVENT" {
			t.Errorf("%s is passed", variable)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	none, plain := filepath.Join(dir, "none"), filepath.Join(dir, "plain")
	fixture.File(t, plain, "exit 0\n")
	tests := []struct {
		command Command
		want    string
	}{
		{self(t), ""},
		{nil, "names no program; write a list of the program and its arguments"},
		{Command{"", "x"}, "names no program; write a list of the program and its arguments"},
		{Command{"x", "a\x00"}, "holds a NUL"},
		{Command{none}, none + ": no such file or directory"},
		{Command{plain}, plain + ": permission denied; make it executable"},
		{Command{dir}, dir + ": is a directory"},
		{Command{"ring-a-bell-4711"}, "ring-a-bell-4711: executable file not found in $PATH; write its whole path"},
	}
	for _, test := range tests {
		if got := fmt.Sprint(test.command.Find()); got != cmp.Or(test.want, "<nil>") {
			t.Errorf("%q: %s, want %s", test.command, got, test.want)
		}
	}
	if err := os.Chmod(plain, 0o700); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]string{
		none:  none + ": no such file or directory",
		plain: plain + ": exec format error; a script needs a first line such as #!/bin/sh",
	} {
		if _, err := (Command{command}).Start(); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestLines(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "",
		"a\nb\r\n\nc":                         "a|b||c",
		strings.Repeat("x", 20) + "\n":        strings.Repeat("x", 16) + "...",
		strings.Repeat("x", 15) + "\n":        strings.Repeat("x", 15),
		strings.Repeat("x", 40) + "\ny\n":     strings.Repeat("x", 16) + "...|y",
		"y\n" + strings.Repeat("x", 1<<20):    "y|" + strings.Repeat("x", 16) + "...",
		strings.Repeat("x", 16) + "\nafter\n": strings.Repeat("x", 16) + "...|after",
	} {
		got := strings.Join(slices.Collect(Lines(strings.NewReader(in), 16)), "|")
		if got != want {
			t.Errorf("%.60q: %q, want %q", in, got, want)
		}
	}
}

// x is a line without an end.
type x struct{}

func (x) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// A line that never ends is told of, and takes no memory.
func TestEndlessLine(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range Lines(x{}, LineOctets) {
		break
	}
	n := 0
	for range Lines(io.LimitReader(x{}, 64<<20), LineOctets) {
		n++
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; n != 1 || took > 1<<20 {
		t.Errorf("%d lines took %d octets", n, took)
	}
}

func logged(in string) []string {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	Log(strings.NewReader(in), log, slog.LevelInfo)
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestLog(t *testing.T) {
	got := logged("ding \x1b[2J dong\n" + strings.Repeat("x", 3000) + "\n")
	want := []string{
		`level=INFO msg="command says: ding \\x1b[2J dong"`,
		`level=INFO msg="command says: ` + strings.Repeat("x", LineOctets) + `..."`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	got = logged(strings.Repeat("again\n", 250))
	if len(got) != logLines+1 || got[logLines] != `level=WARN msg="command writes too much" lines_left_out=150` {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                "",
		"Ça va \\ ok":     "Ça va \\ ok",
		"a\tb\x1b[2J\x7f": `a\tb\x1b[2J\x7f`,
		"\u202egnp.exe":   `\u202egnp.exe`,
		"\u009b1m":        `\u009b1m`,
		"\xff\xfe":        `\xff\xfe`,
		"\ufffd":          "\ufffd",
		"\x00":            `\x00`,
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}
