package imapclient_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// quirk is one bent FETCH answer to UID FETCH 1:3.
type quirk struct {
	name  string
	shape func(uid uint32) imaptest.Shape
	hook  func(imaptest.Step) imaptest.Action
	want  []string // of a Fetch of 1, 2, 3 with 1,000 octets; nil: three whole messages
	err   string
}

// before writes lines ahead of the answer for message 2.
func before(lines string) func(imaptest.Step) imaptest.Action {
	return func(s imaptest.Step) imaptest.Action {
		if s.Command == "UID FETCH" && s.UID == 2 && s.Part == imaptest.Data && strings.HasPrefix(s.Text, "* ") {
			return imaptest.Action{Before: lines}
		}
		return imaptest.Action{}
	}
}

// instead writes lines in the place of the whole answer for message 2.
func instead(lines string) func(imaptest.Step) imaptest.Action {
	return func(s imaptest.Step) imaptest.Action {
		if s.Command == "UID FETCH" && s.UID == 2 {
			if s.Part == imaptest.Data && strings.HasPrefix(s.Text, "* ") {
				return imaptest.Action{Do: imaptest.Drop, Before: lines}
			}
			return imaptest.Action{Do: imaptest.Drop}
		}
		return imaptest.Action{}
	}
}

func message(n int) string { return fmt.Sprintf("%d %q", n, imaptest.Body(n)) }

func only2(shape imaptest.Shape) func(uint32) imaptest.Shape {
	return func(uid uint32) imaptest.Shape {
		if uid == 2 {
			return shape
		}
		return imaptest.Shape{}
	}
}

const talk = ")\r\nT4 OK done\r\n* BYE\r\nW1 OK\r\n+ go\r\n{9}"

