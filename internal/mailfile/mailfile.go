// Package mailfile reads messages from where they lie on a disk: mbox files
// (RFC 4155, and mboxo, mboxrd and mboxcl), Maildirs, MH folders, single messages,
// directories of all these, and standard input, each also compressed by gzip.
//
// Memory stays flat: a window of 256 KB on the file, and the message itself up to
// [Options.MaxMail].
package mailfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/fblwatch/fblwatch/internal/plainfile"
)

var (
	// ErrNotMail means that a file in a directory has neither the name nor the
	// first line of a message or an mbox, or that a file is binary. It was left
	// alone.
	ErrNotMessage = errors.New("no mail or mbox")
	// ErrNotFile means a named pipe, device, socket or, inside a directory, a
	// symbolic link to a directory.
	ErrNotFile = errors.New("no regular file")
)

// Message is one message as it was found.
type Message struct {
	Path   string // the file, or "-"
	Number int    // from 1, within its file
	Body   []byte // valid until the next message
	Size   int64  // octets of the whole message; more than len(Body) where MaxMail cut it
	Joined bool   // it stands behind another message in a file for one: whoever wrote that may have written this
}

// Options says how to read; the zero value is usable.
type Options struct {
	MaxMessage int64     // octets kept of one message; 0 means 16 MiB
	Stdin      io.Reader // what the path "-" reads; nil means os.Stdin
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
// otherwise; an empty one holds none. Where another message begins behind the closing
// boundary of such a message, both are read; those of a Maildir or MH folder are one
// message each, whatever they hold. An archive, or another binary file, is no mailbox:
// ErrNotMail says of which kind it is.
//
// A directory with cur and new in it is a Maildir: its messages come in the order
// of their names, those in tmp do not. In any other directory, files whose
// names are numbers are messages (MH) and come first; *.eml, *.mbox, *.mbx, *.gz
// and what begins with "From " are read; names that begin with a dot, a comma
// or a number sign are passed over (MH marks deleted messages so); directories are
// gone into.
//
// An error concerns the file that its Message's Path names, and the iteration goes
// on with the next file: only the end of ctx ends it, with ctx's error. What
// was read of a message before its file failed is yielded ahead of the error. A
// Read that is blocked in standard input notices the end of ctx only after it.
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

// reader is one iteration; its buffers serve file after file.
type reader struct {
	ctx     context.Context
	yield   func(Message, error) bool
	stopped bool // yield returned false
	in      *bufio.Reader
	win     window
	message collector

	delivered bool // the file is one message of a Maildir or MH folder
}

// done reports whether the iteration is over.
func (r *reader) done() bool { return r.stopped || r.ctx.Err() != nil }

// fail yields the error of one file.
func (r *reader) fail(path string, err error) {
	if !r.done() && !r.yield(Message{Path: path}, fmt.Errorf("mailfile: %s: %w", path, plain(err))) {
		r.stopped = true
	}
}

// emit yields the message that was collected.
func (r *reader) emit(path string, number int) {
	r.hand(Message{Path: path, Number: number, Body: r.message.body, Size: r.message.size})
}

func (r *reader) hand(m Message) {
	if !r.done() && !r.yield(m, nil) {
		r.stopped = true
	}
}

// plain takes the operation and path off an error that will get its path from
// fail.
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

// format says what is known of a file before it is opened.
type format int

const (
	sniffed format = iota // an mbox or one message, by its first line
	single                // one message, whatever its first line
	strange               // an mbox by its first line, or else no message
)

// named returns what a file's name tells, or otherwise.
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
	// Opening a named pipe would wait for a writer, so look first.
	if info, err := os.Stat(path); err != nil {
		r.fail(path, err)
		return
	} else if !info.Mode().IsRegular() {
		r.fail(path, fmt.Errorf("%w (%s); to read a pipe use - and redirect it", ErrNotFile, plainfile.Kind(info.Mode())))
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

// binary says what a file seems to be that is neither text nor begins with a
// header field; empty: text, or a message.
func binary(head []byte) string {
	kind := http.DetectContentType(head)
	if strings.HasPrefix(kind, "text/") || fieldForm.Match(bytes.TrimLeft(head, "\r\n")) {
		return ""
	}
	for _, a := range archives {
		if len(head) > a.at && bytes.HasPrefix(head[a.at:], []byte(a.magic)) {
			return a.name
		}
	}
	if kind == "application/octet-stream" {
		return "binary data"
	}
	return kind
}

// archives are the files in which messages are often packed.
var archives = []struct {
	name, magic string
	at          int
}{
	{"a tar archive", "ustar", 257}, // POSIX, and GNU's
	{"a zip archive", "PK\x03\x04", 0},
	{"an empty zip archive", "PK\x05\x06", 0},
	{"a 7z archive", "7z\xbc\xaf\x27\x1c", 0},
	{"a rar archive", "Rar!\x1a\x07", 0},
	{"bzip2 data", "BZh", 0},
	{"xz data", "\xfd7zXZ\x00", 0},
	{"zstd data", "\x28\xb5\x2f\xfd", 0},
	{"gzip data within gzip", "\x1f\x8b", 0},
	{"an Outlook data file", "!BDN", 0},
	{"an Outlook message", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0},
}

// fieldForm is the beginning of a header field (RFC 5322 section 2.2).
var fieldForm = regexp.MustCompile(`^[!-9;-~]+[ \t]*:`)

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

// joined yields the messages that were collected as one.
func (r *reader) joined(path string) {
	if r.delivered {
		r.emit(path, 1)
		return
	}
	behind := r.message.size - int64(len(r.message.body)) // what MaxMail cut off
	body, rest := cutJoined(r.message.body)
	for number := 1; !r.done(); number++ {
		m := Message{Path: path, Number: number, Body: body, Size: int64(len(body)), Joined: number > 1}
		if rest == nil {
			m.Size += behind
		}
		if r.hand(m); m.Joined && m.Size > int64(len(body)) {
			r.fail(path, fmt.Errorf("%w: more than %d octets of mails that nothing separates", errJoined, len(r.message.body)))
		}
		if rest == nil {
			break
		}
		body, rest = cutJoined(rest)
	}
}

var errJoined = errors.New("not read to its end")

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

// untilDone is a reader that fails when its context ends.
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
