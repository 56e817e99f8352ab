package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/gofrs/flock"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/plainfile"
)

// FileConfig are the keys of the type file.
type FileConfig struct {
	// Path is the NDJSON file. It may be renamed or removed at any time (logrotate):
	// the next record creates it again.
	Path string `yaml:"path"`
}

var fileKind = kind{
	keys:     func(c *Config) []any { return []any{&c.File} },
	validate: func(c Config) error { return checkPath("path", c.File.Path) },
	open:     func(c Config, _ Options) (Sink, error) { return OpenFile(c.File.Path) },
	probe: func(_ context.Context, c Config) (string, error) {
		return c.File.Path + " can be written", plainfile.Writable(c.File.Path)
	},
}

type file struct {
	path string
	lock *flock.Flock
	f    *os.File // nil after a failure
}

// OpenFile opens a sink of the type file, which appends NDJSON. It creates the file (mode 600) and its directory
// (mode 700) if they do not exist. It removes an incomplete last line, which a crash
// has left: that record comes again. A second writer of the file is refused, except
// on Windows, where a lock would keep readers out.
func OpenFile(path string) (Sink, error) {
	s := &file{path: path}
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

var (
	errLocked = errors.New("another process writes it; end that one, or name another file")
	errNoLine = errors.New("it does not end in a line of records; name another file")
	errMoved  = errors.New("it was renamed or removed while it was opened")
)

func (s *file) open() (err error) {
	dir := filepath.Dir(s.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s.explain(err)
	}
	if st, err := os.Stat(s.path); err == nil && !st.Mode().IsRegular() {
		return fmt.Errorf("sink: %s is not a regular file; name one", s.path)
	}
	link, linked := os.Lstat(s.path)
	defer func() {
		if err != nil {
			_ = s.Close()
			err = s.explain(err)
		}
	}()
	s.lock = flock.New(s.path, flock.SetFlag(os.O_RDWR|os.O_CREATE), flock.SetPermissions(0o600))
	if runtime.GOOS != "windows" {
		if free, err := s.lock.TryLock(); err != nil {
			return err
		} else if !free {
			return errLocked
		}
	}
	if s.f, err = os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return err
	}
	locked, err1 := s.lock.Stat()
	opened, err2 := s.f.Stat()
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if !os.SameFile(locked, opened) {
		return errMoved
	}
	if err := errors.Join(cut(s.f, opened.Size()), syncDir(dir)); err != nil {
		return err
	}
	if linked != nil || link.Mode().IsRegular() { // the target of a symbolic link keeps its mode
		return s.f.Chmod(0o600)
	}
	return nil
}

// cut removes what follows the last newline before end, f's size: an incomplete
// record, or the zeros that a power failure leaves. It refuses to remove anything
// else.
func cut(f *os.File, end int64) error {
	buf := make([]byte, 64<<10)
	for start := end; ; {
		n := min(start, int64(len(buf)))
		start -= n
		if _, err := f.ReadAt(buf[:n], start); err != nil {
			return err
		}
		i := int64(bytes.LastIndexByte(buf[:n], '\n'))
		if i < 0 && start > 0 {
			continue
		}
		keep := start + i + 1 // 0 if there is no newline at all
		if keep == end {
			return nil
		}
		if _, err := f.ReadAt(buf[:1], keep); err != nil {
			return err
		}
		if buf[0] != '{' && buf[0] != 0 {
			return errNoLine
		}
		return f.Truncate(keep)
	}
}

func (s *file) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := s.append(ndjson(items)); err != nil {
		return 0, err
	}
	return len(items), nil
}

// append adds whole lines, or nothing.
func (s *file) append(lines []byte) error {
	if s.f != nil && s.rotated() {
		if err := s.Close(); err != nil {
			return s.explain(err)
		}
	}
	if s.f == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	st, err := s.f.Stat()
	if err != nil {
		return s.explain(err)
	}
	if _, err = s.f.Write(lines); err == nil {
		err = s.f.Sync()
	}
	if err != nil {
		// Nobody knows what a failed write or sync left: remove it, and open the
		// file again.
		return s.explain(errors.Join(err, s.f.Truncate(st.Size()), s.Close()))
	}
	return nil
}

// rotated reports whether the path leads to another file now, or to none.
func (s *file) rotated() bool {
	there, err := os.Stat(s.path)
	if err != nil {
		return true
	}
	here, err := s.f.Stat()
	return err != nil || !os.SameFile(here, there)
}

func (s *file) Close() error {
	if s.f == nil {
		return s.lock.Close()
	}
	f := s.f
	s.f = nil
	return errors.Join(f.Close(), s.lock.Close())
}

// explain names the path once, and adds a hint.
func (s *file) explain(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) && pe == err {
		err = pe.Err
	}
	hint := ""
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		hint = fmt.Sprintf("; let user %d write there, or name another file", os.Getuid())
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		hint = "; make room or raise the quota"
	}
	return fmt.Errorf("sink: %s: %w%s", s.path, err, hint)
}

// syncDir makes a new file's name survive a crash.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
