package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// selected is a session that may change INBOX.
func selected(t *testing.T, s *imaptest.Server) *imapclient.Client {
	t.Helper()
	c := dialed(t, s, nil)
	if _, err := c.Select(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	return c
}

// moving is a server where somebody else has marked message 3 \Deleted.
func moving(caps ...string) func(*imaptest.Server) {
	return func(s *imaptest.Server) {
		s.AddMailbox("Done")
		s.Caps = append(s.Caps, caps...)
		s.SetFlags("INBOX", 3, `\Deleted`)
	}
}

// commandFacts are of what is sent.
var commandFacts = []fact{
	{
		name: "item 9: an empty UID set", goimap: dies,
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			return b.comes(func() error { return b.Fetch(imap.UIDSet{}, prefix).Close() })
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := session(t, s, nil)
			if got, err := bodies(t.Context(), c, nil, 1000); err != nil || got != nil {
				t.Errorf("%v, %v", got, err)
			}
			intact(t, c)
			if n := len(sent(s, "UID FETCH")); n != 1 {
				t.Errorf("%d FETCHes", n)
			}
		},
	},
	{
		name: "item 9: a bad flag", goimap: dies,
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			return b.comes(func() error {
				return b.Store(uids(1, 1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{"a b"}}, nil).Close()
			})
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := selected(t, s)
			if err := c.Store(t.Context(), []uint32{1}, "a b"); err == nil {
				t.Error("no error")
			}
			intact(t, c)
		},
	},
	{
		name: "item 9: ID leaves an error behind", goimap: `imapwire: expected atom, got "("`,
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			if _, err := b.ID(nil).Wait(); err != nil {
				t.Fatal(err)
			}
			if got := b.noop(); got != works { // it shows at the end, in place of the reason
				t.Errorf("NOOP %s", got)
			}
			return strings.TrimPrefix(fmt.Sprint(b.Close()), "in response: cannot read tag: ")
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := session(t, s, nil)
			if err := c.Close(); err != nil || len(sent(s, "ID ")) != 1 {
				t.Errorf("%d IDs, %v", len(sent(s, "ID ")), err)
			}
		},
	},
	{
		name: "item 9: ENABLE QRESYNC", goimap: fails,
		server: func(s *imaptest.Server) { s.Caps = append(s.Caps, "ENABLE", "CONDSTORE", "QRESYNC") },
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			if got := b.comes(func() error { _, err := b.Enable("CONDSTORE").Wait(); return err }); got != fails {
				return "CONDSTORE " + got
			}
			return b.comes(func() error { _, err := b.Enable("QRESYNC").Wait(); return err })
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c := dialed(t, s, nil)
			if _, err := c.ExamineSince(t.Context(), "INBOX", imapclient.Since{}); err != nil {
				t.Fatal(err)
			}
			want(t, sent(s, "ENABLE"), "ENABLE QRESYNC")
			s.Expunge("INBOX", 3) // by VANISHED from now on
			if err := c.Noop(t.Context()); err != nil {
				t.Error(err)
			}
		},
	},
	{
		name: "item 10: MOVE by COPY that was refused", server: moving("UIDPLUS"),
		goimap: "the message is lost: " + `2 [] 3 [\Deleted] and `,
		bare:   func(t *testing.T, b *bare) string { return b.moveAway(t, "None") },
		ours:   notMoved("None"),
	},
	{
		name: "item 10: MOVE without UIDPLUS", server: moving(),
		goimap: "the message is moved: " + `2 [] and 1 []`, // and somebody's message 3 is gone
		bare:   func(t *testing.T, b *bare) string { return b.moveAway(t, "Done") },
		ours:   notMoved("Done"),
	},
	{
		name: "item 10: EXPUNGE without UIDPLUS", server: moving(), goimap: "1 [] 2 []",
		bare: func(t *testing.T, b *bare) string {
			b.open(t)
			if err := b.Expunge().Close(); err != nil {
				t.Fatal(err)
			}
			return contents(b.s, "INBOX")
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			if err := selected(t, s).Expunge(t.Context(), []uint32{1}); !errors.Is(err, imapclient.ErrNoUIDPlus) {
				t.Errorf("error: %v", err)
			}
			want(t, []string{contents(s, "INBOX")}, `1 [] 2 [] 3 [\Deleted]`)
		},
	},
	{
		name: "item 13: no XOAUTH2 in go-sasl", goimap: byNature, server: tokensOnly,
		ours: func(t *testing.T, s *imaptest.Server) {
			opts := options(s, nil)
			opts.Login = token("right")
			c, err := imapclient.Dial(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if got := sent(s, "AUTHENTICATE"); len(got) != 1 || !strings.HasPrefix(got[0], "AUTHENTICATE XOAUTH2 ") {
				t.Errorf("sent %q", got)
			}
		},
	},
	{
		// What go-sasl leaves unanswered swallows the next command.
		name: "item 13: a session behind a refused token", goimap: fails + ", then " + hangs, server: bearers,
		bare: func(t *testing.T, b *bare) string {
			conn := b.dial(t)
			defer conn.Close()
			first := b.comes(func() error {
				return b.Authenticate(sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: "user", Token: "wrong"}))
			})
			return first + ", then " + b.noop()
		},
		ours: func(t *testing.T, s *imaptest.Server) { // each trial has a connection of its own
			opts := options(s, nil)
			opts.Login = token("wrong", "right")
			c, err := imapclient.Dial(t.Context(), opts)
			if err != nil || s.Conns() != 2 {
				t.Fatalf("%d connections, %v", s.Conns(), err)
			}
			defer c.Close()
			if err := c.Noop(t.Context()); err != nil {
				t.Error(err)
			}
		},
	},
	{
		name: "the tap: IMAP4rev2 makes names raw UTF-8", goimap: `SELECT "Früher"`,
		server: func(s *imaptest.Server) {
			s.Caps = append(s.Caps, "IMAP4rev2")
			s.AddMailbox("Fr&APw-her")
		},
		bare: func(t *testing.T, b *bare) string {
			b.login(t)
			b.Select("Früher", nil).Wait()
			return strings.Join(sent(b.s, "SELECT"), ", ")
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			if _, err := dialed(t, s, nil).Examine(t.Context(), "Früher"); err != nil {
				t.Error(err)
			}
		},
	},
}

