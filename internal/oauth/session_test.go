package oauth

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/oauthtest"
)

// Sessions of an hour's tokens, at a server that takes the token with the given
// number only.
func TestSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &oauthtest.Issuer{Rotate: true}
		s := loggedIn(t, issuer, account(t))
		server := imaptest.New()
		defer server.Close()
		server.Caps = []string{"IMAP4rev1", "SASL-IR", "AUTH=XOAUTH2"}
		options := imapclient.Options{
			Host: "localhost", Security: imapclient.NoTLS, Insecure: true, Dial: server.Dial,
			Login: func(ctx context.Context, c imapclient.Challenge) (imapclient.Credentials, error) {
				if c.Trial > 2 {
					return imapclient.Credentials{}, c.Last
				}
				token, expires, err := s.Token(ctx, c.Trial)
				return imapclient.Credentials{Username: "user", Token: token, Expires: expires}, err
			},
		}
		session := func(token string) error {
			server.Token = token // no connection is open
			client, err := imapclient.Dial(t.Context(), options)
			if err != nil {
				return err
			}
			if left := time.Until(client.Expires()); left <= 0 || left > time.Hour {
				t.Errorf("the token of the session expires in %v", left)
			}
			_ = client.Logout(t.Context())
			synctest.Wait()
			return nil
		}
		steps := []struct {
			after    time.Duration
			token    string // that the server takes
			conns    int    // that it took
			renewals int    // in all
			refused  bool
		}{
			{0, "access-c4n4ry-1", 1, 0, false},
			{40 * time.Minute, "access-c4n4ry-1", 1, 0, false},
			{5 * time.Minute, "access-c4n4ry-2", 1, 1, false},  // renewed ahead of its end
			{10 * time.Minute, "access-c4n4ry-3", 2, 2, false}, // the server's clock is ahead: refused, replaced at once
			{10 * time.Second, "none", 2, 2, true},             // too young to be the reason
			{time.Minute, "none", 2, 3, true},
			{time.Second, "none", 2, 3, true}, // and nothing loops
			{time.Second, "none", 2, 3, true},
			{24 * time.Hour, "access-c4n4ry-5", 1, 4, false}, // the machine slept
		}
		for n, step := range steps {
			time.Sleep(step.after)
			before := server.Conns()
			err := session(step.token)
			if (err != nil) != step.refused || err != nil && !errors.As(err, new(*imapclient.AuthError)) {
				t.Errorf("step %d: %v", n, err)
			}
			if conns := server.Conns() - before; conns != step.conns || renewals(issuer) != step.renewals {
				t.Errorf("step %d: %d connections, %d renewals", n, conns, renewals(issuer))
			}
			synctest.Wait()
		}
		issuer.Revoke()
		time.Sleep(time.Hour)
		if err := session("none"); !errors.Is(err, ErrRevoked) {
			t.Errorf("revoked: %v", err)
		}
	})
}
