package imapclient_test

import (
	"context"
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
)

// Every mechanism against a real server.
func TestDovecotLogin(t *testing.T) {
	d := realserver.Dovecot(t, realserver.Tokens, realserver.Certificates)
	host, port := split(t, d.TLSAddr())
	dial := func(cred imapclient.Credentials, certificate bool) error {
		opts := imapclient.Options{Host: host, Port: port, TLS: &tls.Config{RootCAs: d.CA()}, Login: once(cred)}
		if certificate {
			opts.TLS.Certificates = []tls.Certificate{d.ClientCertificate()}
		}
		c, err := imapclient.Dial(t.Context(), opts)
		if err != nil {
			return err
		}
		defer c.Close()
		_, err = c.Examine(t.Context(), "INBOX")
		return err
	}
	password := imapclient.Secret(d.Password())
	valid := imapclient.Secret(d.Token(time.Now().Add(time.Hour)))
	expired := imapclient.Secret(d.Token(time.Now().Add(-time.Minute)))
	for _, test := range []struct {
		name        string
		cred        imapclient.Credentials
		certificate bool
		expired     bool
	}{
		{"PLAIN", imapclient.Credentials{Username: d.User(), Password: password}, false, false},
		{"LOGIN", imapclient.Credentials{Username: d.User(), Password: password, Mechanism: "LOGIN"}, false, false},
		{"OAUTHBEARER", imapclient.Credentials{Username: d.User(), Token: valid}, false, false},
		{"XOAUTH2", imapclient.Credentials{Username: d.User(), Token: valid, Mechanism: "XOAUTH2"}, false, false},
		{"OAUTHBEARER, expired", imapclient.Credentials{Username: d.User(), Token: expired}, false, true},
		{"XOAUTH2, expired", imapclient.Credentials{Username: d.User(), Token: expired, Mechanism: "XOAUTH2"}, false, true},
		{"EXTERNAL", imapclient.Credentials{}, true, false},
		{"EXTERNAL with a name", imapclient.Credentials{Username: d.User()}, true, false},
	} {
		err := dial(test.cred, test.certificate)
		var auth *imapclient.AuthError
		switch {
		case !test.expired && err != nil:
			t.Errorf("%s: %v", test.name, err)
		case test.expired && (!errors.Is(err, imapclient.ErrExpired) || !errors.As(err, &auth) || auth.TokenError == ""):
			t.Errorf("%s: %v", test.name, err)
		}
	}
	if err := dial(imapclient.Credentials{Username: d.User()}, false); !errors.As(err, new(*imapclient.AuthError)) {
		t.Errorf("EXTERNAL without a certificate: %v", err)
	}
	// The next trial follows at once.
	opts := imapclient.Options{Host: host, Port: port, TLS: &tls.Config{RootCAs: d.CA()}}
	opts.Login = func(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
		token := expired
		if errors.Is(ch.Last, imapclient.ErrExpired) {
			token = valid
		}
		return imapclient.Credentials{Username: d.User(), Token: token}, nil
	}
	c, err := imapclient.Dial(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
