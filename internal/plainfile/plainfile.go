// Package plainfile reads the files that a config names. A named pipe, a socket
// or a device is none: opening one may block where no signal ends it.
package plainfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// ErrNotPlain is about a path that leads to no plain file, after all links.
var ErrNotPlain = errors.New("not a plain file")

// patience is how long a pipe is waited for that the process was started with.
const patience = 30 * time.Second

// Open opens a plain file for reading.
func Open(path string) (*os.File, fs.FileInfo, error) { return open(path, false) }

func open(path string, inherited bool) (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(path) // first: to open a device may do something
	if failure := (*fs.PathError)(nil); errors.As(err, &failure) {
		failure.Op = "open"
	}
	if err != nil {
		return nil, nil, err
	}
	if err := plain(path, info, inherited); err != nil {
		return nil, nil, err
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // it may have become a pipe meanwhile
	if err != nil {
		return nil, nil, err
	}
	if info, err = file.Stat(); err == nil {
		err = plain(path, info, inherited)
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, info, nil
}

func plain(path string, info fs.FileInfo, inherited bool) error {
	if info.Mode().IsRegular() || inherited && !info.IsDir() {
		return nil
	}
	return fmt.Errorf("%s is a %s, %w; put the text into a file, or redirect it and name /dev/stdin", path, Kind(info.Mode()), ErrNotPlain)
}

// Kind is the word for what is no plain file.
func Kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeNamedPipe != 0:
		return "named pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// Read reads a plain file of at most that many octets. What the process was
// started with, such as /dev/stdin, or /dev/fd/63 of a shell's <(command), may be
// a pipe: it is read until ctx ends, or for half a minute.
func Read(ctx context.Context, path string, most int64) ([]byte, error) {
	file, info, err := open(path, isInherited(path))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if !info.Mode().IsRegular() {
		if err := file.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return nil, fmt.Errorf("%s is a %s that cannot be read with a time limit, %w", path, Kind(info.Mode()), ErrNotPlain)
		}
		stop := context.AfterFunc(ctx, func() { _ = file.SetReadDeadline(time.Unix(1, 0)) })
		defer stop()
	}
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return nil, fmt.Errorf("%s: %w", path, context.Cause(ctx))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("%s: its end did not come within %v", path, patience)
	case err != nil:
		return nil, err
	case int64(len(text)) > most:
		return nil, fmt.Errorf("%s is longer than %d octets", path, most)
	}
	return text, nil
}

// isInherited tells whether the path is that of a descriptor of the process.
func isInherited(path string) bool {
	path = filepath.Clean(path)
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

// Exposed says what to do about a plain file that anybody may read or change; ""
// where nobody else can, or where that cannot be told.
func Exposed(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || runtime.GOOS == "windows" {
		return ""
	}
	mode := info.Mode().Perm()
	if mode&0o007 == 0 {
		return ""
	}
	return fmt.Sprintf("%s is open to everybody (mode %04o); run chmod 600 %s, or 640 where its group is to read it", path, mode, path)
}
