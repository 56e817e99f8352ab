package mailfile

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/fblwatch/fblwatch/internal/plainfile"
)

// format is what a file may hold, as far as is known before it is opened.
type format int

const (
	sniffed format = iota // an mbox or one message, by its first line
	single                // one message, whatever its first line
	strange               // an mbox if its first line says so, otherwise no message
)

// named returns the format that a file's name means, or the format otherwise.
func named(path string, otherwise format) format {
	path, zipped := strings.CutSuffix(path, ".gz")
	switch filepath.Ext(path) {
	case ".eml":
		return single
	case ".mbox", ".mbx":
		return sniffed
	}
	if zipped {
		return sniffed
	}
	return otherwise
}

func (r *reader) file(path string, f format) {
	// Opening a named pipe would wait for a writer: look first.
	if info, err := os.Stat(path); err != nil {
		r.fail(path, err)
		return
	} else if !info.Mode().IsRegular() {
		r.fail(path, fmt.Errorf("%w (%s); to read a pipe, write - and redirect it", ErrNotFile, plainfile.Kind(info.Mode())))
		return
	}
	file, err := os.Open(path)
	if err != nil {
		r.fail(path, err)
		return
	}
	defer file.Close()
	r.delivered = f == single
	r.stream(path, file, named(path, f))
}

// stream reads the messages of one file.
func (r *reader) stream(path string, src io.Reader, f format) {
	r.in.Reset(untilDone{r.ctx, src})
	src = r.in
	if magic, _ := r.in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		zipped, err := gzip.NewReader(r.in)
		if err != nil {
			r.fail(path, err)
			return
		}
		src = zipped
	}
	r.win.reset(src)

	head := r.win.want(maxHead)
	switch {
	case f != single && startsMbox(head):
		r.mbox(path)
	case f == strange && len(head) > 0:
		if r.win.err == nil || r.win.err == io.EOF {
			r.win.err = ErrNotMessage
		}
	case f == sniffed && binary(head) != "":
		r.fail(path, fmt.Errorf("%w: it looks like %s", ErrNotMessage, binary(head)))
		return
	case f == single, f == sniffed && len(head) > 0:
		r.one(path)
	}
	if err := r.win.err; err != nil && err != io.EOF {
		r.fail(path, err)
	}
}

// one reads a file that is one message.
func (r *reader) one(path string) {
	r.message.reset()
	for {
		b := r.win.want(1)
		if len(b) == 0 {
			break
		}
		r.message.add(b)
		r.win.pos = r.win.end
	}
	if r.message.size > 0 || r.win.err == io.EOF {
		r.joined(path)
	}
}

// mbox reads a file that begins with "From ".
func (r *reader) mbox(path string) {
	box := openMbox(&r.win)
	first := true
	for number := 1; !r.done() && box.next(&r.message); number++ {
		if first && internalData(r.message.body) {
			number--
		} else {
			r.emit(path, number)
		}
		first = false
	}
}

// untilDone is a reader that fails once its context has ended.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