// moveAway moves message 1 and returns what is left of it.
func (b *bare) moveAway(t *testing.T, folder string) string {
	b.open(t)
	_, err := b.Move(uids(1, 1), folder).Wait()
	if err := b.Noop().Wait(); err != nil {
		t.Fatal(err)
	}
	inbox, there := contents(b.s, "INBOX"), contents(b.s, "Done")
	if err != nil && !strings.Contains(inbox+there, "1") {
		return "the message is lost: " + inbox + " and " + there
	}
	return "the message is moved: " + inbox + " and " + there
}

func notMoved(folder string) func(*testing.T, *imaptest.Server) {
	return func(t *testing.T, s *imaptest.Server) {
		c := selected(t, s)
		if err := c.Move(t.Context(), []uint32{1}, folder); !errors.Is(err, imapclient.ErrNoMove) {
			t.Errorf("error: %v", err)
		}
		want(t, []string{contents(s, "INBOX") + contents(s, "Done")}, `1 [] 2 [] 3 [\Deleted]`)
	}
}

// tokensOnly is how Microsoft 365 lets in.
func tokensOnly(s *imaptest.Server) {
	s.Caps = append(slices.DeleteFunc(s.Caps, func(c string) bool { return strings.HasPrefix(c, "AUTH=") }), "AUTH=XOAUTH2")
	s.Token = "right"
}

func bearers(s *imaptest.Server) {
	s.Caps, s.Token = append(s.Caps, "AUTH=OAUTHBEARER"), "right"
}

// token logs in by one token after the other.
func token(trials ...imapclient.Secret) func(context.Context, imapclient.Challenge) (imapclient.Credentials, error) {
	return func(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
		if ch.Trial > len(trials) {
			return imapclient.Credentials{}, ch.Last
		}
		return imapclient.Credentials{Username: "user", Token: trials[ch.Trial-1]}, nil
	}
}
