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

// wire is the connection below the tap: deadlines, debug log, and the reason for its
// end. One goroutine at a time reads; everything else may come from any.
type wire struct {
	conn     net.Conn // to read and write: TCP or TLS
	raw      net.Conn // to close: the Close of TLS may wait for the peer
	r        *bufio.Reader
	write    time.Duration
	debug    func(line string) // nil: off
	veil     *veil             // of the credentials; nil: nothing is secret
	packed   *bytes.Buffer     // compressed octets to write; nil: DEFLATE is off
	in, out  atomic.Int64      // octets of conn
	inflated atomic.Int64      // octets of in after decompression; 0 without DEFLATE
	quit     chan struct{}     // closed with the connection
	closing  sync.Once

	paid int64 // octets of bodies that were asked for; the reading side has it

	mu    sync.Mutex
	wait  string        // what the server owes
	after time.Duration // its longest silence; 0: nothing is due
	by    time.Time     // not zero: due at this time in any case
	begun time.Time     // when the wait began
	spent time.Duration // in reading since then, without bodies
	body  bool          // a body is being read, which may take long
	cause error
}

func newWire(conn net.Conn, write time.Duration, debug func(string)) *wire {
	w := &wire{conn: conn, raw: conn, write: write, debug: debug, quit: make(chan struct{})}
	w.r = bufio.NewReaderSize(armed{w}, wireBuffer)
	return w
}

// armed reads under the current deadline. Time counts from the start of each read,
// so a slow reader on our side never makes a server late.
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

// An answer may take so many times its longest silence in all, if other lines come
// meanwhile (inLines) and in any case (inAll). Without this a server that sends an
// octet now and then would never be late.
const (
	inLines = 10
	inAll   = 120
)

// total is the limit of the whole answer. Call it with mu held.
func (w *wire) total() time.Duration { return inAll * w.after }

// setDeadline sets the deadline of the next read. Call it with mu held.
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

// tardy is an error if an answer takes too long although other lines come.
func (w *wire) tardy() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.after == 0 || w.spent < inLines*w.after {
		return nil
	}
	return &TimeoutError{Wait: w.wait, After: inLines * w.after}
}

// anew starts the wait again.
func (w *wire) anew() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun, w.spent = time.Now(), 0
}

// inBody sets whether a body is read.
func (w *wire) inBody(is bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.body = is
}

// arm notes that the server owes an answer. wait names it, after is its longest
// silence.
func (w *wire) arm(wait string, after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.wait != wait {
		w.begun, w.spent = time.Now(), 0
	}
	w.wait, w.after, w.by = wait, after, time.Time{}
	w.setDeadline()
}

// armTotal is arm for an answer that must be complete after that time.
func (w *wire) armTotal(wait string, after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wait, w.after, w.by = wait, after, time.Now().Add(after)
	w.setDeadline()
}

// disarm notes that the server owes nothing.
func (w *wire) disarm() { w.arm("", 0) }

// end closes the connection. The first cause counts.
func (w *wire) end(cause error) {
	w.closing.Do(func() {
		w.mu.Lock()
		w.cause = cause
		w.mu.Unlock()
		close(w.quit)
		w.raw.Close()
	})
}

// ended returns why the connection ended, or nil if it is open.
func (w *wire) ended() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cause
}

// readLine reads one physical line, without its CRLF or LF. The slice is valid until
// the next read.
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

// send writes one line. The debug log gets shown.
func (w *wire) send(line, shown string) error {
	w.log("C: ", shown)
	_, err := w.put([]byte(line + "\r\n"))
	return err
}

// put writes under the write deadline, and then removes the deadline, because TLS
// writes by itself during reads.
func (w *wire) put(p []byte) (int, error) {
	// After the end no answer comes, so this must fail even on a connection that
	// accepts octets after Close.
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

// readStatus is parseStatus without the secrets in what is for people.
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

// forPrograms are the response codes whose arguments the program reads.
var forPrograms = map[string]bool{
	"CAPABILITY": true, "UIDVALIDITY": true, "UIDNEXT": true, "HIGHESTMODSEQ": true, "PERMANENTFLAGS": true, "COPYUID": true, "APPENDUID": true,
	"UNSEEN": true, "MODIFIED": true,
}

// pack compresses octets to write, if DEFLATE is on.
func (w *wire) pack(p []byte) ([]byte, error) {
	if w.packed == nil {
		return p, nil
	}
	w.packed.Reset()
	err := flate.StatelessDeflate(w.packed, p, false, nil)
	return w.packed.Bytes(), err
}
