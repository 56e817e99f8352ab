package watch

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// fact is one thing that servers do over hours or to many connections, and what
// comes of it: of go-imap v2.0.0-beta.8 by itself, and of a watch. What concerns
// one session only is among imapclient's facts.
type fact struct {
	name   string
	server func() *imaptest.Server // nil: of three reports
	dial   dialer                  // bends the connection; nil: none does
	goimap string                  // what bare returns; where there is no bare: why
	bare   func(t *testing.T, s *imaptest.Server, dial dialed) string
	ours   func(t *testing.T, s *imaptest.Server, dial dialed)
}

type (
	dialed func(context.Context, string, string) (net.Conn, error)
	dialer func(net.Conn) net.Conn
)

const byNature = "design"

func TestFacts(t *testing.T) {
	for _, f := range slices.Concat(
		facts,
		uidFacts,
		pollFacts,
		withheldFacts,
		searchFacts,
		lateFacts,
		dateFacts,
		octetFacts,
		actionFacts,
		idleFacts,
		tirelessFacts,
		nameFacts,
		quietFacts,
	) {
		if f.ours == nil || (f.bare == nil) != (f.goimap == byNature) {
			t.Fatalf("%s: not a whole case", f.name)
		}
		bubble := func(name string, run func(t *testing.T, s *imaptest.Server, dial dialed)) {
			t.Run(f.name+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := filled(3, 300)
					if f.server != nil {
						s = f.server()
					}
					defer s.Close()
					run(t, s, func(ctx context.Context, network, addr string) (net.Conn, error) {
						conn, err := s.Dial(ctx, network, addr)
						if err == nil && f.dial != nil {
							conn = f.dial(conn)
						}
						return conn, err
					})
				})
			})
		}
		if f.bare != nil {
			bubble("go-imap", func(t *testing.T, s *imaptest.Server, dial dialed) {
				if got := f.bare(t, s, dial); got != f.goimap {
					t.Errorf("go-imap: %s, want %s", got, f.goimap)
				}
			})
		}
		bubble("fblwatch", f.ours)
	}
}

// bare is a session of go-imap's with INBOX open.
func bare(t *testing.T, dial dialed) (*goimap.Client, error) {
	t.Helper()
	conn, err := dial(t.Context(), "tcp", "imap.example.com:143")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := goimap.New(conn, nil)
	if err := c.WaitGreeting(); err != nil {
		return c, err
	}
	if err := c.Login("user", "pass").Wait(); err != nil {
		return c, err
	}
	_, err = c.Select("INBOX", nil).Wait()
	return c, err
}

// bareIdle idles, and tells for how long that went well.
func bareIdle(t *testing.T, _ *imaptest.Server, dial dialed) string {
	start := time.Now()
	c, err := bare(t, dial)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Idle(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-c.Closed():
		return fmt.Sprint("dies behind ", time.Since(start).Round(time.Second))
	case <-time.After(24 * time.Hour):
		return "hangs"
	}
}

// arrivals watches INBOX for so long while a report comes each every, and checks
// that each is in the ledger a little later, over so many connections.
func arrivals(long, every, later time.Duration, conns int) func(*testing.T, *imaptest.Server, dialed) {
	return func(t *testing.T, s *imaptest.Server, dial dialed) {
		n, l := len(s.Messages("INBOX")), memory.New()
		a := account(s, l)
		a.IMAP.Dial = dial
		stop := whileWatching(t, a)
		for start := time.Now(); time.Since(start) < long; n++ {
			time.Sleep(every)
			s.Append("INBOX", messageOf(n, 300))
			time.Sleep(later)
			same(t, records(t, l), expected(n+1))
		}
		if got := s.Conns(); got != conns {
			t.Errorf("%d connections in %v, want %d", got, long, conns)
		}
		stop()
	}
}

// quiet is a connection on which the server, or a NAT on the way, hangs up when
// the client has sent nothing for a while.
type quiet struct {
	net.Conn
	after time.Duration
	timer *time.Timer
	gone  chan struct{} // not nil: nobody is told that it hung up
}

