package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
)

// acting is a server with n messages that offers all that actions need.
func acting(tb testing.TB, n int, caps ...string) *imaptest.Server {
	s := imaptest.Filled(tb, n, nil)
	s.AddMailbox("Done")
	s.Caps = append(s.Caps, caps...)
	return s
}

// contents lists the UIDs of a mailbox, with the flags of each.
func contents(s *imaptest.Server, mailbox string) string {
	var got []string
	for _, m := range s.Messages(mailbox) {
		got = append(got, fmt.Sprint(m.UID, m.Flags))
	}
	return strings.Join(got, " ")
}

func TestActions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := acting(t, 9, "MOVE", "UIDPLUS"), &recorder{}
		defer s.Close()
		s.SetFlags("INBOX", 9, `\Deleted`) // somebody else's
		c := dialed(t, s, h)
		sel, err := c.Select(t.Context(), "INBOX")
		if err != nil || sel.ReadOnly {
			t.Fatal(sel, err)
		}
		step := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		step(c.Store(t.Context(), []uint32{3, 1, 2, 2, 7, 77}, `\Seen`, "$Done"))
		step(c.Create(t.Context(), "Entwürfe"))
		step(c.Create(t.Context(), "Entwürfe"))
		step(c.Copy(t.Context(), []uint32{1, 2}, "Entwürfe"))
		step(c.Move(t.Context(), []uint32{3, 4}, "Done"))
		step(c.Store(t.Context(), []uint32{5}, `\Deleted`))
		step(c.Expunge(t.Context(), []uint32{4, 5, 6}))
		step(c.Store(t.Context(), nil, `\Seen`)) // for nobody
		step(c.Store(t.Context(), []uint32{1}))  // nothing
		step(c.Expunge(t.Context(), nil))
		step(c.Move(t.Context(), nil, "Done"))
		step(c.Copy(t.Context(), nil, "Done"))
		want(t, sent(s, "UID", "CREATE", "SELECT"),
			"SELECT INBOX",
			`UID STORE 1:3,7,77 +FLAGS.SILENT (\Seen $Done)`,
			`CREATE "Entw&APw-rfe"`, `CREATE "Entw&APw-rfe"`,
			`UID COPY 1:2 "Entw&APw-rfe"`,
			`UID MOVE 3:4 "Done"`,
			`UID STORE 5 +FLAGS.SILENT (\Deleted)`,
			"UID EXPUNGE 4:6")
		want(t, []string{contents(s, "INBOX")}, `1 [\Seen $Done] 2 [\Seen $Done] 6 [] 7 [\Seen $Done] 8 [] 9 [\Deleted]`)
		want(t, []string{contents(s, "Entw&APw-rfe")}, `1 [\Seen $Done] 2 [\Seen $Done]`)
		want(t, []string{contents(s, "Done")}, `1 [\Seen $Done] 2 []`)
		want(t, h.events("mm_expunged"), "mm_expunged test/INBOX seq 3 uid 0", "mm_expunged test/INBOX seq 3 uid 0", "mm_expunged test/INBOX seq 3 uid 0")
		got, err := bodies(t.Context(), c, []uint32{1, 3, 6}, 1000)
		step(err)
		want(t, got, message(1), message(6), `3 "gone"`)
	})
}

