// Package mailfile reads messages from files: mbox files (RFC 4155, and mboxo, mboxrd
// and mboxcl), Maildirs, MH folders, single messages, directories of all these, and
// standard input. Each may be compressed by gzip.
//
// Memory stays flat: a window of 256 KiB on the file, and one message up to
// [Options.MaxMessage].
package mailfile

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

var (
	// ErrNotMessage means that a file in a directory has neither the name nor the
	// first line of a message or an mbox, or that a file is binary. Read skips it.
	ErrNotMessage = errors.New("not a message or an mbox")
	// ErrNotFile means a named pipe, a device, a socket or, inside a directory, a
	// symbolic link to a directory. Read skips it.
	ErrNotFile = errors.New("not a regular file")
)

// Message is one message.
type Message struct {
	Path   string // the file, or "-"
	Number int    // from 1, within its file
	Body   []byte // valid until the next message
	Size   int64  // octets of the whole message; more than len(Body) if MaxMessage cut it
	Joined bool   // it follows another message in a file for one: the author of that one may have written this one
}

// Options says how to read; the zero value is usable.
type Options struct {
	MaxMessage int64     // octets kept of one message; 0 means 16 MiB
	Stdin      io.Reader // the content of the path "-"; nil means os.Stdin
}

func (o Options) maxMessage() int64 {
	if o.MaxMessage <= 0 {
		return 16 << 20
	}
	return o.MaxMessage
}

func (o Options) stdin() io.Reader {
	if o.Stdin == nil {
		return os.Stdin
	}
	return o.Stdin
}

// Read yields the messages at path, which is a file, a directory or "-".
//
// A file named *.eml or *.eml.gz is one message. Any other is an mbox if it begins
// with "From " (a byte order mark and blank lines may come first), and one message
// otherwise; an empty file holds none. If another message begins right after the
// closing boundary of such a message, Read yields both. A file of a Maildir or an MH
// folder is always one message. An archive, or another binary file, is not a mailbox:
// its error is ErrNotMessage and names the kind of file.
//
// A directory that holds cur and new is a Maildir: its messages come in the order of
// their names, those in tmp are skipped. In any other directory, files whose names are
// numbers are messages (MH) and come first. *.eml, *.mbox, *.mbx, *.gz and files that
// begin with "From " are read. Names that begin with a dot, a comma or a number sign
// are skipped (MH marks deleted messages so). Directories in it are read, too.
//
// An error concerns the file that its Message's Path names, and the iteration goes on
// with the next file. Only the end of ctx ends it, with ctx's error. If a file fails
// within a message, the part that was read is yielded before the error. A Read that
// is blocked in standard input notices the end of ctx only when the input goes on.
func Read(ctx context.Context, path string, opts Options) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		r := reader{
			ctx:     ctx,
			yield:   yield,
			in:      bufio.NewReaderSize(nil, 64<<10),
			win:     window{buf: make([]byte, windowSize)},
			message: collector{max: opts.maxMessage()},
		}
		if path == "-" {
			r.stream(path, opts.stdin(), sniffed)
		} else {
			r.path(path)
		}
		if ctx.Err() != nil && !r.stopped {
			yield(Message{Path: path}, ctx.Err())
		}
	}
}

// reader is the state of one iteration. Its buffers are used for all files.
type reader struct {
	ctx     context.Context
	yield   func(Message, error) bool
	stopped bool // yield returned false
	in      *bufio.Reader
	win     window
	message collector

	delivered bool // the file is one message of a Maildir or an MH folder
}

// done reports whether the iteration is over.
func (r *reader) done() bool { return r.stopped || r.ctx.Err() != nil }

// fail yields the error of one file.
func (r *reader) fail(path string, err error) {
	if !r.done() && !r.yield(Message{Path: path}, fmt.Errorf("mailfile: %s: %w", path, plain(err))) {
		r.stopped = true
	}
}

// emit yields the collected message.
func (r *reader) emit(path string, number int) {
	r.hand(Message{Path: path, Number: number, Body: r.message.body, Size: r.message.size})
}

func (r *reader) hand(m Message) {
	if !r.done() && !r.yield(m, nil) {
		r.stopped = true
	}
}

// plain removes operation and path from an error, as fail adds the path.
func plain(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

func (r *reader) path(path string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		r.fail(path, err)
	case info.IsDir():
		r.directory(path)
	default:
		r.file(path, sniffed)
	}
}
