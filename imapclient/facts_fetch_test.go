package imapclient_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	goimap "github.com/emersion/go-imap/v2/imapclient"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// prefix asks for what our Fetch asks for.
var prefix = &imap.FetchOptions{
	UID: true, InternalDate: true, RFC822Size: true,
	BodySection: []*imap.FetchItemBodySection{{Peek: true, Partial: &imap.SectionPartial{Size: 1000}}},
}

// uids is a set from lo to hi; 0 is "*".
func uids(lo, hi imap.UID) imap.UIDSet { return imap.UIDSet{{Start: lo, Stop: hi}} }

// fetch is what a FETCH of the three messages comes to, and the octets it gave by
// UID.
func (b *bare) fetch(t *testing.T) (string, map[imap.UID]int) {
	t.Helper()
	got := make(map[imap.UID]int)
	return b.comes(func() error {
		messages, err := b.Fetch(uids(1, 3), prefix).Collect()
		for _, m := range messages {
			for _, section := range m.BodySection {
				got[m.UID] += len(section.Bytes)
			}
		}
		return err
	}), got
}

// fetchFacts are of reading messages.
var fetchFacts = []fact{
	{
		name: "item 5: a literal cut by a close", goimap: "5 octets of 28, <nil>",
		server: func(s *imaptest.Server) {
			s.Hook = func(st imaptest.Step) imaptest.Action {
				if st.UID == 2 && st.Part == imaptest.Literal {
					return imaptest.Action{Do: imaptest.Cut, After: 5}
				}
				return imaptest.Action{}
			}
		},
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			cmd := b.Fetch(uids(2, 2), prefix)
			msg := cmd.Next()
			for item := msg.Next(); item != nil; item = msg.Next() {
				if body, ok := item.(goimap.FetchItemDataBodySection); ok {
					octets, err := io.ReadAll(body.Literal)
					<-b.Closed()
					return fmt.Sprintf("%d octets of %d, %v", len(octets), body.Literal.Size(), err)
				}
			}
			return "no body"
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			got, err := bodies(t.Context(), session(t, s, nil), []uint32{1, 2, 3}, 1000)
			want(t, got, message(1))
			if fetch, ok := err.(*imapclient.FetchError); !ok || fetch.UID != 2 {
				t.Errorf("error: %v", err)
			}
		},
	},
	slotTaken("item 6: flags ahead of the message take its slot", func(s *imaptest.Server) { s.Hook = before("* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n") }),
	slotTaken("item 6: UID behind the literal", func(s *imaptest.Server) {
		s.Shape = func(_ int, uid uint32) imaptest.Shape { return imaptest.Shape{UIDLast: uid == 2} }
	}),
	{
		name: "item 6: no answer for a message", goimap: works + " map[1:28 3:28]",
		server: func(s *imaptest.Server) {
			s.Shape = func(_ int, uid uint32) imaptest.Shape { return imaptest.Shape{Missing: uid == 2} }
		},
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			got, octets := b.fetch(t)
			return fmt.Sprint(got, " ", octets)
		},
		ours: func(t *testing.T, s *imaptest.Server) { // asked for once more, then SEARCH lists it still
			got, err := bodies(t.Context(), session(t, s, nil), []uint32{1, 2, 3}, 1000)
			if err != nil {
				t.Fatal(err)
			}
			want(t, got, message(1), message(3), `2 "withheld"`)
			if n := len(sent(s, "UID FETCH")); n != 2 {
				t.Errorf("%d FETCHes", n)
			}
			want(t, sent(s, "UID SEARCH"), "UID SEARCH UID 2")
			s.Expunge("INBOX", 2)
			if got, err = bodies(t.Context(), session(t, s, nil), []uint32{1, 2, 3}, 1000); err != nil {
				t.Fatal(err)
			}
			want(t, got, message(1), message(3), `2 "gone"`)
		},
	},
	{
		name: "item 7: FETCHes in flight, drained one after the other", goimap: hangs,
		server: func(s *imaptest.Server) { // a message of the second is sent in the first
			for uid := 4; uid <= 1500; uid++ {
				s.Append("INBOX", imaptest.Body(uid))
			}
			s.Hook = func(st imaptest.Step) imaptest.Action {
				if st.Command == "UID FETCH" && st.UID == 2 && strings.HasPrefix(st.Text, "* ") {
					b := imaptest.Body(1400)
					return imaptest.Action{Before: fmt.Sprintf("* 1400 FETCH (UID 1400 RFC822.SIZE %d BODY[]<0> {%d}\r\n%s)\r\n", len(b), len(b), b)}
				}
				return imaptest.Action{}
			}
		},
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			first, second := b.Fetch(uids(1, 1000), prefix), b.Fetch(uids(1001, 1500), prefix)
			got := b.comes(first.Close)
			if err := second.Close(); err != nil { // as soon as somebody drains it, both go on
				t.Error(err)
			}
			return got
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := session(t, s, nil)
			asked := make([]uint32, 1500)
			for i := range asked {
				asked[i] = uint32(i + 1)
			}
			got, err := bodies(t.Context(), c, asked, 1000)
			slices.Sort(got)
			if n := len(slices.Compact(got)); err != nil || n != 1500 || len(got) != 1500 {
				t.Errorf("%d messages, %d different, %v", len(got), n, err)
			}
		},
	},
	{
		name: "item 8: a consumer that stalls in a literal", goimap: dies,
		server: func(s *imaptest.Server) {
			for range 3 {
				s.Append("INBOX", bytes.Repeat([]byte("x"), 300_000))
			}
		},
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			all := *prefix
			all.BodySection = []*imap.FetchItemBodySection{{Peek: true}}
			return b.comes(func() error {
				cmd := b.Fetch(uids(4, 6), &all)
				time.Sleep(6 * time.Minute)
				return cmd.Close()
			})
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := session(t, s, nil)
			octets := 0
			for m, err := range c.Fetch(t.Context(), []uint32{4, 5, 6}, 1<<20) {
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(6 * time.Minute)
				octets += len(m.Body)
			}
			if err := c.Noop(t.Context()); err != nil || octets != 900_000 {
				t.Errorf("%d octets, then %v", octets, err)
			}
		},
	},
	{
		name: "item 8: a literal holds up what is behind it", goimap: "EXISTS behind 1m0s",
		server: func(s *imaptest.Server) {
			for range 3 {
				s.Append("INBOX", bytes.Repeat([]byte("x"), 300_000))
			}
			s.Hook = at(imaptest.Tagged, "UID FETCH", imaptest.Action{Before: "* 9 EXISTS\r\n"})
		},
		bare: func(t *testing.T, b *bare) string {
			var start time.Time
			exists := make(chan time.Duration, 1)
			b.opts.UnilateralDataHandler = &goimap.UnilateralDataHandler{Mailbox: func(data *goimap.UnilateralDataMailbox) {
				if data.NumMessages != nil && *data.NumMessages == 9 {
					exists <- time.Since(start)
				}
			}}
			b.open(t)
			start = time.Now()
			cmd := b.Fetch(uids(4, 6), prefix)
			time.Sleep(time.Minute)
			if err := cmd.Close(); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint("EXISTS behind ", <-exists)
		},
		ours: func(t *testing.T, s *imaptest.Server) { // all is read while the first message is looked at
			c := session(t, s, nil)
			var first, last int64
			for _, err := range c.Fetch(t.Context(), []uint32{4, 5, 6}, 1<<20) {
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				last = c.Stats().In
				first = cmp.Or(first, last)
			}
			if first < 900_000 || first != last {
				t.Errorf("%d octets behind the first message, %d behind the last", first, last)
			}
		},
	},
	{
		name: "item 12: n:* names the last message", goimap: "[3]",
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			if messages, err := b.Fetch(uids(9, 0), prefix).Collect(); err != nil || len(messages) != 0 {
				t.Errorf("%v, %v", messages, err) // of a FETCH it is dropped
			}
			found, err := b.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{uids(9, 0)}}, nil).Wait()
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(found.AllUIDs())
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := session(t, s, nil)
			for m, err := range c.FetchFrom(t.Context(), 9, 1000) {
				t.Errorf("%v, %v", m, err)
			}
			if found, err := c.Search(t.Context(), 9, 0); err != nil || len(found) != 0 {
				t.Errorf("%v, %v", found, err)
			}
		},
	},
	{
		name: "item 14: Collect takes new memory for every message", goimap: "over",
		server: func(s *imaptest.Server) { manyLarge(s) },
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			return takes(func() {
				all := imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}
				cmd := b.Fetch(uids(4, 0), &all)
				for m := cmd.Next(); m != nil; m = cmd.Next() {
					if _, err := m.Collect(); err != nil {
						t.Error(err)
					}
				}
				if err := cmd.Close(); err != nil {
					t.Error(err)
				}
			})
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := session(t, s, nil)
			if got := takes(func() {
				for m, err := range c.FetchFrom(t.Context(), 4, 1<<20) {
					if err != nil {
						t.Fatal(err)
					}
					m.Release()
				}
			}); got != "under" {
				t.Errorf("%s half of the messages' octets", got)
			}
		},
	},
	{
		name: "item 14: a buffer of 4 KiB under a connection", goimap: "4096 octets at once",
		bare: func(t *testing.T, b *bare) string {
			defer b.s.Close()
			c, err := b.s.Dial(t.Context(), "tcp", "")
			if err != nil {
				t.Fatal(err)
			}
			conn := &widest{Conn: c}
			defer conn.Close()
			if err := goimap.New(conn, nil).WaitGreeting(); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprintf("%d octets at once", conn.most.Load())
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			conn := &widest{}
			opts := options(s, nil)
			opts.Dial = func(ctx context.Context, network, addr string) (c net.Conn, err error) {
				conn.Conn, err = s.Dial(ctx, network, addr)
				return conn, err
			}
			c, err := imapclient.Dial(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if n := conn.most.Load(); n != 64<<10 {
				t.Errorf("%d octets at once", n)
			}
		},
	},
	{
		name: "item 15: FETCH items come in the order of a map", goimap: "in several orders",
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			for range 50 {
				if got, n := b.fetch(t); got != works || len(n) != 3 {
					t.Fatal(got, n)
				}
			}
			if len(orders(b.s)) < 2 {
				return "in one order"
			}
			return "in several orders"
		},
		ours: func(t *testing.T, s *imaptest.Server) { // so the server parses
			c := session(t, s, nil)
			for range 50 {
				intact(t, c)
			}
			for order := range orders(s) {
				for _, item := range []string{"(UID ", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[]<0.1000>)"} {
					if !strings.Contains(order, item) {
						t.Errorf("no %q in %q", item, order)
					}
				}
			}
		},
	},
}