// What a server cannot do is refused before anything is sent.
func TestActionsRefused(t *testing.T) {
	ctx := context.Background()
	uids := []uint32{1, 2}
	readOnly := func(s *imaptest.Server) {
		s.Hook = func(st imaptest.Step) imaptest.Action {
			if st.Command == "SELECT" && st.Part == imaptest.Tagged {
				return imaptest.Action{Do: imaptest.Answer, Text: "OK [READ-ONLY] as you see"}
			}
			return imaptest.Action{}
		}
	}
	keeps := func(flags string) func(*imaptest.Server) {
		return func(s *imaptest.Server) {
			s.Hook = func(st imaptest.Step) imaptest.Action {
				if strings.Contains(st.Text, "[PERMANENTFLAGS") {
					return imaptest.Action{Do: imaptest.Drop, Before: flags}
				}
				return imaptest.Action{}
			}
		}
	}
	pass := func(*imaptest.Server) {}
	type client = imapclient.Client
	all := []string{"MOVE", "UIDPLUS"}
	for _, test := range []struct {
		name    string
		caps    []string
		change  func(*imaptest.Server)
		examine bool
		do      func(*client) error
		err     error // nil: it is done
	}{
		{"no MOVE", []string{"UIDPLUS"}, pass, false, func(c *client) error { return c.Move(ctx, uids, "Done") }, imapclient.ErrNoMove},
		{"no UIDPLUS", []string{"MOVE"}, pass, false, func(c *client) error { return c.Expunge(ctx, uids) }, imapclient.ErrNoUIDPlus},
		{"examined: Store", all, pass, true, func(c *client) error { return c.Store(ctx, uids, `\Seen`) }, imapclient.ErrReadOnly},
		{"examined: Move", all, pass, true, func(c *client) error { return c.Move(ctx, uids, "Done") }, imapclient.ErrReadOnly},
		{"examined: Expunge", all, pass, true, func(c *client) error { return c.Expunge(ctx, uids) }, imapclient.ErrReadOnly},
		{"examined: Copy", all, pass, true, func(c *client) error { return c.Copy(ctx, uids, "Done") }, nil},
		{"read-only: Store", all, readOnly, false, func(c *client) error { return c.Store(ctx, uids, `\Seen`) }, imapclient.ErrReadOnly},
		{"read-only: Move", all, readOnly, false, func(c *client) error { return c.Move(ctx, uids, "Done") }, imapclient.ErrReadOnly},
		{"read-only: Expunge", all, readOnly, false, func(c *client) error { return c.Expunge(ctx, uids) }, imapclient.ErrReadOnly},
		{"a flag that is not kept", all, keeps("* OK [PERMANENTFLAGS (\\Seen)] x\r\n"), false, func(c *client) error { return c.Store(ctx, uids, `\Deleted`) }, imapclient.ErrNoFlag},
		{"a keyword that is not kept", all, keeps("* OK [PERMANENTFLAGS (\\Seen)] x\r\n"), false, func(c *client) error { return c.Store(ctx, uids, "$Done") }, imapclient.ErrNoFlag},
		{"no flag is kept", all, keeps("* OK [PERMANENTFLAGS ()] x\r\n"), false, func(c *client) error { return c.Store(ctx, uids, `\Seen`) }, imapclient.ErrNoFlag},
		{"flags in any case", all, keeps("* OK [PERMANENTFLAGS (\\SEEN $done)] x\r\n"), false, func(c *client) error { return c.Store(ctx, uids, `\Seen`, "$Done") }, nil},
		{"any keyword is kept", all, keeps("* OK [PERMANENTFLAGS (\\*)] x\r\n"), false, func(c *client) error { return c.Store(ctx, uids, "$Done") }, nil},
		{"any keyword, but no system flag", all, keeps("* OK [PERMANENTFLAGS (\\*)] x\r\n"), false, func(c *client) error { return c.Store(ctx, uids, `\Seen`) }, imapclient.ErrNoFlag},
		{"not told what is kept", all, keeps(""), false, func(c *client) error { return c.Store(ctx, uids, `\Seen`, "$Done") }, nil},
		{"told in part", all, keeps("* OK [PERMANENTFLAGS (a]b \\Seen)] x\r\n"), false, func(c *client) error { return c.Store(ctx, uids, "$Done") }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := acting(t, 3, test.caps...)
				defer s.Close()
				test.change(s)
				c := dialed(t, s, nil)
				open := c.Select
				if test.examine {
					open = c.Examine
				}
				if _, err := open(t.Context(), "INBOX"); err != nil {
					t.Fatal(err)
				}
				if err := test.do(c); !errors.Is(err, test.err) {
					t.Errorf("error: %v", err)
				}
				if got := sent(s, "UID", "EXPUNGE", "COPY", "MOVE", "STORE"); (len(got) > 0) != (test.err == nil) {
					t.Errorf("sent %q", got)
				}
				if err := c.Noop(t.Context()); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

// The server's own refusals reach the caller with their code, and nothing more
// is sent than was asked for.
func TestActionsAnsweredNo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := acting(t, 3, "MOVE", "UIDPLUS")
		defer s.Close()
		c := dialed(t, s, nil)
		if _, err := c.Select(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		var no *imapclient.ResponseError
		if err := c.Copy(t.Context(), []uint32{1}, "None"); !errors.As(err, &no) || no.Code != "TRYCREATE" || no.Command != "UID COPY" {
			t.Errorf("Copy: %v", err)
		}
		if err := c.Move(t.Context(), []uint32{1}, "None"); !errors.As(err, &no) || no.Code != "TRYCREATE" || no.Command != "UID MOVE" {
			t.Errorf("Move: %v", err)
		}
		want(t, sent(s, "UID"), `UID COPY 1 "None"`, `UID MOVE 1 "None"`)
		want(t, []string{contents(s, "INBOX")}, "1 [] 2 [] 3 []")
		s.Hook = at(imaptest.Received, "CREATE", imaptest.Action{Do: imaptest.Answer, Text: "NO [CANNOT] not that name"})
		if err := c.Create(t.Context(), "a/b"); !errors.As(err, &no) || no.Code != "CANNOT" {
			t.Errorf("Create: %v", err)
		}
	})
}

func TestNoFlags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := acting(t, 1)
		defer s.Close()
		c := dialed(t, s, nil)
		if _, err := c.Select(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		for _, flag := range []string{"", `\`, `\\Seen`, "a b", "a)", "a]b", "%", "*", `\*`, "a\r\nT9 NOOP", "ä", strings.Repeat("x", 101)} {
			if err := c.Store(t.Context(), []uint32{1}, `\Seen`, flag); err == nil || errors.As(err, new(*imapclient.ResponseError)) || len(err.Error()) > 200 {
				t.Errorf("%q: %v", flag, err)
			}
		}
		for _, name := range []string{"", "a\nb", strings.Repeat("x", 1001)} {
			for _, err := range []error{c.Copy(t.Context(), []uint32{1}, name), c.Move(t.Context(), []uint32{1}, name), c.Create(t.Context(), name)} {
				if err == nil || errors.As(err, new(*imapclient.ResponseError)) {
					t.Errorf("%q: %v", name, err)
				}
			}
		}
		if got := sent(s, "UID", "CREATE"); got != nil {
			t.Errorf("sent %q", got)
		}
	})
}

// No command is longer than every server takes (RFC 7162 section 4), and
// together they name each message once.
func TestLongSets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := acting(t, 1)
		defer s.Close()
		c := dialed(t, s, nil)
		if _, err := c.Select(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		var uids []uint32
		for i := range uint32(3000) {
			uids = append(uids, 4_000_000_000+3*i, 4_000_000_001+3*i)
		}
		uids = append(uids, 1<<32-1, 1)
		if err := c.Store(t.Context(), uids, `\Seen`); err != nil {
			t.Fatal(err)
		}
		var named []uint32
		commands := sent(s, "UID STORE")
		for _, command := range commands {
			if len(command) > 8192-8 {
				t.Errorf("%d octets", len(command))
			}
			for part := range strings.SplitSeq(strings.Fields(command)[2], ",") {
				var from, to uint32
				if n, _ := fmt.Sscanf(part, "%d:%d", &from, &to); n == 1 {
					to = from
				}
				for uid := uint64(from); uid <= uint64(to); uid++ {
					named = append(named, uint32(uid))
				}
			}
		}
		slices.Sort(uids)
		if !slices.Equal(named, uids) || len(commands) < 5 {
			t.Errorf("%d messages named in %d commands, want %d", len(named), len(commands), len(uids))
		}
	})
}

func TestDovecotActions(t *testing.T) {
	d := realserver.Dovecot(t)
	for n := range 6 {
		d.Append("INBOX", imaptest.Body(n+1))
	}
	d.Do("SELECT INBOX")
	d.Do(`UID STORE 6 +FLAGS (\Deleted)`) // somebody else's
	c := dovecotClient(t, d, nil)
	ctx := t.Context()
	if sel, err := c.Examine(ctx, "INBOX"); err != nil || !sel.ReadOnly {
		t.Fatal(sel, err)
	}
	if err := c.Store(ctx, []uint32{1}, `\Seen`); !errors.Is(err, imapclient.ErrReadOnly) {
		t.Errorf("examined: %v", err)
	}
	if sel, err := c.Select(ctx, "INBOX"); err != nil || sel.ReadOnly {
		t.Fatal(sel, err)
	}
	var no *imapclient.ResponseError
	if err := c.Move(ctx, []uint32{1}, "Erledigt/Früher"); !errors.As(err, &no) || no.Code != "TRYCREATE" {
		t.Errorf("no target: %v", err)
	}
	for _, err := range []error{
		c.Create(ctx, "Erledigt/Früher"), c.Create(ctx, "Erledigt/Früher"),
		c.Move(ctx, []uint32{1, 99}, "Erledigt/Früher"),
		c.Copy(ctx, []uint32{2}, "Erledigt/Früher"),
		c.Store(ctx, []uint32{2, 3}, `\Deleted`, "$Done"),
		c.Expunge(ctx, []uint32{2, 3, 4}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if uids, err := c.Search(ctx, 1, 0); err != nil || fmt.Sprint(uids) != "[4 5 6]" {
		t.Errorf("%v, %v", uids, err)
	}
	if st, err := c.Status(ctx, "Erledigt/Früher"); err != nil || *st.Messages != 2 {
		t.Errorf("%+v, %v", st, err)
	}
}
