package realserver

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
)

func TestDovecot(t *testing.T) {
	d := Dovecot(t)
	d.Deliver("INBOX", body(100), body(200))
	d.Deliver("FBL/2026", body(300))
	d.Append("FBL/2026", body(400))
	d.Append("New", body(500))

	c := dial(t, d.PlainAddr())
	c.Line()
	if got := c.ok("LOGIN fbl secret"); !strings.Contains(got[0], "NOTIFY") || !strings.Contains(got[0], "COMPRESS=DEFLATE") {
		t.Errorf("no NOTIFY or COMPRESS in %q", got)
	}
	names := strings.Join(c.ok(`LIST "" *`), "\n")
	for _, name := range []string{"INBOX", "FBL/2026", "New"} {
		if !strings.Contains(names, `"/" `+name) {
			t.Errorf("no %s in %q", name, names)
		}
	}
	c.ok("EXAMINE INBOX")
	if got := c.ok("UID FETCH 1:* (RFC822.SIZE)"); got[0] != "* 1 FETCH (UID 1 RFC822.SIZE 100)" || got[1] != "* 2 FETCH (UID 2 RFC822.SIZE 200)" {
		t.Errorf("INBOX holds %q", got)
	}
	c.ok("EXAMINE FBL/2026")
	if got := c.ok("UID FETCH 1:* (RFC822.SIZE)"); got[0] != "* 1 FETCH (UID 1 RFC822.SIZE 300)" || got[1] != "* 2 FETCH (UID 2 RFC822.SIZE 400)" {
		t.Errorf("FBL/2026 holds %q", got)
	}
	if got, err := dial(t, d.PlainAddr()).Ask("LOGIN fbl wrong"); err != nil || !strings.HasPrefix(got[len(got)-1], "NO [AUTHENTICATIONFAILED]") {
		t.Errorf("a wrong password: %q, %v", got, err)
	}
	if got, err := dial(t, d.PlainAddr()).Ask("LOGIN other secret"); err != nil || !strings.HasPrefix(got[len(got)-1], "NO [AUTHENTICATIONFAILED]") {
		t.Errorf("another user: %q, %v", got, err)
	}

	for _, addr := range []string{d.TLSAddr(), d.PlainAddr()} {
		c := dial(t, addr)
		if addr == d.PlainAddr() {
			c.Line()
			c.ok("STARTTLS")
		}
		c = newClient(t, tls.Client(c.Conn, &tls.Config{RootCAs: d.CA(), ServerName: "127.0.0.1"}))
		c.ok("LOGIN fbl secret")
	}
}

func TestRawFetch(t *testing.T) {
	d := Dovecot(t)
	messages := make([][]byte, 3000)
	for i := range messages {
		messages[i] = body(1000)
	}
	start := time.Now()
	d.Deliver("FBL", messages...)
	t.Logf("%d messages delivered in %v", len(messages), time.Since(start))
	octets, err := imaptest.RawFetch(d.PlainAddr(), d.User(), d.Password(), "FBL", 100)
	if err != nil {
		t.Fatal(err)
	}
	// What the answer must hold: the octets themselves, and their frame but
	// for the numbers, of 1 to 4 digits each.
	frame := len(`*  FETCH (UID  INTERNALDATE "23-Nov-2026 19:00:00 +0000" RFC822.SIZE 1000 BODY[]<0> {100})`) + len("\r\n\r\n")
	digits := 2 * (9 + 90*2 + 900*3 + 2001*4)
	least := int64(len(messages)*(frame+100) + digits)
	if octets < least || octets > least+200 {
		t.Errorf("%d octets, want the %d of the messages and a tagged line", octets, least)
	}
	if _, err := imaptest.RawFetch(d.PlainAddr(), d.User(), d.Password(), "Missing", 100); err == nil {
		t.Error("no error for a missing folder")
	}
	if _, err := imaptest.RawFetch(d.PlainAddr(), d.User(), "wrong", "FBL", 100); err == nil {
		t.Error("no error for a wrong password")
	}
}

func TestRawIdle(t *testing.T) {
	d := Dovecot(t)
	idle, err := imaptest.RawIdle(d.PlainAddr(), d.User(), d.Password(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	for n := range uint32(3) {
		before := time.Now()
		d.Append("INBOX", body(100))
		select {
		case a := <-idle.Arrivals:
			if a.N != n+1 || a.At.Before(before) {
				t.Errorf("arrival %+v, want %d", a, n+1)
			}
			t.Logf("EXISTS after %v", a.At.Sub(before))
		case <-time.After(20 * time.Second):
			t.Fatal("no EXISTS")
		}
	}
}

// A port that was taken between its choice and its use is noticed, even where
// something that looks like Dovecot answers on it.
func TestDovecotPortTaken(t *testing.T) {
	d := Dovecot(t)
	d.stop()
	if err := d.setUp(); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", d.PlainAddr())
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte("* OK Dovecot ready.\r\n"))
			conn.Close()
		}
	}()
	err = d.start()
	ln.Close()
	if err == nil || !strings.Contains(err.Error(), "another server is on "+d.PlainAddr()) || !strings.Contains(err.Error(), "Address already in use") {
		t.Errorf("started with %v", err)
	}
	if d.keeper != nil || len(d.programs) > 0 {
		t.Error("its processes are left")
	}
	if err := d.setUp(); err != nil {
		t.Fatal(err)
	}
	if err := d.start(); err != nil {
		t.Error(err)
	}
}

// What is not there, or too new, is named.
func TestDovecotBinary(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "dovecot")
	t.Setenv("PATH", dir)
	for version, want := range map[string]string{
		"2.3.19.1 (9b53102964)": "",
		"2.4.1-4 (7d8c0bc)":     "",
		"2.5.0 (0123456)":       "dovecot 2.5.0 found, but these tests can configure 2.3 and 2.4 only",
	} {
		if err := os.WriteFile(path, []byte("#!/bin/sh\necho '"+version+"'\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if _, _, err := dovecotBinary(); want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: %v, want %q", version, err, want)
		}
	}
}
