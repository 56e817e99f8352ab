package imaptest

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDialogue(t *testing.T) {
	s := Filled(t, 0, nil)
	s.AddMailbox("FBL", `\HasChildren`)
	s.AddMailbox("FBL/2026", `\Subscribed`)
	s.AddMailbox("x", `\Noselect`)
	s.Append("INBOX", []byte("A: 1\r\n\r\nhello"))
	s.AppendMessage("INBOX", Message{UID: 7, Flags: []string{`\Seen`}, Body: []byte("B: 2\r\n\r\n"), Size: 1000,
		Date: time.Date(2025, 6, 5, 23, 0, 0, 0, time.FixedZone("", -5*3600))})
	c := dial(t, s)
	caps := "CAPABILITY IMAP4rev1 LITERAL+ SASL-IR IDLE ID UNSELECT AUTH=PLAIN AUTH=LOGIN"
	c.want("* OK [" + caps + "] imaptest ready")
	c.check("capability", "* "+caps, "OK CAPABILITY completed")
	c.check("SELECT INBOX", "BAD not now")
	c.check("LOGIN user wrong", "NO [AUTHENTICATIONFAILED] wrong user or password")
	c.check(`LOGIN "us\er" "pass"`, "OK ["+caps+"] logged in")
	c.check("LOGIN user pass", "BAD not now")
	c.check("ID NIL", `* ID ("name" "imaptest")`, "OK ID completed")

	c.check(`LIST "" %`, `* LIST () "/" "INBOX"`, `* LIST (\HasChildren) "/" "FBL"`, `* LIST (\Noselect) "/" "x"`, "OK LIST completed")
	c.check(`LIST "" "F*"`, `* LIST (\HasChildren) "/" "FBL"`, `* LIST () "/" "FBL/2026"`, "OK LIST completed")
	c.check(`LIST FBL/ %`, `* LIST () "/" "FBL/2026"`, "OK LIST completed")
	c.check(`LIST "" inbox`, `* LIST () "/" "INBOX"`, "OK LIST completed")
	c.check(`LIST "" ""`, `* LIST (\Noselect) "/" ""`, "OK LIST completed")
	c.check(`LSUB "" *`, `* LSUB () "/" "INBOX"`, `* LSUB () "/" "FBL/2026"`, "OK LSUB completed")
	c.check("STATUS inbox (UNSEEN MESSAGES UIDNEXT UIDVALIDITY SIZE)",
		`* STATUS "INBOX" (UNSEEN 1 MESSAGES 2 UIDNEXT 8 UIDVALIDITY 1 SIZE 1013)`, "OK STATUS completed")
	c.check("STATUS x (MESSAGES)", "NO [NONEXISTENT] no such mailbox")

	c.check("EXAMINE x", "NO [NONEXISTENT] no such mailbox")
	c.check("FETCH 1 UID", "BAD not now")
	c.check("EXAMINE {5+}\r\ninbox",
		`* FLAGS (\Answered \Flagged \Deleted \Seen \Draft)`, "* OK [PERMANENTFLAGS ()] flags that stay", "* 2 EXISTS", "* 0 RECENT",
		"* OK [UIDVALIDITY 1] UIDs valid", "* OK [UIDNEXT 8] predicted next UID", "OK [READ-ONLY] EXAMINE completed")
	c.check("UID SEARCH UID 2:*", "* SEARCH 7", "OK SEARCH completed")
	c.check("UID SEARCH 1:*", "* SEARCH 1 7", "OK SEARCH completed")
	c.check("SEARCH UID 9:*", "* SEARCH 2", "OK SEARCH completed")
	c.check("UID SEARCH UID 2:6", "* SEARCH", "OK SEARCH completed")
	c.check("UID SEARCH CHARSET UTF-8 SINCE 6-Jun-2025", "* SEARCH 1", "OK SEARCH completed")
	c.check("UID SEARCH ALL SINCE 5-Jun-2025 BEFORE 06-Jun-2025", "* SEARCH 7", "OK SEARCH completed")
	c.check("UID SEARCH LARGER 5", "BAD unknown SEARCH key")

	c.check("UID FETCH 9:* (RFC822.SIZE INTERNALDATE FLAGS UID)",
		`* 2 FETCH (UID 7 RFC822.SIZE 1000 INTERNALDATE " 5-Jun-2025 23:00:00 -0500" FLAGS (\Seen))`, "OK FETCH completed")
	c.check("UID FETCH 1,3:6 (BODY.PEEK[]<0.6>)", "* 1 FETCH (UID 1 BODY[]<0> {6}A: 1\r\n)", "OK FETCH completed")
	c.check("UID FETCH 1 BODY.PEEK[]<10.99>", "* 1 FETCH (UID 1 BODY[]<10> {3}llo)", "OK FETCH completed")
	c.check("UID FETCH 1 BODY.PEEK[]<99.9>", "* 1 FETCH (UID 1 BODY[]<99> {0})", "OK FETCH completed")
	c.check("FETCH 1 (BODY.PEEK[HEADER] BODY[TEXT])", "* 1 FETCH (BODY[HEADER] {8}A: 1\r\n\r\n BODY[TEXT] {5}hello)", "OK FETCH completed")
	c.check("UID FETCH 1 (BODYSTRUCTURE)", "BAD unknown FETCH item")
	c.check("UID FETCH 1 (UID", "BAD syntax error")
	c.check("NONSENSE", "BAD unknown command")
	c.check("UNSELECT", "OK UNSELECT completed")
	c.check("FETCH 1 UID", "BAD not now")
	c.check("LOGOUT", "* BYE logging out", "OK LOGOUT completed")
	c.wantEOF()
	if got := s.Flags("INBOX", 1); got != nil {
		t.Errorf("EXAMINE left flags %q", got)
	}
}

