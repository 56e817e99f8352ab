package imapclient

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/flate"
)

const (
	wireBuffer = 64 << 10 // octets read from the network at once
	maxLine    = 1 << 20  // octets of one line, and of all its literals but a message's body
)

// wire is the connection below the tap: the deadlines, the debug log and the
// first reason for which it ended. Reads come from one goroutine at a time,
// everything else from any.
type wire struct {
	conn     net.Conn // what is read and written: TCP or TLS
	raw      net.Conn // what is closed: TLS's own Close may wait for the peer
	r        *bufio.Reader
	write    time.Duration
	debug    func(line string) // nil: off
	veil     *veil             // of what it is logged in by; nil: nothing is secret
	packed   *bytes.Buffer     // not nil: DEFLATE is on, and this holds what to write
	in, out  atomic.Int64      // octets of conn
	inflated atomic.Int64      // octets that in came to, where DEFLATE is on
	quit     chan struct{}     // closed with the connection
	closing  sync.Once

	paid int64 // octets of bodies that were asked for and came; of the reading side

	mu    sync.Mutex
	wait  string        // what is due from the server
	after time.Duration // 0: nothing is due, silence is fine
	by    time.Time     // not zero: due then, whatever comes before
	begun time.Time     // when the wait began
	spent time.Duration // in reading since then, bodies left out
	body  bool          // a body is being read: it may take its time
	cause error
}

func newWire(conn net.Conn, write time.Duration, debug func(string)) *wire {
	w := &wire{conn: conn, raw: conn, write: write, debug: debug, quit: make(chan struct{})}
	w.r = bufio.NewReaderSize(armed{w}, wireBuffer)
	return w
}

// armed reads under the deadline of the moment. It counts from the start of
// each read, so a slow reader on our side never makes a server late.
type armed struct{ w *wire }

func (a armed) Read(p []byte) (int, error) {
	w := a.w
	w.mu.Lock()
	w.setDeadline()
	start := time.Now()
	w.mu.Unlock()
	n, err := w.conn.Read(p)
	w.in.Add(int64(n))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun.After(start) {
		start = w.begun
	}
	if !w.body {
		w.spent += time.Since(start)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		late := &TimeoutError{Wait: w.wait, After: w.after}
		if w.by.IsZero() && w.spent >= w.total() {
			late.After = w.total()
		}
		err = late
	}
	return n, err
}

// How many times its longest silence an answer may take in all: a server that says
// other things meanwhile, and one that drips, gain no more.
const (
	inLines = 10
	inAll   = 120
)

// total is called with mu held.
func (w *wire) total() time.Duration { return inAll * w.after }

// setDeadline is called with mu held.
func (w *wire) setDeadline() {
	deadline := w.by
	if deadline.IsZero() && w.after != 0 {
		wait := w.after
		if !w.body {
			wait = min(wait, max(w.total()-w.spent, 0))
		}
		deadline = time.Now().Add(wait)
	}
	w.conn.SetReadDeadline(deadline)
}

// tardy is an error where an answer takes too long, whatever else is said.
func (w *wire) tardy() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.after == 0 || w.spent < inLines*w.after {
		return nil
	}
	return &TimeoutError{Wait: w.wait, After: inLines * w.after}
}

// anew lets the wait begin now.
func (w *wire) anew() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun, w.spent = time.Now(), 0
}

// inBody says whether what is read is a body.
func (w *wire) inBody(is bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.body = is
}

// arm says that the server owes an answer: wait names it, after bounds its
// silence, and inAll times that the whole of it.
func (w *wire) arm(wait string, after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wait != wait {
		w.begun, w.spent = time.Now(), 0
	}
	w.wait, w.after, w.by = wait, after, time.Time{}
	w.setDeadline()
}

// armTotal is arm for an answer that is due as a whole: a server that drips
// gains nothing.
func (w *wire) armTotal(wait string, after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wait, w.after, w.by = wait, after, time.Now().Add(after)
	w.setDeadline()
}

// disarm says that the server owes nothing.
func (w *wire) disarm() { w.arm("", 0) }

// end closes the connection; the first cause stays.
func (w *wire) end(cause error) {
	w.closing.Do(func() {
		w.mu.Lock()
		w.cause = cause
		w.mu.Unlock()
		close(w.quit)
		w.raw.Close()
	})
}

// ended returns why the connection ended, or nil while it is up.
func (w *wire) ended() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cause
}

// readLine reads one physical line, without its CRLF or LF. The slice is good
// until the next read.
func (w *wire) readLine() ([]byte, error) {
	line, err := w.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		long := append([]byte(nil), line...)
		for err == bufio.ErrBufferFull && len(long) <= maxLine {
			line, err = w.r.ReadSlice('\n')
			long = append(long, line...)
		}
		line = long
	}
	if len(line) > maxLine {
		return nil, fmt.Errorf("%w: a line of over %d octets", ErrProtocol, maxLine)
	}
	if err != nil {
		return nil, err
	}
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, nil
}

// send writes one line of ours. shown is what the debug log may see of it.
func (w *wire) send(line, shown string) error {
	w.log("C: ", shown)
	_, err := w.put([]byte(line + "\r\n"))
	return err
}

// put writes under the write deadline, and lifts it again: TLS writes by itself
// while we read.
func (w *wire) put(p []byte) (int, error) {
	// go-imap's reader has gone, and would never answer: so this must fail even
	// on a connection that takes octets after Close.
	if cause := w.ended(); cause != nil {
		return 0, cause
	}
	packed, err := w.pack(p)
	if err != nil {
		w.end(err)
		return 0, err
	}
	w.conn.SetWriteDeadline(time.Now().Add(w.write))
	n, err := w.conn.Write(packed)
	w.out.Add(int64(n))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &TimeoutError{Wait: "room on the network for a command", After: w.write}
	}
	if err != nil {
		w.end(err)
		return 0, err
	}
	w.conn.SetWriteDeadline(time.Time{})
	return len(p), nil
}

func (w *wire) log(side, line string) {
	if w.debug == nil {
		return
	}
	const most = 1000
	line = w.veil.overString(line)
	if len(line) > most {
		line = fmt.Sprintf("%s... <%d octets more>", line[:most], len(line)-most)
	}
	w.debug(side + clean(line))
}

// readStatus is parseStatus with the secrets blotted out of what is for people.
func (w *wire) readStatus(rest []byte) (st status, ok bool) {
	st, ok = parseStatus(rest)
	if !ok || w.veil == nil {
		return st, ok
	}
	p := parser{rest}
	kind := p.token()
	if over := w.veil.over(p.b); len(over) != len(p.b) || !bytes.Equal(over, p.b) {
		said, _ := parseStatus(append(append(bytes.Clone(kind), ' '), over...))
		st.text = said.text
		if word, _, _ := strings.Cut(st.code, " "); !forPrograms[strings.ToUpper(word)] {
			st.code = said.code
		}
	}
	return st, true
}

// forPrograms are the response codes whose arguments are read.
var forPrograms = map[string]bool{
	"CAPABILITY": true, "UIDVALIDITY": true, "UIDNEXT": true, "HIGHESTMODSEQ": true, "PERMANENTFLAGS": true, "COPYUID": true, "APPENDUID": true,
	"UNSEEN": true, "MODIFIED": true,
}

// pack compresses what is to be written.
func (w *wire) pack(p []byte) ([]byte, error) {
	if w.packed == nil {
		return p, nil
	}
	w.packed.Reset()
	err := flate.StatelessDeflate(w.packed, p, false, nil)
	return w.packed.Bytes(), err
}
