package imapclient_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
)

// A real server, by each of the three ways in.
func TestDovecot(t *testing.T) {
	d := realserver.Dovecot(t)
	for n := range 1200 {
		d.Deliver("INBOX", imaptest.Body(n+1))
	}
	d.Append("FBL/Yahoo", imaptest.Body(1))
	d.Append("Entw&APw-rfe", imaptest.Body(1))
	credentials := func(o *imapclient.Options) {
		o.Login = func(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
			return imapclient.Credentials{Username: d.User(), Password: imapclient.Secret(d.Password())}, ch.Last
		}
	}
	for _, way := range []struct {
		name     string
		security imapclient.Security
		addr     string
	}{
		{"plain", imapclient.NoTLS, d.PlainAddr()},
		{"STARTTLS", imapclient.STARTTLS, d.PlainAddr()},
		{"TLS", imapclient.ImplicitTLS, d.TLSAddr()},
	} {
		t.Run(way.name, func(t *testing.T) {
			host, port := split(t, way.addr)
			h := &recorder{}
			opts := imapclient.Options{Account: "test", Host: host, Port: port, Security: way.security, TLS: &tls.Config{RootCAs: d.CA()}, Handler: h}
			credentials(&opts)
			c, err := imapclient.Dial(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ctx := t.Context()
			lists, err := c.List(ctx, "*")
			if err != nil || len(lists) < 3 {
				t.Fatal(lists, err)
			}
			names := fmt.Sprint(lists)
			for _, name := range []string{"INBOX", "FBL/Yahoo", "Entwürfe"} {
				if !bytes.Contains([]byte(names), []byte(name)) {
					t.Errorf("no %s in %s", name, names)
				}
				st, err := c.Status(ctx, name)
				if err != nil || st.Messages == nil || *st.Messages == 0 || st.UIDValidity == nil {
					t.Errorf("Status(%s): %+v, %v", name, st, err)
				}
			}
			sel, err := c.Examine(ctx, "INBOX")
			if err != nil || sel.Exists < 1200 || !sel.ReadOnly || sel.UIDValidity == 0 || sel.UIDNext <= 1200 {
				t.Fatal(sel, err)
			}
			uids, err := c.Search(ctx, 1, 0)
			if err != nil || len(uids) != int(sel.Exists) {
				t.Fatal(len(uids), err)
			}
			n := 0
			for m, err := range c.Fetch(ctx, append(uids, 100_000), 1000) {
				if err != nil {
					t.Fatal(err)
				}
				if m.UID == 100_000 {
					if !m.Gone {
						t.Errorf("a message that never was: %+v", m)
					}
					continue
				}
				if n < 1200 && (!bytes.Equal(m.Body, imaptest.Body(n+1)) || m.Size != int64(len(imaptest.Body(n+1))) || time.Since(m.InternalDate) > time.Hour) {
					t.Fatalf("message %d: %q, %d, %v", m.UID, m.Body, m.Size, m.InternalDate)
				}
				n++
				m.Release()
			}
			if n != len(uids) {
				t.Errorf("%d messages of %d", n, len(uids))
			}
			woken := make(chan error, 1)
			go func() {
				time.Sleep(200 * time.Millisecond)
				d.Append("INBOX", imaptest.Body(9999))
				woken <- nil
			}()
			wake, err := c.Idle(ctx, 20*time.Second)
			if wake != imapclient.WakeExists || err != nil {
				t.Fatal(wake, err)
			}
			<-woken
			got := 0
			for m, err := range c.FetchFrom(ctx, sel.UIDNext, 1000) {
				if err != nil || !bytes.Equal(m.Body, imaptest.Body(9999)) {
					t.Fatal(m, err)
				}
				got++
			}
			if got != 1 {
				t.Errorf("%d new messages", got)
			}
			if wake, err := c.Idle(ctx, 50*time.Millisecond); wake != imapclient.WakeTimeout || err != nil {
				t.Error(wake, err)
			}
			if err := c.Logout(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("no trust", func(t *testing.T) {
		host, port := split(t, d.TLSAddr())
		opts := imapclient.Options{Host: host, Port: port}
		credentials(&opts)
		_, err := imapclient.Dial(t.Context(), opts)
		if unknown := (x509.UnknownAuthorityError{}); !errors.As(err, &unknown) {
			t.Errorf("error: %v", err)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		host, port := split(t, d.PlainAddr())
		_, err := imapclient.Dial(t.Context(), imapclient.Options{Host: host, Port: port, Security: imapclient.NoTLS, Login: trials("wrong", "wrong again")})
		var auth *imapclient.AuthError
		var re *imapclient.ResponseError
		if !errors.As(err, &auth) || !errors.As(err, &re) || re.Code != "AUTHENTICATIONFAILED" {
			t.Errorf("error: %v", err)
		}
	})
}
