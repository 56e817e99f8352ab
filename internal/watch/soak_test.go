package watch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/sqlite"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// TestSoakMillion sweeps a million messages into SQLite, over connections that
// are cut at random. The memory must not grow with the number of messages.
func TestSoakMillion(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("FBLWATCH_SOAK"), 10, 64)
	if err != nil {
		t.Skip("left out a sweep of a million messages: make soak")
	}
	const messages, size = 1_000_000, 320
	s := &endless{messages: messages, random: rand.New(rand.NewPCG(seed, 0))}
	s.message = func(n int) []byte { return sample.Report(n, size) }
	l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "fblwatch.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := account(nil, l)
	a.IMAP.Dial = s.dial
	a.pause = func(time.Duration) <-chan time.Time { return time.After(time.Millisecond) }
	done, known, quarter := 0, 0, 0
	var heaps []uint64
	a.Committed = func(c ledger.Committed) {
		done, known = done+c.Messages, known+c.Duplicates
		if done*4/messages > quarter {
			quarter = done * 4 / messages
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			heaps = append(heaps, m.HeapInuse>>10)
			t.Logf("%d messages, %d connections, %d KiB of heap in use", done, s.conns, m.HeapInuse>>10)
		}
	}
	start := time.Now()
	for a.Run(t.Context(), true) != nil { // cut before it had logged in
		if s.conns > 10_000 {
			t.Fatal("no end to the connections")
		}
	}
	t.Logf("%d messages in %v over %d connections, %d of them read twice", done, time.Since(start).Round(time.Second), s.conns, known)
	if first, last := heaps[0], heaps[len(heaps)-1]; last > first+8<<10 {
		t.Errorf("the heap grew from %d to %d KiB", first, last)
	}
	seen, next := make([]bool, messages), 0
	for row, err := range l.Records(context.Background(), ledger.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := bytes.Cut(row.JSON, []byte(`"original_rcpt_to":"user`))
		text, _, ok := bytes.Cut(rest, []byte("@"))
		n, err := strconv.Atoi(string(text))
		if !ok || err != nil || seen[n] {
			t.Fatalf("record %d is no report of ours, or its second: %s", next, row.JSON)
		}
		seen[n] = true
		next++
	}
	if next != messages {
		t.Errorf("%d records, want %d", next, messages)
	}
	folders, err := l.Folders(t.Context())
	if err != nil || folders[0].Checkpoint.High != messages || len(folders[0].Checkpoint.Pending) != 0 {
		t.Errorf("checkpoint %+v, %v; want high %d and nothing pending", folders, err, messages)
	}
}

// endless is a server whose only mailbox holds as many messages as one likes: they
// are made as they are asked for. It knows the few commands of a sweep.
type endless struct {
	messages int
	message  func(n int) []byte // from 0
	random   *rand.Rand         // nil: no connection is cut
	came     time.Time          // all of them; zero: long ago
	conns    int
}

func (s *endless) dial(context.Context, string, string) (net.Conn, error) {
	s.conns++
	client, server := net.Pipe()
	var conn net.Conn = server
	if s.random != nil {
		conn = &cutConn{server, s.random.Int64N(32 << 20)}
	}
	go s.serve(conn)
	return client, nil
}

func (s *endless) serve(conn net.Conn) {
	defer conn.Close()
	in := newLines(conn)
	defer in.stop()
	out := bytes.NewBufferString("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")
	for {
		if _, err := out.WriteTo(conn); err != nil {
			return
		}
		line, ok := <-in.lines
		if !ok {
			return
		}
		tag, command, _ := bytes.Cut(line, []byte(" "))
		name, rest, _ := bytes.Cut(command, []byte(" "))
		if bytes.Equal(name, []byte("UID")) {
			name, rest, _ = bytes.Cut(rest, []byte(" "))
		}
		switch string(name) {
		case "CAPABILITY":
			out.WriteString("* CAPABILITY IMAP4rev1\r\n")
		case "EXAMINE":
			fmt.Fprintf(out, "* %d EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT %d] ok\r\n", s.messages, s.messages+1)
		case "SEARCH":
			out.WriteString("* SEARCH")
			s.each(bytes.TrimPrefix(bytes.TrimSpace(rest), []byte("UID ")), func(uid int) bool {
				fmt.Fprintf(out, " %d", uid)
				return true
			})
			out.WriteString("\r\n")
		case "FETCH":
			came := s.came
			if came.IsZero() {
				came = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
			}
			set, _, _ := bytes.Cut(rest, []byte(" "))
			if !s.each(set, func(uid int) bool {
				b := s.message(uid - 1)
				fmt.Fprintf(out, "* %d FETCH (UID %d INTERNALDATE \"%s\" RFC822.SIZE %d BODY[]<0> {%d}\r\n", uid, uid, came.Format("02-Jan-2006 15:04:05 -0700"), len(b), len(b))
				out.Write(b)
				out.WriteString(")\r\n")
				if out.Len() < 32<<10 {
					return true
				}
				_, err := out.WriteTo(conn)
				return err == nil
			}) {
				return
			}
		}
		fmt.Fprintf(out, "%s OK done\r\n", tag)
	}
}

// each runs do for the UIDs of a set until it returns false.
func (s *endless) each(set []byte, do func(uid int) bool) bool {
	for part := range bytes.SplitSeq(set, []byte(",")) {
		lo, hi, ok := bytes.Cut(part, []byte(":"))
		from, _ := strconv.Atoi(string(lo))
		to := from
		if ok {
			if to, _ = strconv.Atoi(string(hi)); string(hi) == "*" {
				to = s.messages
			}
		}
		for uid := from; uid <= min(to, s.messages); uid++ {
			if !do(uid) {
				return false
			}
		}
	}
	return true
}

// cutConn closes itself behind so many octets written.
type cutConn struct {
	net.Conn
	left int64
}

func (c *cutConn) Write(p []byte) (int, error) {
	n := min(int64(len(p)), c.left)
	c.left -= n
	k, err := c.Conn.Write(p[:n])
	if err == nil && n < int64(len(p)) {
		c.Conn.Close()
		err = io.ErrClosedPipe
	}
	return k, err
}

// lines reads ahead, as a socket's buffer does.
type lines struct {
	lines chan []byte
	quit  chan struct{}
}

func newLines(r io.Reader) *lines {
	l := &lines{make(chan []byte, 16), make(chan struct{})}
	go func() {
		defer close(l.lines)
		var b []byte
		for buf := make([]byte, 4096); ; {
			line, rest, ok := bytes.Cut(b, []byte("\r\n"))
			if ok {
				select {
				case l.lines <- bytes.Clone(line):
				case <-l.quit:
					return
				}
				b = rest
				continue
			}
			n, err := r.Read(buf)
			if b = append(b, buf[:n]...); err != nil {
				return
			}
		}
	}()
	return l
}

func (l *lines) stop() { close(l.quit) }

// BenchmarkSweepInMemory is a sweep of 20,000 messages without a network, from a
// server that costs next to nothing, into SQLite.
func BenchmarkSweepInMemory(b *testing.B) {
	const many = 20_000
	s := &endless{messages: many, message: func(n int) []byte { return messageOf(n, 6100) }}
	for n := range many {
		s.message(n)
	}
	for b.Loop() {
		l, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "fblwatch.db"))
		if err != nil {
			b.Fatal(err)
		}
		a := account(nil, l)
		a.IMAP.Dial = s.dial
		if err := a.Run(b.Context(), true); err != nil {
			b.Fatal(err)
		}
		l.Close()
	}
	b.ReportMetric(float64(b.N*many)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(0, "ns/op")
}
