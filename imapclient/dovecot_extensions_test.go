package imapclient_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
)

// dovecotClient logs in on the plain port.
func dovecotClient(t *testing.T, d *realserver.DovecotServer, h callbacks.Handler) *imapclient.Client {
	t.Helper()
	host, port := split(t, d.PlainAddr())
	c, err := imapclient.Dial(t.Context(), imapclient.Options{
		Account: "test", Host: host, Port: port, Security: imapclient.NoTLS, Handler: h,
		Login: once(imapclient.Credentials{Username: d.User(), Password: imapclient.Secret(d.Password())}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestDovecotResync(t *testing.T) {
	d := realserver.Dovecot(t)
	for n := range 6 {
		d.Append("INBOX", imaptest.Body(n+1))
	}
	h := &recorder{}
	c := dovecotClient(t, d, h)
	first, err := c.ExamineSince(t.Context(), "INBOX", imapclient.Since{})
	if err != nil || first.HighestModSeq == 0 || first.Resynced {
		t.Fatalf("%+v, %v", first, err)
	}
	d.Do("SELECT INBOX")
	d.Do(`UID STORE 6 +FLAGS (\Deleted)`)
	d.Do("EXPUNGE")
	deadline := time.Now().Add(20 * time.Second)
	for len(h.events("mm_expunged")) == 0 && time.Now().Before(deadline) {
		if err := c.Noop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	want(t, h.events("mm_expunged"), "mm_expunged test/INBOX seq 0 uid 6")
	second, err := c.ExamineSince(t.Context(), "INBOX", imapclient.Since{})
	if err != nil || second.HighestModSeq <= first.HighestModSeq {
		t.Fatalf("%+v, %v", second, err)
	}
	c.Close()

	d.Do(`UID STORE 2,4 +FLAGS (\Deleted)`)
	d.Do("EXPUNGE")
	d.Do(`UID STORE 3 +FLAGS (\Seen $Junk)`)
	d.Append("INBOX", imaptest.Body(7))
	h = &recorder{}
	c = dovecotClient(t, d, h)
	again, err := c.SelectSince(t.Context(), "INBOX", imapclient.Since{UIDValidity: second.UIDValidity, ModSeq: second.HighestModSeq, UID: 6})
	if err != nil || !again.Resynced || again.Exists != 4 || again.HighestModSeq <= second.HighestModSeq || again.ReadOnly {
		t.Errorf("%+v, %v", again, err)
	}
	events := h.events("mm_expunged", "mm_flags")
	for _, event := range []string{"mm_expunged test/INBOX seq 0 uid 2", "mm_expunged test/INBOX seq 0 uid 4"} {
		if !slices.Contains(events, event) {
			t.Errorf("no %q in\n%s", event, strings.Join(events, "\n"))
		}
	}
	if !slices.ContainsFunc(events, func(e string) bool {
		return strings.HasPrefix(e, "mm_flags test/INBOX") && strings.Contains(e, "uid 3 [")
	}) {
		t.Errorf("no flags of message 3 in\n%s", strings.Join(events, "\n"))
	}
	if text := strings.Join(events, "\n"); strings.Contains(text, "uid 1\n") || strings.Contains(text, "uid 5\n") {
		t.Errorf("messages that are left:\n%s", text)
	}
	for m, err := range c.FetchFrom(t.Context(), 7, 1000) {
		if err != nil || string(m.Body) != string(imaptest.Body(7)) {
			t.Error(m, err)
		}
	}
}

func TestDovecotNotify(t *testing.T) {
	d := realserver.Dovecot(t)
	for _, name := range []string{"INBOX", "FBL/Yahoo", "FBL/Other"} {
		d.Append(name, imaptest.Body(1))
	}
	h := &recorder{}
	c := dovecotClient(t, d, h)
	if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
		t.Fatal(err)
	}
	if err := c.Notify(t.Context(), "INBOX", "FBL/Yahoo", "FBL/None"); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		time.AfterFunc(100*time.Millisecond, func() { d.Append("FBL/Other", imaptest.Body(n)); d.Append("FBL/Yahoo", imaptest.Body(n)) })
		if wake, err := c.Idle(t.Context(), 20*time.Second); wake != imapclient.WakeOther || err != nil {
			t.Fatal(wake, err)
		}
		want(t, c.Changed(), "FBL/Yahoo")
		time.AfterFunc(100*time.Millisecond, func() { d.Append("INBOX", imaptest.Body(n)) })
		if wake, err := c.Idle(t.Context(), 20*time.Second); wake != imapclient.WakeExists || err != nil {
			t.Fatal(wake, err)
		}
	}
	// It survives another mailbox, and INBOX is the other one now.
	if _, err := c.Examine(t.Context(), "FBL/Yahoo"); err != nil {
		t.Fatal(err)
	}
	c.Changed()
	time.AfterFunc(100*time.Millisecond, func() { d.Append("INBOX", imaptest.Body(9)) })
	if wake, err := c.Idle(t.Context(), 20*time.Second); wake != imapclient.WakeOther || err != nil {
		t.Fatal(wake, err)
	}
	want(t, c.Changed(), "INBOX")
	if events := strings.Join(h.events("mm_status"), "\n"); !strings.Contains(events, "mm_status test/FBL/Yahoo messages") {
		t.Errorf("events:\n%s", events)
	}
	if err := c.Notify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDovecotFolders(t *testing.T) {
	d := realserver.Dovecot(t, realserver.Quotas)
	d.Append("FBL/Yahoo", imaptest.Body(1))
	d.Append("Entw&APw-rfe", imaptest.Body(1))
	d.Do(`SUBSCRIBE "Entw&APw-rfe"`)
	h := &recorder{}
	c := dovecotClient(t, d, h)
	lists, err := c.LSub(t.Context(), "*")
	if err != nil || len(lists) != 1 || lists[0].Mailbox != "Entwürfe" {
		t.Errorf("%v, %v", lists, err)
	}
	want(t, h.events("mm_lsub"), "mm_lsub Entwürfe '/' []")
	if prefix, delim, err := c.Namespace(t.Context()); prefix != "" || delim != '/' || err != nil {
		t.Errorf("%q, %q, %v", prefix, delim, err)
	}
	quotas, err := c.Quota(t.Context(), "Entwürfe")
	if err != nil || len(quotas) != 2 {
		t.Fatal(quotas, err)
	}
	want(t, []string{fmt.Sprint(quotas[0].Resource, quotas[0].Limit), fmt.Sprint(quotas[1].Resource, quotas[1].Used, quotas[1].Limit)}, "STORAGE10240", "MESSAGE2 1000")
}