// slotTaken is a FETCH in which the second of three messages has no body. go-imap
// says OK after it.
func slotTaken(name string, server func(*imaptest.Server)) fact {
	return fact{
		name: name, server: server, goimap: works + " map[1:28 3:28]",
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			got, octets := b.fetch(t)
			return fmt.Sprint(got, " ", octets)
		},
		ours: func(t *testing.T, s *imaptest.Server) { intact(t, session(t, s, nil)) },
	}
}

// widest notes how much is read at once.
type widest struct {
	net.Conn
	most atomic.Int64
}

func (w *widest) Read(p []byte) (int, error) {
	w.most.Store(max(w.most.Load(), int64(len(p))))
	return w.Conn.Read(p)
}

const (
	large = 64 << 10 // octets
	many  = 400
)

func manyLarge(s *imaptest.Server) {
	b := bytes.Repeat([]byte("x"), large)
	for range many {
		s.Append("INBOX", b)
	}
}

// takes reports whether it takes more memory than half of the messages' octets.
func takes(f func()) string {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if after.TotalAlloc-before.TotalAlloc > large*many/2 {
		return "over"
	}
	return "under"
}

// orders are the different FETCHes that were sent.
func orders(s *imaptest.Server) map[string]bool {
	all := make(map[string]bool)
	for _, line := range s.Transcript() {
		if _, items, ok := strings.Cut(line, " UID FETCH "); ok {
			all[items] = true
		}
	}
	return all
}
