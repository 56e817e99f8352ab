package imapclient_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// once gives credentials at the first trial only.
func once(cred imapclient.Credentials) func(context.Context, imapclient.Challenge) (imapclient.Credentials, error) {
	return func(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) { return cred, ch.Last }
}

// Each mechanism, as sent.
func TestMechanisms(t *testing.T) {
	const token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
	password := imapclient.Credentials{Username: "user", Password: "pass"}
	bearer := imapclient.Credentials{Username: "user", Token: token}
	both := imapclient.Credentials{Username: "user", Password: "pass", Token: token}
	nobody := imapclient.Credentials{Username: "user"}
	by := func(cred imapclient.Credentials, mechanism string) imapclient.Credentials {
		cred.Mechanism = mechanism
		return cred
	}
	const (
		x = "user=user\x01auth=Bearer " + token + "\x01\x01"                                           // Google's own description
		o = "n,a=user,\x01host=imap.example.com\x01port=143\x01auth=Bearer " + token + "\x01\x01"      // RFC 7628 section 4.1
		p = "\x00user\x00pass"                                                                         // RFC 4616 section 2
		e = "n,a=a=2Cb=3Dc,\x01host=imap.example.com\x01port=143\x01auth=Bearer " + token + "\x01\x01" // RFC 5801 section 4
	)
	for _, test := range []struct {
		name string
		caps string
		cred imapclient.Credentials
		sent []string // what the client sends, tags left out; nil: nothing
		err  error
	}{
		{"PLAIN", "AUTH=PLAIN", password, []string{"AUTHENTICATE PLAIN", b64(p)}, nil},
		{"PLAIN at once", "AUTH=PLAIN AUTH=LOGIN SASL-IR", password, []string{"AUTHENTICATE PLAIN " + b64(p)}, nil},
		{"LOGIN", "AUTH=LOGIN", password, []string{"AUTHENTICATE LOGIN", b64("user"), b64("pass")}, nil},
		{"LOGIN at once", "AUTH=LOGIN SASL-IR", password, []string{"AUTHENTICATE LOGIN " + b64("user"), b64("pass")}, nil},
		{"the LOGIN command", "AUTH=XOAUTH2", password, []string{`LOGIN "user" "pass"`}, nil},
		{"XOAUTH2", "AUTH=PLAIN AUTH=XOAUTH2", bearer, []string{"AUTHENTICATE XOAUTH2", b64(x)}, nil},
		{"XOAUTH2 at once", "AUTH=PLAIN AUTH=XOAUTH2 SASL-IR", bearer, []string{"AUTHENTICATE XOAUTH2 " + b64(x)}, nil},
		{"OAUTHBEARER", "AUTH=XOAUTH2 AUTH=OAUTHBEARER", bearer, []string{"AUTHENTICATE OAUTHBEARER", b64(o)}, nil},
		{"OAUTHBEARER at once", "AUTH=OAUTHBEARER SASL-IR", bearer, []string{"AUTHENTICATE OAUTHBEARER " + b64(o)}, nil},
		{"a comma in the name", "AUTH=OAUTHBEARER SASL-IR", imapclient.Credentials{Username: "a,b=c", Token: token}, []string{"AUTHENTICATE OAUTHBEARER " + b64(e)}, nil},
		{"EXTERNAL", "AUTH=PLAIN AUTH=EXTERNAL", nobody, []string{"AUTHENTICATE EXTERNAL", b64("user")}, nil},
		{"EXTERNAL at once", "AUTH=PLAIN AUTH=EXTERNAL SASL-IR", nobody, []string{"AUTHENTICATE EXTERNAL " + b64("user")}, nil},
		{"EXTERNAL, whom the certificate names", "AUTH=EXTERNAL SASL-IR", imapclient.Credentials{}, []string{"AUTHENTICATE EXTERNAL ="}, nil},
		{"EXTERNAL without SASL-IR, whom the certificate names", "AUTH=EXTERNAL", imapclient.Credentials{}, []string{"AUTHENTICATE EXTERNAL", ""}, nil},
		{"token before password", "AUTH=PLAIN AUTH=XOAUTH2 SASL-IR", both, []string{"AUTHENTICATE XOAUTH2 " + b64(x)}, nil},
		{"no way for the token, one for the password", "AUTH=PLAIN SASL-IR", both, []string{"AUTHENTICATE PLAIN " + b64(p)}, nil},
		{"overridden", "AUTH=PLAIN AUTH=XOAUTH2 SASL-IR", by(both, "plain"), []string{"AUTHENTICATE PLAIN " + b64(p)}, nil},
		{"overridden, though not offered", "SASL-IR", by(both, "XOAUTH2"), []string{"AUTHENTICATE XOAUTH2 " + b64(x)}, nil},
		{"overridden by what is not known", "AUTH=CRAM-MD5", by(password, "CRAM-MD5"), nil, imapclient.ErrNoMechanism},
		{"no way for the token", "AUTH=PLAIN", bearer, nil, imapclient.ErrNoMechanism},
		{"no way for the certificate", "AUTH=PLAIN", nobody, nil, imapclient.ErrNoMechanism},
		{"LOGINDISABLED", "LOGINDISABLED AUTH=XOAUTH2", password, nil, imapclient.ErrNoMechanism},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ca := imaptest.NewCA()
				s, h := imaptest.Filled(t, 1, nil), &recorder{}
				defer s.Close()
				s.Caps = append([]string{"IMAP4rev1"}, strings.Fields(test.caps)...)
				s.Token = token
				if test.cred.Username != "" {
					s.User = test.cred.Username
				}
				s.ImplicitTLS, s.TLS = true, &tls.Config{
					Certificates: []tls.Certificate{ca.Certificate("imap.example.com")},
					ClientAuth:   tls.VerifyClientCertIfGiven, ClientCAs: ca.Pool(),
				}
				opts := options(s, h)
				opts.Security, opts.Port, opts.Debug = imapclient.ImplicitTLS, 143, true
				opts.TLS = &tls.Config{RootCAs: ca.Pool(), Certificates: []tls.Certificate{ca.Certificate("user")}}
				opts.Login = once(test.cred)
				c, err := imapclient.Dial(t.Context(), opts)
				if err == nil {
					c.Close()
				}
				if !errors.Is(err, test.err) {
					t.Errorf("error: %v", err)
				}
				var sent []string
				for _, line := range s.Transcript() {
					if line, ok := strings.CutPrefix(line, "1 C: "); ok {
						sent = append(sent, strings.TrimPrefix(line, "S1 "))
					}
				}
				want(t, sent, test.sent...)
				for _, secret := range []string{token, "pass\"", b64("pass"), b64(p), b64(x), b64(o)} {
					if strings.Contains(h.text()+fmt.Sprint(err), secret) {
						t.Errorf("%q in the events or in %v:\n%s", secret, err, h.text())
					}
				}
			})
		})
	}
}