func TestSelectMarksSeen(t *testing.T) {
	s := Filled(t, 0, nil)
	s.Append("INBOX", body(20))
	c := dial(t, s)
	c.inbox()
	c.ok("SELECT INBOX")
	c.check("UID FETCH 1 BODY.PEEK[]<0.1>", "* 1 FETCH (UID 1 BODY[]<0> {1}S)", "OK FETCH completed")
	c.check("UID FETCH 1 BODY[]<0.1>", "* 1 FETCH (UID 1 BODY[]<0> {1}S)", `* 1 FETCH (UID 1 FLAGS (\Seen))`, "OK FETCH completed")
	if got := s.Flags("INBOX", 1); len(got) != 1 || got[0] != `\Seen` {
		t.Errorf("flags %q, want \\Seen", got)
	}
}

func TestLogins(t *testing.T) {
	const plain = "AHVzZXIAcGFzcw==" // \0user\0pass
	for name, dialogue := range map[string][]string{
		"PLAIN with initial response": {"C: a AUTHENTICATE PLAIN " + plain, "S: a OK "},
		"PLAIN without":               {"C: a AUTHENTICATE PLAIN", "S: + ", "C: " + plain, "S: a OK "},
		"LOGIN":                       {"C: a AUTHENTICATE LOGIN", "S: + VXNlcm5hbWU6", "C: dXNlcg==", "S: + UGFzc3dvcmQ6", "C: cGFzcw==", "S: a OK "},
		"LOGIN with initial response": {"C: a AUTHENTICATE login dXNlcg==", "S: + UGFzc3dvcmQ6", "C: cGFzcw==", "S: a OK "},
		"cancelled":                   {"C: a AUTHENTICATE PLAIN", "S: + ", "C: *", "S: a BAD "},
		"wrong":                       {"C: a AUTHENTICATE PLAIN AHVzZXIAcGFzcwo=", "S: a NO [AUTHENTICATIONFAILED] "},
		"unknown":                     {"C: a AUTHENTICATE GSSAPI", "S: a NO "},
		"synchronizing literals":      {"C: a LOGIN {4}", "S: + ", "C: user {4}", "S: + ", "C: pass", "S: a OK "},
	} {
		t.Run(name, func(t *testing.T) {
			s := Filled(t, 0, nil)
			s.QuietCaps = true
			c := dial(t, s)
			c.want("* OK imaptest ready")
			for _, step := range dialogue {
				if line, mine := strings.CutPrefix(step, "C: "); mine {
					c.send(line)
				} else if got, err := c.line(); err != nil || !strings.HasPrefix(got, step[3:]) {
					t.Fatalf("read %q, %v, want %q", got, err, step)
				}
			}
			if got := s.Transcript()[1]; got != "1 "+dialogue[0] {
				t.Errorf("the transcript has %q", got)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	ca := NewCA()
	for _, implicit := range []bool{false, true} {
		s := Filled(t, 0, nil)
		s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Certificate("imap.example.com")}}
		s.ImplicitTLS = implicit
		c := dial(t, s)
		if !implicit {
			if line, _ := c.line(); !strings.Contains(line, " STARTTLS]") {
				t.Fatalf("greeting %q has no STARTTLS", line)
			}
			c.check("STARTTLS", "OK begin TLS")
		}
		conn := tls.Client(c.conn, &tls.Config{RootCAs: ca.Pool(), ServerName: "imap.example.com"})
		c = newClient(t, conn)
		if implicit {
			c.line()
		}
		if got := c.ok("CAPABILITY"); strings.Contains(got[0], "STARTTLS") {
			t.Errorf("under TLS: %q", got[0])
		}
		c.ok("LOGIN user pass")
		c.check("STARTTLS", "BAD not now")
		if err := tls.Client(dial(t, s).conn, &tls.Config{ServerName: "other.example.com", RootCAs: ca.Pool()}).HandshakeContext(t.Context()); implicit && err == nil {
			t.Error("another name was accepted")
		}
	}
}

// Octets after the answer to STARTTLS reach the client with it, unencrypted.
func TestStartTLSInjection(t *testing.T) {
	s := Filled(t, 0, nil)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{NewCA().Certificate("imap.example.com")}}
	s.Hook = at("tagged STARTTLS", Action{Behind: "* CAPABILITY AUTH=PLAIN\r\n"})
	c := dial(t, s)
	c.line()
	c.check("STARTTLS", "OK begin TLS")
	if c.r.Buffered() == 0 {
		t.Error("nothing came along")
	}
	c.want("* CAPABILITY AUTH=PLAIN")
}

func TestServe(t *testing.T) {
	s := Filled(t, 0, nil)
	client, server := net.Pipe()
	done := make(chan struct{})
	go func() {
		s.Serve(server)
		close(done)
	}()
	c := newClient(t, client)
	c.inbox()
	c.check("LOGOUT", "* BYE logging out", "OK LOGOUT completed")
	<-done
}

func TestGreetings(t *testing.T) {
	s := Filled(t, 0, nil)
	s.Greeting = "* BYE try later"
	c := dial(t, s)
	c.want("* BYE try later")
	c.wantEOF()
	s = Filled(t, 0, nil)
	s.Greeting = "* PREAUTH welcome"
	c = dial(t, s)
	c.want("* PREAUTH welcome")
	c.ok("EXAMINE INBOX")
}

// What happens to a mailbox while it is open, as an idling client and as a
// busy one see it.
func TestPushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New()
		defer s.Close()
		for range 3 {
			s.Append("INBOX", body(20))
		}
		busy, idle := dial(t, s), dial(t, s)
		busy.inbox()
		idle.inbox()
		idle.send("i IDLE")
		idle.want("+ idling")
		time.Sleep(2 * time.Hour)
		s.Append("INBOX", body(30))
		idle.want("* 4 EXISTS")
		s.Expunge("INBOX", 2)
		idle.want("* 2 EXPUNGE")
		s.SetFlags("INBOX", 3, `\Flagged`)
		idle.want(`* 2 FETCH (UID 3 FLAGS (\Flagged))`)
		idle.send("DONE")
		idle.want("i OK IDLE completed")

		busy.check("FETCH 2:* UID", "* 3 FETCH (UID 3)", "OK FETCH completed") // 2 is gone, which FETCH must not say
		busy.check("UID FETCH 4:* UID", "* 3 FETCH (UID 3)", "* 2 EXPUNGE", "* 3 EXISTS", `* 2 FETCH (UID 3 FLAGS (\Flagged))`, "OK FETCH completed")
		busy.check("UID FETCH 4:* UID", "* 3 FETCH (UID 4)", "OK FETCH completed")

		s.SetUIDValidity("INBOX", 9)
		if got, err := busy.do("NOOP"); len(got) != 1 || got[0] != "* BYE UIDVALIDITY changed" || err == nil {
			t.Errorf("NOOP: %q, %v", got, err)
		}
		again := dial(t, s)
		again.inbox()
		again.check("STATUS INBOX (UIDVALIDITY UIDNEXT)", `* STATUS "INBOX" (UIDVALIDITY 9 UIDNEXT 4)`, "OK STATUS completed")
		again.check("UID SEARCH ALL", "* SEARCH 1 2 3", "OK SEARCH completed")
		if s.Conns() != 3 {
			t.Errorf("%d connections, want 3", s.Conns())
		}
	})
}
