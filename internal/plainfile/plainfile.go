// Package plainfile reads the files that a config names. It refuses named pipes,
// sockets and devices: opening one may block, and no signal ends that.
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

// ErrNotPlain means that a path does not lead to a plain file, after all links.
var ErrNotPlain = errors.New("not a plain file")

// patience is how long Read waits for the end of a pipe that the process was started
// with.
const patience = 30 * time.Second

// Open opens a plain file for reading. The error is ErrNotPlain or a *fs.PathError.
func Open(path string) (*os.File, fs.FileInfo, error) { return open(path, false) }

func open(path string, inherited bool) (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(path) // first: opening a device may have an effect
	if failure := (*fs.PathError)(nil); errors.As(err, &failure) {
		failure.Op = "open"
	}
	if err != nil {
		return nil, nil, err
	}
	if err := plain(path, info, inherited); err != nil {
		return nil, nil, err
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // it may have become a pipe since
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

// Kind returns the word for a file that is not plain.
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

// Read reads a plain file of at most maxOctets. A descriptor that the process was
// started with, such as /dev/stdin, or /dev/fd/63 of a shell's <(command), may be a
// pipe: Read waits for its end until ctx ends, and 30 seconds at most.
func Read(ctx context.Context, path string, maxOctets int64) ([]byte, error) {
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
	text, err := io.ReadAll(io.LimitReader(file, maxOctets+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil:
		return nil, fmt.Errorf("%s: %w", path, context.Cause(ctx))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("%s: its end did not come within %v", path, patience)
	case err != nil:
		return nil, err
	case int64(len(text)) > maxOctets:
		return nil, fmt.Errorf("%s is longer than %d octets", path, maxOctets)
	}
	return text, nil
}

// isInherited reports whether the path is that of a descriptor of the process.
func isInherited(path string) bool {
	path = filepath.Clean(path)
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

// Exposed returns a warning about a plain file that anybody may read or change, with
// what to do. It returns "" if nobody else can, or if that is unknown.
func Exposed(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || runtime.GOOS == "windows" {
		return ""
	}
	mode := info.Mode().Perm()
	if mode&0o007 == 0 {
		return ""
	}
	return fmt.Sprintf("%s is open to everybody (mode %04o); run chmod 600 %s, or 640 if its group must read it", path, mode, path)
}