// challenged is a server that answers a token by this challenge, and then by
// this tagged line.
func challenged(challenge, tagged string) func(imaptest.Step) imaptest.Action {
	return func(st imaptest.Step) imaptest.Action {
		switch {
		case st.Command != "AUTHENTICATE" || challenge == "" && st.Part != imaptest.Received:
			return imaptest.Action{}
		case challenge == "":
			return imaptest.Action{Do: imaptest.Answer, Text: tagged}
		case st.Part == imaptest.Continue:
			return imaptest.Action{Do: imaptest.Drop, Before: "+ " + challenge + "\r\n"}
		case st.Part == imaptest.Tagged:
			return imaptest.Action{Do: imaptest.Answer, Text: tagged}
		}
		return imaptest.Action{}
	}
}

// Why a login was refused: what to do about it hangs on that.
func TestRefusals(t *testing.T) {
	const google401 = `{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}`
	for _, test := range []struct {
		name      string
		mechanism string
		challenge string // as it stands on the wire
		tagged    string
		token     string // AuthError.TokenError
		answer    string // to the challenge
		is        error
	}{
		{"wrong password", "PLAIN", "", "NO [AUTHENTICATIONFAILED] who are you", "", "", nil},
		{"expired password", "PLAIN", "", "NO [EXPIRED] change it on our web site", "", "", imapclient.ErrExpired},
		{"unavailable", "PLAIN", "", "NO [UNAVAILABLE] the directory is down", "", "", imapclient.ErrTemporary},
		{"in use", "PLAIN", "", "NO [INUSE] locked by another session", "", "", imapclient.ErrTemporary},
		{"limit", "PLAIN", "", "NO [LIMIT] 10 connections are enough", "", "", imapclient.ErrTemporary},
		{"limit with an argument, in small letters", "PLAIN", "", "NO [limit 10] enough", "", "", imapclient.ErrTemporary},
		{"Google's limit", "XOAUTH2", b64(`{"status":"400","schemes":"Bearer","scope":"https://mail.google.com/"}`), "NO [ALERT] Too many simultaneous connections. (Failure)",
			"status 400, scope https://mail.google.com/", "", imapclient.ErrTemporary},
		{"a limit, and the token too", "XOAUTH2", b64(google401), "NO [LIMIT] Rate limit hit", "status 401, scope https://mail.google.com/", "", imapclient.ErrTemporary},
		{"Google's expired token", "XOAUTH2", b64(google401), "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)", "status 401, scope https://mail.google.com/", "", imapclient.ErrExpired},
		{"a status that is a number", "XOAUTH2", b64(`{"status":401}`), "NO no", "status 401", "", imapclient.ErrExpired},
		{"OAUTHBEARER's", "OAUTHBEARER", b64(`{"status":"invalid_token","scope":"mail","error_description":"expired at noon"}`), "NO no",
			"status invalid_token, error_description expired at noon, scope mail", "AQ==", imapclient.ErrExpired},
		{"a scope that is missing", "OAUTHBEARER", b64(`{"status":"insufficient_scope"}`), "NO no", "status insufficient_scope", "AQ==", nil},
		{"Microsoft's expired token", "XOAUTH2", "", "NO AUTHENTICATE failed. AccessTokenExpired", "", "", imapclient.ErrExpired},
		{"Microsoft's, without a reason", "XOAUTH2", "", "NO AUTHENTICATE failed.", "", "", nil},
		{"no JSON", "XOAUTH2", b64("no\r\nway\x1b["), "NO no", "no  way [", "", nil},
		{"no base64", "XOAUTH2", "no way!", "NO no", "no way!", "", nil},
		{"without end", "XOAUTH2", b64(`{"status":"` + strings.Repeat("4", 10_000) + `"}`), "NO no", "status " + strings.Repeat("4", 100), "", nil},
		{"cancelled", "PLAIN", b64("more!"), "BAD as you wish", "", "*", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.Filled(t, 1, nil)
				defer s.Close()
				s.Caps = []string{"IMAP4rev1", "SASL-IR", "AUTH=" + test.mechanism}
				s.Hook = challenged(test.challenge, test.tagged)
				if test.name == "cancelled" { // the scripted server has nothing to ask then
					s.Hook = func(st imaptest.Step) imaptest.Action {
						if st.Command == "AUTHENTICATE" && st.Part == imaptest.Tagged {
							return imaptest.Action{Do: imaptest.Drop, Before: "+ bW9yZSE=\r\n" + "S1 " + test.tagged + "\r\n"}
						}
						return imaptest.Action{}
					}
				}
				opts := options(s, nil)
				opts.Login = once(imapclient.Credentials{Username: "user", Password: "pass", Token: "wrong"})
				_, err := imapclient.Dial(t.Context(), opts)
				var auth *imapclient.AuthError
				if !errors.As(err, &auth) || auth.Mechanism != test.mechanism || auth.TokenError != test.token {
					t.Fatalf("%#v: %v", auth, err)
				}
				for _, why := range []error{imapclient.ErrExpired, imapclient.ErrTemporary} {
					if errors.Is(err, why) != (why == test.is) {
						t.Errorf("%v, is %v: %v", err, why, errors.Is(err, why))
					}
				}
				_, words, _ := strings.Cut(test.tagged, " ")
				if !strings.Contains(err.Error(), words) || !strings.Contains(err.Error(), test.token) {
					t.Errorf("%q misses the server's words", err)
				}
				synctest.Wait()
				if test.challenge != "" && !slices.Contains(s.Transcript(), "1 C: "+test.answer) {
					t.Errorf("the challenge was not answered by %q:\n%s", test.answer, strings.Join(s.Transcript(), "\n"))
				}
				if s.Open() != 0 {
					t.Error("the connection is open after a refused login")
				}
			})
		})
	}
}

