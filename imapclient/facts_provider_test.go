package imapclient_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

const (
	throttledText = "Request is throttled. Suggested Backoff Time: 299910 milliseconds"
	expiredText   = "Session invalidated - AccessTokenExpired"
)

// refusing answers one command with text.
func refusing(command, text string) func(*imaptest.Server) {
	return func(s *imaptest.Server) {
		s.Hook = at(imaptest.Received, command, imaptest.Action{Do: imaptest.Answer, Text: text})
	}
}

// hangingUp ends the session at a NOOP.
func hangingUp(text string) func(*imaptest.Server) {
	return func(s *imaptest.Server) { s.Hook = at(imaptest.Received, "NOOP", imaptest.Bye(text)) }
}

// says is a fact of what the server says to a NOOP: of go-imap the error's text,
// of ours how long to wait and why.
func says(name, goimap string, server func(*imaptest.Server), backoff time.Duration, why error) fact {
	return fact{
		name: name, server: server, goimap: goimap,
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			var err error
			got := b.comes(func() error { err = b.Noop().Wait(); return err })
			return fmt.Sprint(got, ": ", err)
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			err := session(t, s, nil).Noop(t.Context())
			if imapclient.Backoff(err) != backoff || !errors.Is(err, why) {
				t.Errorf("%v: wait %v", err, imapclient.Backoff(err))
			}
		},
	}
}

// wantsID opens no mailbox before ID, as 163.com and 126.com.
func wantsID(s *imaptest.Server) {
	var mu sync.Mutex
	told := map[int]bool{}
	s.Hook = func(st imaptest.Step) imaptest.Action {
		mu.Lock()
		defer mu.Unlock()
		if st.Part == imaptest.Received {
			switch st.Command {
			case "ID":
				told[st.Conn] = true
			case "SELECT", "EXAMINE":
				if !told[st.Conn] {
					return imaptest.Action{Do: imaptest.Answer, Text: "NO " + st.Command + " Unsafe Login"}
				}
			}
		}
		return imaptest.Action{}
	}
}

// offers gives a server these capabilities and no others.
func offers(caps string) func(*imaptest.Server) {
	return func(s *imaptest.Server) { s.Caps = strings.Fields(caps) }
}

// lacking is a fact about a server without extensions. It serves clients that use
// none, and we use none.
func lacking(name, caps string, lacks ...string) fact {
	return fact{
		name: name, server: offers(caps), goimap: works,
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			got, _ := b.fetch(t)
			return got
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := dialed(t, s, nil)
			if sel, err := c.ExamineSince(t.Context(), "INBOX", imapclient.Since{UIDValidity: 1, ModSeq: 1, UID: 1}); err != nil || sel.Resynced {
				t.Fatalf("%+v, %v", sel, err)
			}
			if slices.Contains(lacks, "NOTIFY") {
				if err := c.Notify(t.Context(), "INBOX"); !errors.Is(err, imapclient.ErrNoNotify) {
					t.Errorf("Notify: %v", err)
				}
			}
			if found, err := c.Search(t.Context(), 1, 0); err != nil || len(found) != 3 {
				t.Errorf("%v, %v", found, err)
			}
			intact(t, c)
			for _, line := range s.Transcript() {
				_, command, ours := strings.Cut(line, " C: ")
				for _, word := range append(lacks, "ENABLE", "RETURN") {
					if ours && strings.Contains(command, word) {
						t.Errorf("sent %q", command)
					}
				}
			}
		},
	}
}

// providerFacts are of single providers, as far as they concern one session.
var providerFacts = []fact{
	{
		name: "163, 126: ID before SELECT", server: wantsID, goimap: "imap: NO SELECT Unsafe Login",
		bare: func(t *testing.T, b *bare) string {
			b.login(t)
			_, err := b.Select("INBOX", nil).Wait()
			return fmt.Sprint(err)
		},
		ours: func(t *testing.T, s *imaptest.Server) { intact(t, session(t, s, nil)) },
	},
	{
		name: "Yahoo, AOL: ID is wanted", goimap: "no ID",
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			if len(sent(b.s, "ID ")) == 0 {
				return "no ID"
			}
			return "ID"
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			session(t, s, nil)
			if got := sent(s, "ID ", "EXAMINE "); len(got) != 2 || !strings.HasPrefix(got[0], "ID (") {
				t.Errorf("sent %q", got)
			}
		},
	},
	{
		name: "Gmail: too many connections, said to a login", goimap: "imap: NO [ALERT] Too many simultaneous connections. (Failure)",
		server: func(s *imaptest.Server) {
			s.Hook = func(st imaptest.Step) imaptest.Action {
				if st.Part == imaptest.Received && (st.Command == "LOGIN" || st.Command == "AUTHENTICATE") {
					return imaptest.Action{Do: imaptest.Answer, Text: "NO [ALERT] Too many simultaneous connections. (Failure)"}
				}
				return imaptest.Action{}
			}
		},
		bare: func(t *testing.T, b *bare) string { // as of a wrong password
			b.dial(t)
			return fmt.Sprint(b.Login("user", "pass").Wait())
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			_, err := imapclient.Dial(t.Context(), options(s, nil))
			if !errors.Is(err, imapclient.ErrTemporary) || errors.Is(err, imapclient.ErrExpired) {
				t.Errorf("error: %v", err)
			}
		},
	},
	lacking("Gmail: no QRESYNC, no NOTIFY",
		"IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS COMPRESS=DEFLATE ENABLE MOVE CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE SASL-IR AUTH=XOAUTH2 AUTH=PLAIN",
		"QRESYNC", "NOTIFY", "UTF8"),
	lacking("Microsoft 365: no ESEARCH, CONDSTORE, COMPRESS, NOTIFY",
		"IMAP4 IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS MOVE ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+",
		"QRESYNC", "CONDSTORE", "COMPRESS", "NOTIFY"),
	{
		name: "Microsoft 365: OAuth2 only", goimap: "imap: NO LOGIN failed.",
		server: func(s *imaptest.Server) { tokensOnly(s); refusing("LOGIN", "NO LOGIN failed.")(s) },
		bare: func(t *testing.T, b *bare) string {
			b.dial(t)
			return fmt.Sprint(b.Login("user", "pass").Wait())
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			if _, err := imapclient.Dial(t.Context(), options(s, nil)); err == nil || sent(s, "AUTHENTICATE") != nil {
				t.Errorf("by password: %v, sent %q", err, sent(s, "AUTHENTICATE"))
			}
			opts := options(s, nil)
			opts.Login = token("right")
			c, err := imapclient.Dial(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
		},
	},
	says("Microsoft 365: Suggested Backoff Time in a NO", "fails: imap: NO "+throttledText,
		refusing("NOOP", "NO "+throttledText), 299910*time.Millisecond, imapclient.ErrTemporary),
	says("Microsoft 365: Suggested Backoff Time in a BAD", "fails: imap: BAD "+throttledText,
		refusing("NOOP", "BAD "+throttledText), 299910*time.Millisecond, imapclient.ErrTemporary),
	says("Microsoft 365: Suggested Backoff Time in a BYE", "dies: unexpected EOF",
		hangingUp(throttledText), 299910*time.Millisecond, imapclient.ErrTemporary),
	says("Microsoft 365: AccessTokenExpired", "dies: unexpected EOF", hangingUp(expiredText), 0, imapclient.ErrExpired),
}