func hangsUp(after time.Duration) dialer {
	return func(c net.Conn) net.Conn {
		return &quiet{Conn: c, after: after, timer: time.AfterFunc(after, func() { c.Close() })}
	}
}

func forgets(after time.Duration) dialer {
	return func(c net.Conn) net.Conn {
		q := &quiet{Conn: c, after: after, gone: make(chan struct{})}
		q.timer = time.AfterFunc(after, func() { close(q.gone) })
		return q
	}
}

func (q *quiet) Write(p []byte) (int, error) {
	select {
	case <-q.gone:
		return len(p), nil // into the void
	default:
	}
	q.timer.Reset(q.after)
	return q.Conn.Write(p)
}

func (q *quiet) Read(p []byte) (int, error) {
	n, err := q.Conn.Read(p)
	select {
	case <-q.gone:
		if err == nil { // what is sent does not arrive
			return q.Read(p)
		}
	default:
	}
	return n, err
}

func (q *quiet) Close() error { q.timer.Stop(); return q.Conn.Close() }

// mortal is a connection that ends at an age.
func mortal(age time.Duration) dialer {
	return func(c net.Conn) net.Conn {
		time.AfterFunc(age, func() { c.Close() })
		return c
	}
}

// counted is a connection whose octets are counted.
type counted struct {
	net.Conn
	in *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.in.Add(int64(n))
	return n, err
}

func counting(dial dialed, in *atomic.Int64) dialed {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		return counted{c, in}, err
	}
}

// uids is a set from lo to hi; 0 is "*".
func uids(lo, hi imap.UID) imap.UIDSet { return imap.UIDSet{{Start: lo, Stop: hi}} }

// whole asks for whole messages, as the examples of go-imap do.
var whole = &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}

// fblServer has so many folders below FBL, and a report in each tenth.
func fblServer(folders int, caps ...string) func() *imaptest.Server {
	return func() *imaptest.Server {
		s := imaptest.New()
		s.Caps = append(s.Caps, caps...)
		for i, name := range fblFolders(folders) {
			s.AddMailbox(name)
			if i%10 == 0 {
				s.Append(name, messageOf(i, 0))
			}
		}
		return s
	}
}

// allowing lets in so many connections; more are refused.
func allowing(name string, most int) fact {
	return fact{
		name: name, server: fblServer(200), goimap: fmt.Sprintf("%d, then refused", most),
		bare: func(t *testing.T, s *imaptest.Server, _ dialed) string {
			d := &doors{s: s, most: most}
			for n := range 200 { // a folder each
				if _, err := bare(t, d.dial); err != nil { // the BYE, or by chance only that it is closed
					return fmt.Sprintf("%d, then refused", n)
				}
			}
			return "200"
		},
		ours: func(t *testing.T, s *imaptest.Server, _ dialed) {
			d := &doors{s: s, most: most}
			watchFolders(t, d, 20, polled)
			if d.peak > defaultConnections || d.refused > 0 {
				t.Errorf("%d connections at once, %d were refused", d.peak, d.refused)
			}
		},
	}
}

// watchFolders watches those of fblServer, and then one more report in the last.
func watchFolders(t *testing.T, d *doors, had int, later time.Duration) {
	t.Helper()
	l := memory.New()
	watching(t, d, l, nil, func() {
		time.Sleep(2 * time.Minute)
		if n := len(inFolders(t, l)); n != had {
			t.Errorf("%d records, want %d", n, had)
		}
		d.s.Append(fmt.Sprintf("FBL/%03d", had*10-1), sample.Report(1000, 0))
		time.Sleep(later)
		if n := len(inFolders(t, l)); n != had+1 {
			t.Errorf("%d records, want %d", n, had+1)
		}
	})
}

// commands lists the commands of the clients that begin so.
func commands(s *imaptest.Server, beginning string) (list []string) {
	for _, line := range s.Transcript() {
		if _, command, ok := strings.Cut(line, " C: "); ok {
			if _, command, _ = strings.Cut(command, " "); strings.HasPrefix(command, beginning) {
				list = append(list, command)
			}
		}
	}
	return list
}
