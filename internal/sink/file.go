package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/plainfile"
)

// FileConfig are the keys of the type file.
type FileConfig struct {
	// Path is the file. It may be renamed or removed at any time (logrotate): the next
	// record creates it again.
	Path     string `yaml:"path"`
	Format   string `yaml:"format"`   // ndjson, csv; "": ndjson
	Rotate   Rotate `yaml:"rotate"`   // when it is renamed, and a new one begun; zero: never
	Keep     int    `yaml:"keep"`     // so many renamed files; 0: all
	Compress string `yaml:"compress"` // renamed files: none, gzip, zstd; "": none
	Fsync    string `yaml:"fsync"`    // always, interval, never; "": always
}

var fileKind = kind{
	keys:     func(c *Config) []any { return []any{&c.File} },
	validate: func(c Config) error { return c.File.validate() },
	open:     func(c Config, o Options) (Sink, error) { return openFile(c.File, o.Log) },
	probe:    func(_ context.Context, c Config) (string, error) { return c.File.probe() },
}

func (c FileConfig) validate() error {
	if err := checkPath("path", c.Path); err != nil {
		return err
	}
	words := cmp.Or(oneOf("format", c.Format, "ndjson", "csv"), oneOf("compress", c.Compress, "none", "gzip", "zstd"), oneOf("fsync", c.Fsync, "always", "interval", "never"))
	if words != nil {
		return words
	}
	switch {
	case c.Keep < 0:
		return errors.New("keep is below 0; 0 keeps all files")
	case c.Rotate == Rotate{} && c.Keep > 0:
		return errors.New("keep needs rotate")
	case c.Rotate == Rotate{} && c.compresses():
		return errors.New("compress needs rotate; only renamed files are compressed")
	}
	return nil
}

func (c FileConfig) compresses() bool { return c.Compress == "gzip" || c.Compress == "zstd" }

// probe finds out whether the file can be written, and its folder if it is to be
// renamed, and whether it holds records of this format.
func (c FileConfig) probe() (said string, err error) {
	err = plainfile.Writable(c.Path)
	if err == nil && c.Rotate != (Rotate{}) {
		err = plainfile.Writable(renamed(c.Path, time.Now()))
	}
	if err != nil {
		return "", err
	}
	if f, err := os.Open(c.Path); err == nil {
		defer f.Close()
		st, err := f.Stat()
		if err == nil {
			_, err = whole(f, st.Size(), formOf(c.Format))
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", c.Path, err)
		}
	}
	return c.Path + " can be written", nil
}

type file struct {
	FileConfig
	log  *slog.Logger
	form form
	now  func() time.Time
	buf  []byte // of Write

	lock    *flock.Flock
	f       *os.File  // nil after a failure
	real    string    // f's path without symbolic links
	written time.Time // when f was written last
	syncing *syncing  // nil: fsync is not interval
	tidy    *tidying  // nil: nothing is renamed
}

// openFile opens a sink of the type file. It creates the file (mode 600) and its
// directory (mode 700) if they do not exist. It removes an incomplete last line, which a
// crash has left: that record comes again. A second writer of the file is refused,
// except on Windows, where a lock would keep readers out.
func openFile(c FileConfig, log *slog.Logger) (Sink, error) {
	s := &file{FileConfig: c, log: log, form: formOf(c.Format), now: time.Now}
	if err := s.open(); err != nil {
		return nil, err
	}
	if c.Rotate != (Rotate{}) {
		s.tidy = startTidying(c, log)
		s.tidy.wake(s.real)
	}
	return s, nil
}

var (
	errLocked = errors.New("another process writes it; end that one, or name another file")
	errMoved  = errors.New("it was renamed or removed while it was opened")
)

func (s *file) open() (err error) {
	dir := filepath.Dir(s.Path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s.explain(err)
	}
	if st, err := os.Stat(s.Path); err == nil && !st.Mode().IsRegular() {
		return fmt.Errorf("sink: %s is not a regular file; name one", s.Path)
	}
	link, linked := os.Lstat(s.Path)
	defer func() {
		if err != nil {
			_ = s.release()
			err = s.explain(err)
		}
	}()
	s.lock = flock.New(s.Path, flock.SetFlag(os.O_RDWR|os.O_CREATE), flock.SetPermissions(0o600))
	if runtime.GOOS != "windows" {
		if free, err := s.lock.TryLock(); err != nil {
			return err
		} else if !free {
			return errLocked
		}
	}
	if s.f, err = os.OpenFile(s.Path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return err
	}
	locked, err1 := s.lock.Stat()
	opened, err2 := s.f.Stat()
	real, err3 := filepath.EvalSymlinks(s.Path)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if !os.SameFile(locked, opened) {
		return errMoved
	}
	s.real, s.written = real, opened.ModTime()
	keep, err := whole(s.f, opened.Size(), s.form)
	if err == nil && keep < opened.Size() {
		err = s.f.Truncate(keep)
	}
	if err := errors.Join(err, syncDir(filepath.Dir(real))); err != nil {
		return err
	}
	if s.Fsync == "interval" {
		s.syncing = startSyncing(s.f, s.log)
	}
	if linked != nil || link.Mode().IsRegular() { // the target of a symbolic link keeps its mode
		return s.f.Chmod(0o600)
	}
	return nil
}

func (s *file) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	lines, done, broken := s.form.lines(s.buf[:0], items)
	s.buf = lines
	if done > 0 {
		if err := s.append(lines); err != nil {
			return 0, err
		}
	}
	if broken != nil {
		return done + 1, delivery.Refusals{{First: done, N: 1, Reason: broken.Error()}}
	}
	return done, nil
}

// append adds whole lines, or nothing.
func (s *file) append(lines []byte) error {
	if s.f != nil && s.moved() {
		if err := s.release(); err != nil {
			return s.explain(err)
		}
	}
	if s.f == nil {
		if err := s.open(); err != nil {
			return err
		}
	}
	st, err := s.f.Stat()
	if err == nil && s.due(st.Size(), len(lines)) {
		if err := s.rename(); err != nil {
			return err
		}
		st, err = s.f.Stat()
	}
	if err != nil {
		return s.explain(err)
	}
	if st.Size() == 0 && s.form.head != "" {
		lines = append([]byte(s.form.head), lines...)
	}
	if _, err = s.f.Write(lines); err == nil && (s.Fsync == "" || s.Fsync == "always") {
		err = s.f.Sync()
	}
	if err != nil {
		// Nobody knows what a failed write or sync left: remove it, and open the
		// file again.
		return s.explain(errors.Join(err, s.f.Truncate(st.Size()), s.release()))
	}
	s.written = s.now()
	if s.syncing != nil {
		s.syncing.soon()
	}
	return nil
}

// moved reports whether the path leads to another file now, or to none.
func (s *file) moved() bool {
	there, err := os.Stat(s.Path)
	if err != nil {
		return true
	}
	here, err := s.f.Stat()
	return err != nil || !os.SameFile(here, there)
}

func (s *file) Close() error {
	if s.tidy != nil {
		s.tidy.end()
	}
	return s.release()
}

// release closes the file. What fsync: interval had not synced yet is synced first.
func (s *file) release() error {
	return errors.Join(s.releaseFile(), s.lock.Close())
}

func (s *file) releaseFile() error {
	if s.f == nil {
		return nil
	}
	f, syncing := s.f, s.syncing
	s.f, s.syncing = nil, nil
	if syncing != nil {
		return errors.Join(syncing.end(), f.Close())
	}
	return f.Close()
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
	return fmt.Errorf("sink: %s: %w%s", s.Path, err, hint)
}

// syncDir makes a new file's name survive a crash.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