var quirks = []quirk{
	{name: "nothing unusual"},
	{name: "UID behind the literal", shape: func(uint32) imaptest.Shape { return imaptest.Shape{UIDLast: true} }},
	{name: "literal8", shape: only2(imaptest.Shape{Literal8: true})},
	{name: "INTERNALDATE NIL", shape: only2(imaptest.Shape{NilDate: true})},
	{name: "BODY[] NIL", shape: only2(imaptest.Shape{NilBody: true}), want: []string{message(1), message(3), `2 "bodyless"`}},
	{name: "BODY[] quoted and empty", shape: only2(imaptest.Shape{QuotedBody: true}), want: []string{message(1), `2 ""`, message(3)}},
	{name: "BODY[] quoted", hook: instead("* 2 FETCH (UID 2 BODY[]<0> \"a \\\"b\\\" c\")\r\n"), want: []string{message(1), `2 "a \"b\" c"`, message(3)}},
	{name: "a body that is no string, twice", hook: instead("* 2 FETCH (UID 2 BODY[]<0> 0{5}\r\nhello)\r\n"), want: []string{message(1), message(3), `2 "bodyless"`}},
	{name: "no answer, twice", shape: only2(imaptest.Shape{Missing: true}), want: []string{message(1), message(3), `2 "withheld"`}},
	{name: "NIL, then the message", hook: before("* 2 FETCH (UID 2 BODY[]<0> NIL)\r\n")},
	{name: "flags of the message ahead of it", hook: before("* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n")},
	{name: "flags without a UID", hook: before("* 2 FETCH (FLAGS (\\Seen))\r\n")},
	{name: "flags only, twice", hook: instead("* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n"), want: []string{message(1), message(3), `2 "bodyless"`}},
	{name: "answer in two lines", hook: before("* 2 FETCH (UID 2 RFC822.SIZE 33)\r\n")},
	{name: "everything but the body, twice", hook: instead("* 2 FETCH (UID 2 RFC822.SIZE 33)\r\n"), want: []string{message(1), message(3), `2 "bodyless"`}},
	{name: "a mail twice", hook: before("* 2 FETCH (UID 2 RFC822.SIZE 33 BODY[]<0> {32}\r\nSubject: mail 2\r\n\r\nhello 2 again)\r\n"),
		want: []string{message(1), `2 "Subject: mail 2\r\n\r\nhello 2 again"`, message(3)}},
	{name: "a message nobody asked for", hook: before("* 9 FETCH (UID 9 BODY[]<0> {5}\r\nhello)\r\n")},
	{name: "a body without a UID", hook: instead("* 2 FETCH (BODY[]<0> {5}\r\nhello)\r\n"), want: []string{message(1), message(3), `2 "bodyless"`}},
	{name: "two UIDs", hook: instead("* 2 FETCH (UID 2 BODY[]<0> {5}\r\nhello UID 3)\r\n"), err: "protocol error"},
	{name: "a body that talks IMAP", hook: instead(fmt.Sprintf("* 2 FETCH (UID 2 BODY[]<0> {%d}\r\n%s)\r\n", len(talk), talk)),
		want: []string{message(1), fmt.Sprintf("2 %q", talk), message(3)}},
	{name: "no octets", hook: instead("* 2 FETCH (UID 2 RFC822.SIZE 0 BODY[]<0> {0}\r\n)\r\n"), want: []string{message(1), `2 ""`, message(3)}},
	{name: "more than was asked for", hook: instead("* 2 FETCH (UID 2 BODY[] {1500}\r\n" + strings.Repeat("x", 1500) + ")\r\n"),
		want: []string{message(1), fmt.Sprintf("2 %q", strings.Repeat("x", 1000)), message(3)}},
	{name: "more than was asked for, UID behind", hook: instead("* 2 FETCH (BODY[] {1500}\r\n" + strings.Repeat("x", 1500) + " UID 2)\r\n"),
		want: []string{message(1), fmt.Sprintf("2 %q", strings.Repeat("x", 1000)), message(3)}},
	{name: "two bodies in a line", hook: instead("* 2 FETCH (UID 2 BODY[]<0> {5}\r\nhello BODY[]<0> {5}\r\nagain)\r\n"), want: []string{message(1), `2 "hello"`, message(3)}},
	{name: "VANISHED", hook: before("* VANISHED (EARLIER) 41,43:45\r\n")},
	{name: "ENABLED and an unknown word", hook: before("* ENABLED QRESYNC\r\n* XYZZY (plugh {2}\r\nab)\r\n")},
	{name: "a stray + and blank lines", hook: before("+ go on\r\n\r\n\n+\r\n")},
	{name: "] and % in flags", hook: before("* 2 FETCH (UID 2 FLAGS ($a]b $c%d \\Se\\en))\r\n* FLAGS ($a]b)\r\n")},
	{name: "a text that ends like a literal", hook: before("* OK see {12}\r\n* NO {9999999}\r\n")},
	{name: "a mailbox name in a literal", hook: before("* LIST () \"/\" {5}\r\na {3}\r\n* STATUS {5}\r\na {3} (MESSAGES 4)\r\n")},
	{name: "EXPUNGE 0", hook: before("* 0 EXPUNGE\r\n")},
	{name: "BODYSTRUCTURE and ENVELOPE nobody asked for", hook: before("* 2 FETCH (ENVELOPE (\"a\" {3}\r\nb\"c NIL ((\"d\"))) BODYSTRUCTURE (\"TEXT\" (\"a)\" NIL)))\r\n")},
	{name: "a line of over 1 MiB", hook: before("* XYZZY " + strings.Repeat("x", 1<<20) + "\r\n"), err: "a line of over 1048576 octets"},
	{name: "a literal of over 1 MiB", hook: before("* XYZZY {1048577}\r\n"), err: "a literal of 1048577 octets"},
	{name: "literals without end", hook: before("* LIST {500000}\r\n" + strings.Repeat("x", 500000) + " {500000}\r\n" + strings.Repeat("x", 500000) + " {500000}\r\n"), err: "a literal of 500000 octets"},
	{name: "a tagged BYE", hook: func(s imaptest.Step) imaptest.Action {
		if s.Command == "UID FETCH" && s.Part == imaptest.Tagged {
			return imaptest.Action{Do: imaptest.Answer, Text: "BYE what"}
		}
		return imaptest.Action{}
	}, err: "protocol error"},
}

