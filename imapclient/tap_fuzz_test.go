package imapclient

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/callbacks"
)

// canned is a connection whose other end has said everything already.
type canned struct {
	net.Conn // nil: what is not below is not called
	r        io.Reader
}

func (c *canned) Read(p []byte) (int, error)       { return c.r.Read(p) }
func (c *canned) Write(p []byte) (int, error)      { return len(p), nil }
func (c *canned) Close() error                     { return nil }
func (c *canned) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(198, 51, 100, 1)} }
func (c *canned) SetReadDeadline(time.Time) error  { return nil }
func (c *canned) SetWriteDeadline(time.Time) error { return nil }

// seeds are server sides of sessions after the login: T1 EXAMINE, T2 UID
// SEARCH, W1 UID FETCH 1:9, W2 NOOP, W3 IDLE, and the extensions.
func seeds(f *testing.F) {
	golden, err := os.ReadFile("testdata/transcript.golden")
	if err != nil {
		f.Fatal(err)
	}
	var lines strings.Builder
	for line := range strings.Lines(string(golden)) {
		if s, ok := strings.CutPrefix(line, "mm_dlog S: "); ok {
			lines.WriteString(strings.TrimSuffix(s, "\n") + "\r\n")
		}
	}
	f.Add([]byte(lines.String()), int64(100))
	const opened = "* 3 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\nT1 OK [READ-ONLY] done\r\n* SEARCH 1 2 3\r\nT2 OK\r\n"
	f.Add([]byte("* LIST () \"/\" {3}\r\na b\r\n* LSUB (\\a) NIL x\r\n* STATUS {5}\r\na {3} (MESSAGES 4 UIDNEXT 9)\r\n* VANISHED (EARLIER) 1:3,7\r\n"), int64(5))
	for _, answer := range []string{
		"* 1 FETCH (UID 1 RFC822.SIZE 5 BODY[]<0> {5}\r\nhello)\r\n",
		"* 1 FETCH (BODY[] {5}\r\nhello UID 1)\r\n* 2 FETCH (BODY[]<0> {5}\r\nhello)\r\n",
		"* 1 FETCH (UID 1 BODY[] NIL)\r\n* 1 FETCH (UID 1 BODY[] \"a\\\"b\")\r\n* 1 FETCH (UID 1 FLAGS ($a]b %c))\r\n",
		"* 1 FETCH (UID 1 BODY[] ~{12}\r\n)\r\nW1 OK {9} INTERNALDATE NIL)\r\n* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n",
		"* 1 FETCH (UID 1 BODY[] {3}\r\nabc UID 2)\r\n",
		"* 1 FETCH (UID 77 BODY[] \"a\" BODY[] {3}\r\nabc)\r\n* 1 FETCH (UID 1 BODY[] {3}\r\nabc)\r\n* 1 FETCH (UID 1 BODY[] \"a\" BODY[] {3}\r\nabc)\r\n",
		"* 1 FETCH (BODY[] \"a\" BODY[] {3}\r\nabc UID 77)\r\n",
		"* 1 FETCH (UID 1 BODY[] {3}\r\nabc BODY[] {3}\r\nabc)\r\n* 1 FETCH (ENVELOPE ({3}\r\nabc \"d)\" NIL) UID 1 BODY[]<0> {0}\r\n)\r\n",
		"* OK see {12}\r\n+ stray\r\n\r\n* BYE {3}\r\nX OK\r\nW1 BYE\r\n",
		"* 1 FETCH (UID 1 BODY[] {4000}\r\n" + strings.Repeat("x", 4000) + ")\r\n* XYZZY {3}\r\nabc {3}\r\nabc\r\n",
	} {
		f.Add([]byte(opened+answer+"W1 OK done\r\nW2 OK\r\n+ idling\r\n* 4 EXISTS\r\nW3 OK done\r\n"), int64(1000))
	}
	const before = opened + "* 1 FETCH (UID 1 RFC822.SIZE 5 BODY[]<0> {5}\r\nhello)\r\nW1 OK\r\nW2 OK\r\nT3 OK\r\nW3 OK\r\n+ idling\r\n* 4 EXISTS\r\nW4 OK done\r\nT4 OK\r\n"
	for _, rest := range []string{
		"* LSUB (\\a) NIL {3}\r\na&b\r\nW5 OK\r\n* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\nW6 OK\r\n* QUOTAROOT a \"\"\r\n* QUOTA \"\" (STORAGE 1 2)\r\nW7 OK\r\nW8 NO [ALREADYEXISTS] x\r\n" +
			"* ENABLED QRESYNC\r\nW9 OK\r\nW10 OK\r\n* VANISHED 9\r\n* OK [CLOSED] x\r\n* FLAGS (a)\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n* OK [UIDVALIDITY 1] x\r\n* OK [HIGHESTMODSEQ 9] x\r\n* VANISHED (EARLIER) 1:4\r\n* 1 FETCH (UID 5 FLAGS (\\Seen) MODSEQ (7))\r\nW11 OK [READ-WRITE] x\r\n" +
			"W12 OK\r\nW13 NO [TRYCREATE] x\r\n* OK [COPYUID 1 1 2] x\r\n* VANISHED 1\r\nW14 OK\r\n* 1 EXPUNGE\r\nW15 OK [HIGHESTMODSEQ 10] x\r\nW16 OK\r\n+ idling\r\n* STATUS FBL (MESSAGES 4)\r\n* OK [NOTIFICATIONOVERFLOW] x\r\nW17 OK\r\nW18 OK\r\nW19 OK\r\n",
		"W5 BAD Suggested Backoff Time: 5 milliseconds\r\n* BYE [UNAVAILABLE] x\r\n",
	} {
		f.Add([]byte(before+rest), int64(1000))
		f.Add([]byte(before+rest), int64(-2))
		f.Add([]byte(before+rest), int64(-3))
	}
}

