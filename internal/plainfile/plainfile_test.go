//go:build unix

package plainfile_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/plainfile"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := errors.Join(
		os.WriteFile(path("file"), []byte("12345678"), 0o600), os.WriteFile(path("empty"), nil, 0o600),
		os.Symlink("file", path("link")), os.Mkdir(path("dir"), 0o700), syscall.Mkfifo(path("pipe"), 0o600), os.Symlink("pipe", path("link to pipe")),
	); err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", path("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for name, want := range map[string]struct{ text, err string }{
		"file": {"12345678", ""}, "link": {"12345678", ""}, "empty": {"", ""},
		"none":         {"", "no such file"},
		"dir":          {"", "dir is a directory, not a plain file; put the text into a file, or redirect it and name /dev/stdin"},
		"pipe":         {"", "pipe is a named pipe, not a plain file"},
		"link to pipe": {"", "link to pipe is a named pipe, not a plain file"},
		"socket":       {"", "socket is a socket, not a plain file"},
		"/dev/zero":    {"", "/dev/zero is a device, not a plain file"},
	} {
		if !filepath.IsAbs(name) {
			name = path(name)
		}
		text, err := plainfile.Read(t.Context(), name, 8)
		if string(text) != want.text || (err == nil) != (want.err == "") || err != nil && !strings.Contains(err.Error(), want.err) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
		if strings.Contains(want.err, "not a plain file") != errors.Is(err, plainfile.ErrNotPlain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := plainfile.Read(t.Context(), path("file"), 7); err == nil || !strings.HasSuffix(err.Error(), "file is longer than 7 octets") {
		t.Error(err)
	}
	if _, _, err := plainfile.Open(path("pipe")); !errors.Is(err, plainfile.ErrNotPlain) {
		t.Error(err)
	}
}

// A descriptor that the process was started with may be a pipe, as in a shell's
// <(command); it does not hold up the end of ctx.
func TestInherited(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := fmt.Sprintf("/dev/fd/%d", r.Fd())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if text, err := plainfile.Read(ctx, path, 100); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := w.WriteString("hunter2\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if text, err := plainfile.Read(t.Context(), path, 100); err != nil || string(text) != "hunter2\n" {
		t.Errorf("%q, %v", text, err)
	}
}

func TestExposed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a file")
	for mode, want := range map[os.FileMode]string{
		0o600: "", 0o400: "", 0o640: "", 0o660: "",
		0o644: path + " is open to everybody (mode 0644); run chmod 600 " + path + ", or 640 if its group must read it",
		0o602: path + " is open to everybody (mode 0602); run chmod 600 " + path + ", or 640 if its group must read it",
	} {
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		if got := plainfile.Exposed(path); got != want {
			t.Errorf("%04o: %q, not %q", mode, got, want)
		}
		os.Remove(path)
	}
	if got := plainfile.Exposed(path); got != "" {
		t.Errorf("no file: %q", got)
	}
}