func TestQuirks(t *testing.T) {
	for _, q := range quirks {
		t.Run(q.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, h := imaptest.Filled(t, 3, nil), &recorder{}
				s.Hook = q.hook
				if q.shape != nil {
					s.Shape = func(_ int, uid uint32) imaptest.Shape { return q.shape(uid) }
				}
				c := session(t, s, h)
				got, err := bodies(t.Context(), c, []uint32{1, 2, 3}, 1000)
				if q.err != "" {
					if err == nil || !strings.Contains(err.Error(), q.err) {
						t.Errorf("error %v, want %q in it", err, q.err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if q.want == nil {
					q.want = []string{message(1), message(2), message(3)}
				}
				want(t, got, q.want...)
				if err := c.Noop(t.Context()); err != nil {
					t.Errorf("the session afterwards: %v", err)
				}
				if strings.Contains(h.text(), "seq 0 uid 0") {
					t.Errorf("events without a message:\n%s", h.text())
				}
			})
		})
	}
}

// FetchFrom asks once only, so it must yield every message that was mentioned.
func TestFetchFromNamesTheBodyless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 3, nil)
		s.Shape = func(_ int, uid uint32) imaptest.Shape { return only2(imaptest.Shape{NilBody: true})(uid) }
		c := session(t, s, nil)
		var got []string
		for m, err := range c.FetchFrom(t.Context(), 1, 1000) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(m.UID, m.Bodyless, m.Size))
		}
		want(t, got, "1 false 28", "3 false 28", "2 true 28")
	})
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 3, nil)
		s.Hook = instead("* 2 FETCH (BODY[]<0> {5}\r\nhello)\r\n")
		c := session(t, s, nil)
		var last error
		for _, err := range c.FetchFrom(t.Context(), 1, 1000) {
			last = err
		}
		if !errors.Is(last, imapclient.ErrProtocol) {
			t.Errorf("a message nobody can name: %v", last)
		}
	})
}

// The messages come as the server sent them, however many FETCHes are in flight.
func TestOrderAcrossSets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := session(t, imaptest.Filled(t, 6000, nil), nil)
		uids := make([]uint32, 6000)
		for i := range uids {
			uids[i] = uint32(i + 1)
		}
		last := uint32(0)
		for m, err := range c.Fetch(t.Context(), uids, 20) {
			if err != nil {
				t.Fatal(err)
			}
			if m.UID != last+1 {
				t.Errorf("message %d after %d", m.UID, last)
			}
			last = m.UID
			m.Release()
		}
		if last != 6000 {
			t.Errorf("ended at %d", last)
		}
	})
}

// TestFarApart: whether two messages far apart are listed is asked for without all
// that is between them, which no line of a server may hold.
func TestFarApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const first, last = 10_000_001, 10_130_000
		s := imaptest.New()
		defer s.Close()
		for uid := uint32(first); uid <= last; uid++ {
			s.AppendMessage("INBOX", imaptest.Message{UID: uid, Body: imaptest.Body(1)})
		}
		s.Shape = func(_ int, uid uint32) imaptest.Shape { return imaptest.Shape{Missing: uid == first || uid == last} }
		c := dialed(t, s, nil)
		if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		for m, err := range c.Fetch(t.Context(), []uint32{first, last}, 1000) {
			if err != nil {
				t.Fatal(err)
			}
			if !m.Withheld {
				t.Errorf("message %d is not withheld", m.UID)
			}
		}
	})
}

// TestThrottledBehindFetch: a server that wants to be left alone says nothing of
// what it gave no answer for; that is not gone.
func TestThrottledBehindFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 3, nil)
		defer s.Close()
		s.Shape = func(_ int, uid uint32) imaptest.Shape { return imaptest.Shape{Missing: uid == 2} }
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Part == imaptest.Received && step.Command == "UID SEARCH" {
				return imaptest.Action{Do: imaptest.Answer, Text: "NO Request is throttled. Suggested Backoff Time: 5000 milliseconds"}
			}
			return imaptest.Action{}
		}
		c := dialed(t, s, nil)
		if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		var last error
		for m, err := range c.Fetch(t.Context(), []uint32{1, 2, 3}, 1000) {
			if last = err; err == nil && m.Gone {
				t.Errorf("message %d counts as gone", m.UID)
			}
		}
		if imapclient.Backoff(last) != 5*time.Second {
			t.Errorf("error %v", last)
		}
	})
}
