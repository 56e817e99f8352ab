package sink

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// tidying compresses and removes renamed files, one at a time, beside the sink. After a
// crash it begins again with what it finds.
type tidying struct {
	config FileConfig
	log    *slog.Logger
	rung   chan struct{}
	stop   context.CancelFunc
	over   sync.WaitGroup

	mu   sync.Mutex
	path string // without symbolic links
}

func startTidying(c FileConfig, log *slog.Logger) *tidying {
	ctx, stop := context.WithCancel(context.Background())
	t := &tidying{config: c, log: log, rung: make(chan struct{}, 1), stop: stop}
	t.over.Go(func() {
		for {
			select {
			case <-t.rung:
			case <-ctx.Done():
				return
			}
			t.mu.Lock()
			path := t.path
			t.mu.Unlock()
			if err := t.tidy(ctx, path); err != nil && ctx.Err() == nil {
				log.Warn("renamed files stay as they are until the next one", "err", err)
			}
		}
	})
	return t
}

// wake has the renamed files of path looked at.
func (t *tidying) wake(path string) {
	t.mu.Lock()
	t.path = path
	t.mu.Unlock()
	select {
	case t.rung <- struct{}{}:
	default:
	}
}

// end waits for the goroutine. A file that is being compressed is left for the next
// start.
func (t *tidying) end() {
	t.stop()
	t.over.Wait()
}

func (t *tidying) tidy(ctx context.Context, path string) error {
	files, err := oldFiles(path)
	if err != nil {
		return err
	}
	if n := len(files) - t.config.Keep; t.config.Keep > 0 && n > 0 {
		for _, f := range files[:n] {
			for _, end := range f.ends {
				err = errors.Join(err, os.Remove(renamed(path, f.at)+end))
			}
		}
		files = files[n:]
	}
	for _, f := range files {
		plain := renamed(path, f.at)
		for _, end := range f.ends {
			if strings.HasSuffix(end, unfinishedEnd) {
				err = errors.Join(err, os.Remove(plain+end))
			}
		}
		if t.config.compresses() && slices.Contains(f.ends, "") {
			err = errors.Join(err, compress(ctx, plain, t.config.Compress))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return err
}

// compress puts a compressed file in the place of a plain one, which is removed once
// the other is on the disk. If a crash leaves both, the plain one is compressed again.
func compress(ctx context.Context, plain, how string) (err error) {
	in, err := os.Open(plain)
	if err != nil {
		return err
	}
	defer in.Close()
	name := plain + compressedEnds[how]
	out, err := os.OpenFile(name+unfinishedEnd, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(name + unfinishedEnd)
		}
	}()
	st, err := in.Stat()
	if err == nil {
		err = compressTo(ctx, out, in, how)
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	if err := os.Chtimes(name+unfinishedEnd, time.Time{}, st.ModTime()); err != nil {
		return err
	}
	if err := errors.Join(os.Rename(name+unfinishedEnd, name), syncDir(filepath.Dir(name))); err != nil {
		return err
	}
	if err := os.Remove(plain); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func compressTo(ctx context.Context, out io.Writer, in io.Reader, how string) error {
	var w io.WriteCloser = gzip.NewWriter(out)
	if how == "zstd" {
		var err error
		if w, err = zstd.NewWriter(out, zstd.WithEncoderConcurrency(1)); err != nil {
			return err
		}
	}
	_, err := io.Copy(w, &untilEnd{ctx, in})
	return errors.Join(err, w.Close())
}

// untilEnd reads until ctx has ended.
type untilEnd struct {
	ctx context.Context
	r   io.Reader
}

func (u *untilEnd) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(b)
}