// A token that expired, by our clock too: the next one is asked for at once, and
// goes over a connection of its own.
func TestExpiredTokenIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := imaptest.Filled(t, 1, nil), &recorder{}
		defer s.Close()
		s.Caps, s.Token = []string{"IMAP4rev1", "SASL-IR", "AUTH=XOAUTH2"}, "fresh"
		opts := options(s, h)
		expires := time.Now().Add(time.Hour)
		var asked []string
		opts.Login = func(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
			synctest.Wait()
			asked = append(asked, fmt.Sprint(ch.Trial, ch.Mechanisms, errors.Is(ch.Last, imapclient.ErrExpired), " open ", s.Open()))
			if errors.Is(ch.Last, imapclient.ErrExpired) {
				return imapclient.Credentials{Username: "user", Token: "fresh", Expires: expires}, nil
			}
			return imapclient.Credentials{Username: "user", Token: "stale", Expires: time.Now().Add(time.Minute)}, ch.Last
		}
		start := time.Now()
		c, err := imapclient.Dial(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if time.Since(start) != 0 || s.Conns() != 2 || !c.Expires().Equal(expires) {
			t.Errorf("%d connections in %v, expires %v", s.Conns(), time.Since(start), c.Expires())
		}
		want(t, asked, "1 [XOAUTH2] false open 1", "2 [XOAUTH2] true open 0")
		if strings.Contains(h.text(), "stale") || strings.Contains(h.text(), "fresh") {
			t.Errorf("a token among the events:\n%s", h.text())
		}
	})
	synctest.Test(t, func(t *testing.T) { // Microsoft says nothing, our clock does
		s := imaptest.Filled(t, 1, nil)
		defer s.Close()
		s.Caps = []string{"IMAP4rev1", "SASL-IR", "AUTH=XOAUTH2"}
		s.Hook = challenged("", "NO AUTHENTICATE failed.")
		opts := options(s, nil)
		opts.Login = once(imapclient.Credentials{Username: "user", Token: "stale", Expires: time.Now().Add(-time.Second)})
		if _, err := imapclient.Dial(t.Context(), opts); !errors.Is(err, imapclient.ErrExpired) {
			t.Errorf("error: %v", err)
		}
	})
}

