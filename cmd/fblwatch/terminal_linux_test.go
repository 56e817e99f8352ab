package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// pty opens a pseudo-terminal; what is written to the second file is read from
// the first.
func pty(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudo-terminal: ", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo-terminal: ", err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// watch on a terminal shows one line for each record on stderr, and keeps stdout
// clean.
func TestWatchOnTerminal(t *testing.T) {
	server := imaptest.New()
	defer server.Close()
	address, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	server.Append("INBOX", sample.Report(1, 0))
	server.Append("INBOX", sample.Message(2, "dsn"))
	server.Append("INBOX", bytes.Replace(sample.Report(3, 0), []byte("Original-Rcpt-To: user3@"), []byte("Original-Rcpt-To: user3\x1b[2J@"), 1))
	master, slave := pty(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	var stdout bytes.Buffer
	go func() {
		ended <- run(ctx, []string{"fblwatch", "watch", "--url", "imap://user@" + address + "/INBOX", "--ledger", filepath.Join(t.TempDir(), "l.db")},
			nil, &stdout, slave, env("FBLWATCH_PASSWORD", "pass", "HOME", t.TempDir()))
	}()
	lines := make(chan string)
	go func() {
		defer close(lines)
		for in := bufio.NewScanner(master); in.Scan(); {
			lines <- in.Text()
		}
	}()
	var shown []string
	for deadline := time.After(30 * time.Second); len(shown) < 2; {
		select {
		case line := <-lines:
			if strings.ContainsRune(line, '\x1b') {
				t.Errorf("an escape reached the terminal: %q", line)
			}
			if strings.Contains(line, "  complaint ") {
				shown = append(shown, strings.TrimSuffix(line, "\r"))
			}
		case <-deadline:
			t.Fatalf("only %q", shown)
		}
	}
	stop()
	drained := make(chan struct{})
	go func() { // what is said at the end
		defer close(drained)
		for range lines {
		}
	}()
	code := <-ended
	slave.Close() // ends the reading of the other side
	<-drained
	if code != exitDone || stdout.Len() > 0 {
		t.Errorf("exit %d, stdout %q", code, &stdout)
	}
	if !strings.Contains(shown[0], "  complaint     review   user1@example.com") || !strings.Contains(shown[1], "  complaint     review   ") {
		t.Errorf("%q", shown)
	}
}
