//go:build linux

package sink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// TestFileDiskFull fills a small disk of its own, in a namespace of its own.
func TestFileDiskFull(t *testing.T) {
	t.Parallel()
	cmd := osexec.Command(os.Args[0], "command", "fills", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	var exit *osexec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == noDisk, err != nil && exit == nil:
		t.Skipf("no small disk here: %v: %s", err, out)
	case err != nil:
		t.Errorf("%v: %s", err, out)
	}
	t.Logf("%s", out)
}

const noDisk = 77

// fill is TestFileDiskFull within its namespace. Its output is that of the test.
func fill(dir string) {
	fail := func(format string, args ...any) {
		fmt.Printf(format+"\n", args...)
		exit(1)
	}
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=160k"); err != nil {
		fmt.Println(err)
		exit(noDisk)
	}
	for _, c := range []FileConfig{
		{}, {Format: "csv"}, {Rotate: Rotate{Size: 20_000}}, {Rotate: Rotate{Size: 20_000}, Compress: "zstd"},
	} {
		dir := filepath.Join(dir, fmt.Sprintf("%s-%d-%s", c.Format, c.Rotate.Size, c.Compress))
		c.Path = filepath.Join(dir, "r")
		opened, err := openFile(c, slog.New(slog.DiscardHandler))
		if err != nil {
			fail("%v", err)
		}
		ballast := filepath.Join(dir, "ballast")
		next, failures := int64(1), 0
		for round := range 4 {
			for { // until the disk is full
				done, err := opened.Write(context.Background(), delivery.Items(rows(1, next, 50)))
				next += int64(done)
				if errors.Is(err, syscall.ENOSPC) && done == 0 && strings.Contains(err.Error(), "make room") {
					failures++
					break
				} else if err != nil || done != 50 {
					fail("round %d: %d, %v", round, done, err)
				}
				if next%1000 == 1 && round%2 == 0 { // others fill it too
					f, err := os.OpenFile(ballast, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
					if err == nil {
						_, _ = f.Write(make([]byte, 3333))
						f.Close()
					}
				}
			}
			text, err := tryReadAll(c.Path)
			for try := 0; try < 100 && errors.Is(err, fs.ErrNotExist); try++ { // it was compressed meanwhile
				time.Sleep(time.Millisecond)
				text, err = tryReadAll(c.Path)
			}
			if err != nil {
				fail("%v", err)
			}
			if text != "" && !strings.HasSuffix(text, "\n") {
				fail("half a line: %q", text[len(text)-40:])
			}
			// Room comes back: the ballast goes, then what was read already.
			if os.Remove(ballast) != nil {
				if err := errors.Join(opened.Close(), os.RemoveAll(dir)); err != nil {
					fail("%v", err)
				}
				check(fail, text, next)
				if opened, err = openFile(c, slog.New(slog.DiscardHandler)); err != nil {
					fail("%v", err)
				}
				next = 1
			}
			time.Sleep(time.Millisecond)
		}
		_ = opened.Close()
		_ = os.RemoveAll(dir)
		fmt.Printf("%+v: full %d times\n", c, failures)
	}
}

// check fails unless text has every record before next, in order and once.
func check(fail func(string, ...any), text string, next int64) {
	text = strings.ReplaceAll(text, formOf("csv").head, "")
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	var want []string
	for _, r := range rows(1, 1, int(next-1)) {
		want = append(want, r.ID)
	}
	for i, line := range lines {
		line = strings.TrimPrefix(line, `{"id":"`)
		lines[i] = line[:max(0, strings.IndexAny(line, `",`))]
	}
	if !slices.Equal(lines, want) {
		fail("%d records, want %d", len(lines), len(want))
	}
}