// Whatever Login says, a refused login is not tried for ever.
func TestTrialsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		defer s.Close()
		opts := options(s, nil)
		opts.Login = func(context.Context, imapclient.Challenge) (imapclient.Credentials, error) {
			return imapclient.Credentials{Username: "user", Password: "wrong"}, nil
		}
		_, err := imapclient.Dial(t.Context(), opts)
		var auth *imapclient.AuthError
		if !errors.As(err, &auth) || s.Conns() != 10 {
			t.Errorf("%v after %d connections", err, s.Conns())
		}
	})
}

// Characters that a mechanism's message cannot have would change its meaning.
func TestCredentialsThatCannotBe(t *testing.T) {
	for _, cred := range []imapclient.Credentials{
		{Username: "user\x00admin", Password: "pass"},
		{Username: "user", Password: "pa\x00ss"},
		{Username: "user", Token: "a\x01auth=Bearer b"},
		{Username: "user\x01auth=Bearer b\x01\x01", Token: "a", Mechanism: "XOAUTH2"},
		{Username: "user", Token: "tökén"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := imaptest.Filled(t, 1, nil)
			defer s.Close()
			s.Caps = []string{"IMAP4rev1", "SASL-IR", "AUTH=PLAIN", "AUTH=XOAUTH2"}
			opts := options(s, nil)
			opts.Login = once(cred)
			_, err := imapclient.Dial(t.Context(), opts)
			if err == nil || errors.As(err, new(*imapclient.AuthError)) || strings.Contains(strings.Join(s.Transcript(), "\n"), "AUTHENTICATE") {
				t.Errorf("%+q: %v\n%s", cred.Username, err, strings.Join(s.Transcript(), "\n"))
			}
		})
	}
}