var shownAnswer = regexp.MustCompile(`^T[1-9] (OK|NO|BAD) done\r\n`)

// FuzzTap holds the tap's line framing to what it promises: whatever the server
// sends, go-imap sees tagged answers to its own commands, once each; each UID that
// was asked for becomes at most one message, whose body is what the literal framed;
// and after an error nothing more comes.
func FuzzTap(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, input []byte, prefix int64) {
		prefix = max(1, min(prefix, 1<<20))
		w := newWire(&canned{r: bytes.NewReader(input)}, time.Minute, func(string) {})
		tap := newTap(w, Timeouts{}.withDefaults(), new(Quirks))
		for tag := 1; tag <= 9; tag++ {
			fmt.Fprintf(tap, "T%d NOOP\r\n", tag)
		}
		own := make([]<-chan status, 5)
		for i := range own {
			own[i], _ = tap.inject("NOOP") // W1 to W5
		}
		tap.expect(0, 0)
		tap.ask([]uint32{1, 2, 3, 4, 5, 6, 7, 8, 9}, prefix)
		served := make(chan struct{})
		go func() {
			defer close(served)
			c := &Client{tap: tap, quirks: new(Quirks), h: callbacks.Nop{}, listing: "LSUB", asking: "a", asked: true}
			c.watched, c.next = map[string]bool{"b": true, "INBOX": true}, &callbacks.Mailbox{Name: "c"}
			defer func() { checkGathered(t, c) }()
			given := map[uint32]bool{}
			for {
				select {
				case ev, ok := <-tap.events:
					if !ok {
						return
					}
					c.serve(ev)
				case m := <-tap.messages:
					if given[m.UID] || m.UID < 1 || m.UID > 9 {
						t.Errorf("message %d was given twice, or nobody asked for it", m.UID)
					}
					given[m.UID] = true
					if int64(len(m.Body)) > prefix {
						t.Errorf("a body of %d octets, asked for %d", len(m.Body), prefix)
					}
					checkBody(t, input, m.Body, prefix)
				}
			}
		}()
		shown, err := io.ReadAll(tap)
		close(tap.events)
		<-served
		if tap.ended() == nil {
			t.Errorf("the tap read on: %v", err)
		}
		checkShown(t, shown)
		for i, answer := range own {
			select {
			case st := <-answer:
				if !bytes.Contains(input, fmt.Appendf(nil, "W%d ", i+1)) {
					t.Errorf("W%d was answered by %+v", i+1, st)
				}
			default:
			}
		}
	})
}

