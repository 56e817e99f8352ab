package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// FileConfig configures the sink "file".
type FileConfig struct {
	// File is the NDJSON file that records are appended to. It may be renamed
	// or removed at any time (logrotate): the next record makes it anew.
	File string `yaml:"file"`
}

// Validate looks at what can be wrong before the file is opened.
func (c FileConfig) Validate() error {
	scheme, _, url := strings.Cut(c.File, "://")
	switch {
	case c.File == "":
		return errors.New("file is empty; name a file")
	case url && !strings.Contains(scheme, "/"):
		return errors.New("file is a URL; name a file's path, without a scheme such as file://")
	case strings.ContainsRune(c.File, 0):
		return errors.New("file holds a NUL")
	case os.IsPathSeparator(c.File[len(c.File)-1]):
		return errors.New("file names a directory; name a file in it")
	}
	return nil
}

type file struct {
	path string
	f    *os.File // nil after a failure
}

// OpenFile opens the sink "file" and makes the file (mode 600) and its
// directory where there are none. A last line that a crash has torn is cut off;
// its record comes again. A second writer is refused.
func OpenFile(config FileConfig) (Sink, error) {
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	s := &file{path: config.File}
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *file) Name() string { return "file" }

func (s *file) open() error {
	dir := filepath.Dir(s.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s.explain(err)
	}
	if st, err := os.Stat(s.path); err == nil && !st.Mode().IsRegular() {
		return fmt.Errorf("sink: %s is no regular file; name one", s.path)
	}
	link, linked := os.Lstat(s.path)
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return s.explain(err)
	}
	if err = lock(f); err == nil {
		err = errors.Join(cut(f), syncDir(dir))
	}
	if err == nil && (linked != nil || link.Mode().IsRegular()) { // what a symbolic link leads to keeps its mode
		err = f.Chmod(0o600)
	}
	if err != nil {
		f.Close()
		return s.explain(err)
	}
	s.f = f
	return nil
}

var (
	errLocked = errors.New("another process writes it; end that one, or name another file")
	errNoLine = errors.New("it does not end in a line of records; name another file")
)

// cut takes off what follows the last newline: a record that was torn, or the
// zeros that a power failure leaves. Anything else is not ours to cut.
func cut(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	end := st.Size()
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
		keep := start + i + 1 // 0 where there is no newline at all
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

func (s *file) Write(ctx context.Context, rows []ledger.Row) error {
	if err := ctx.Err(); err != nil {
		return err
	}
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
	if _, err = s.f.Write(lines(rows)); err == nil {
		err = s.f.Sync()
	}
	if err != nil {
		// What a failed write or sync left is not to be trusted: take it off
		// and begin anew.
		return s.explain(errors.Join(err, s.f.Truncate(st.Size()), s.Close()))
	}
	return nil
}

// rotated tells whether the path leads to another file now, or to none.
func (s *file) rotated() bool {
	here, err1 := s.f.Stat()
	there, err2 := os.Stat(s.path)
	return err1 != nil || err2 != nil || !os.SameFile(here, there)
}

func (s *file) Close() error {
	if s.f == nil {
		return nil
	}
	f := s.f
	s.f = nil
	return f.Close()
}

// explain names the path once and says what to do.
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

// syncDir makes a new file's name outlive a crash.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