// checkGathered holds what events leave in a Client to its limits.
func checkGathered(t *testing.T, c *Client) {
	for name := range c.changed {
		if !c.watched[name] {
			t.Errorf("%q has changed, and nobody asked", name)
		}
	}
	if len(c.quotas) > maxQuotas || len(c.lists) > maxLists || len(c.permanent) > maxList {
		t.Errorf("%d quotas, %d mailboxes, %d flags", len(c.quotas), len(c.lists), len(c.permanent))
	}
}

func checkShown(t *testing.T, shown []byte) {
	rest, ok := bytes.CutPrefix(shown, []byte("* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n"))
	if !ok {
		t.Fatalf("no greeting in %q", shown)
	}
	given := map[string]bool{}
	for len(rest) > 0 {
		m := shownAnswer.Find(rest)
		if m == nil {
			t.Fatalf("go-imap was shown %q", rest[:min(len(rest), 100)])
		}
		tag := string(m[:2])
		if given[tag] {
			t.Fatalf("%s was answered twice", tag)
		}
		given[tag] = true
		rest = rest[len(m):]
	}
}

var literalEnd = regexp.MustCompile(`\{([0-9]+)\+?\}\r?\n`)

// checkBody looks for a literal in input that frames body.
func checkBody(t *testing.T, input, body []byte, prefix int64) {
	for _, at := range literalEnd.FindAllSubmatchIndex(input, -1) {
		size, err := strconv.ParseInt(string(input[at[2]:at[3]]), 10, 64)
		if err == nil && min(size, prefix) == int64(len(body)) && bytes.HasPrefix(input[at[1]:], body) {
			return
		}
	}
	// Otherwise it was a quoted string or an atom: its octets are there, with
	// backslashes between.
	left := body
	for _, c := range input {
		if len(left) > 0 && c == left[0] {
			left = left[1:]
		}
	}
	if len(left) > 0 {
		t.Errorf("no literal and no string in the input frames %q", body)
	}
}

// FuzzParse checks the parser against its own writer. No reader of lines may panic, or
// return more than there is.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`a"b\c`, `(\Seen $a]b "c d" ((x))) "/" {3}`, `INBOX (MESSAGES 4 UIDNEXT 9 SIZE 99999999999)`, "1 2 (MODSEQ 3)", "Entw&APw-rfe &- &", "OK [UIDNEXT 3] text", "(UID 1 BODY[HEADER.FIELDS (X)] NIL FLAGS (a b))"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p := parser{append(quote(b), " rest"...)}
		if s, ok := p.str(); s != string(b) || !ok || string(p.b) != " rest" {
			t.Fatalf("%q came back as %q, %v, rest %q", b, s, ok, p.b)
		}
		if _, _, attrs := parseList(b); len(attrs) > len(b) {
			t.Fatal("more attributes than octets")
		}
		if nums, _ := parseNumbers(b); len(nums) > len(b) {
			t.Fatal("more numbers than octets")
		}
		parseStatusLine(b)
		parseStatus(b)
		decodeUTF7(string(b))
		if s := string(b); utf8.ValidString(s) {
			if name := encodeUTF7(s); decodeUTF7(name) != s {
				t.Fatalf("%q came back as %q by %q", s, decodeUTF7(name), name)
			}
		}
		if name := mailboxArg(string(b)); strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("%q is no argument", name)
		}
		parseNamespace(b)
		if quotas := parseQuota(b); len(quotas) > len(b) {
			t.Fatal("more quotas than octets")
		}
		if wait := suggested(backoffText + string(b)); wait < 0 || wait > maxBackoff {
			t.Fatal(wait)
		}
		if status, text := parseTokenFailure(b); len(status) > 400 || len(text) > 2000 {
			t.Fatalf("%d and %d octets of why a token was refused", len(status), len(text))
		}
		uids := make([]uint32, len(b)/4)
		for i := range uids {
			uids[i] = binary.BigEndian.Uint32(b[4*i:])
		}
		for _, set := range sets(uids, 30) {
			if len(set) > 30 {
				t.Fatalf("a set of %d octets: %s", len(set), set)
			}
		}
		if line := parseFetch(1, b); len(line.body) > len(b) || len(line.flags) > len(b) {
			t.Fatal("more than there is")
		}
		if head, size, ok := literalSize(b); ok && (size < 0 || len(head) >= len(b)) {
			t.Fatalf("literal of %d behind %q", size, head)
		}
	})
}
