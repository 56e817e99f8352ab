package imapclient_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// signed is a server with a certificate for imap.example.com, and the roots
// that trust it.
func signed(tb testing.TB, hosts ...string) (*imaptest.Server, *x509.CertPool) {
	ca := imaptest.NewCA()
	s := imaptest.Filled(tb, 1, nil)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Certificate(hosts...)}}
	return s, ca.Pool()
}

func TestDialWays(t *testing.T) {
	type setup func(*imaptest.Server, *imapclient.Options)
	caps := func(caps ...string) setup {
		return func(s *imaptest.Server, _ *imapclient.Options) { s.Caps = caps }
	}
	greeting := func(line string) setup {
		return func(s *imaptest.Server, _ *imapclient.Options) { s.Greeting = line }
	}
	hook := func(part imaptest.Part, command string, action imaptest.Action) setup {
		return func(s *imaptest.Server, _ *imapclient.Options) { s.Hook = at(part, command, action) }
	}
	implicit := func(s *imaptest.Server, o *imapclient.Options) {
		s.ImplicitTLS, o.Security = true, imapclient.ImplicitTLS
	}
	starttls := func(_ *imaptest.Server, o *imapclient.Options) { o.Security = imapclient.STARTTLS }
	is := func(want error) func(error) bool {
		return func(err error) bool { return errors.Is(err, want) }
	}
	says := func(parts ...string) func(error) bool {
		return func(err error) bool {
			return err != nil && !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(err.Error(), p) })
		}
	}
	for _, test := range []struct {
		name  string
		setup []setup
		ok    func(error) bool // nil: the session must work
		sent  string           // what the server must have read
		never string           // and must not
	}{
		{name: "implicit TLS", setup: []setup{implicit}, sent: "AUTHENTICATE PLAIN "},
		{name: "STARTTLS", setup: []setup{starttls}, sent: "AUTHENTICATE PLAIN "},
		{name: "STARTTLS, capabilities only when asked", setup: []setup{starttls, func(s *imaptest.Server, _ *imapclient.Options) { s.QuietCaps = true }}, sent: "AUTHENTICATE PLAIN "},
		{name: "STARTTLS stripped", setup: []setup{starttls, greeting("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi")}, ok: is(imapclient.ErrNoSTARTTLS), never: "AUTHENTICATE"},
		{name: "STARTTLS refused", setup: []setup{starttls, hook(imaptest.Received, "STARTTLS", imaptest.Action{Do: imaptest.Answer, Text: "NO not now"})}, ok: is(imapclient.ErrNoSTARTTLS), never: "AUTHENTICATE"},
		{name: "PREAUTH before STARTTLS", setup: []setup{starttls, greeting("* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi")}, ok: is(imapclient.ErrNoSTARTTLS), never: "AUTHENTICATE"},
		{name: "octets behind the answer to STARTTLS", setup: []setup{starttls, hook(imaptest.Tagged, "STARTTLS", imaptest.Action{Behind: "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n"})}, ok: is(imapclient.ErrInjected), never: "AUTHENTICATE"},
		{name: "PREAUTH", setup: []setup{greeting("* PREAUTH hi")}, never: "AUTHENTICATE"},
		{name: "plain, refused off the loopback", setup: []setup{func(_ *imaptest.Server, o *imapclient.Options) { o.Insecure = false }}, ok: is(imapclient.ErrInsecure), never: "AUTHENTICATE"},
		{name: "LOGINDISABLED", setup: []setup{caps("IMAP4rev1", "LOGINDISABLED")}, ok: says("LOGINDISABLED"), never: "LOGIN "},
		{name: "AUTH=PLAIN without SASL-IR", setup: []setup{caps("IMAP4rev1", "AUTH=PLAIN")}, sent: "AUTHENTICATE PLAIN\n"},
		{name: "AUTH=LOGIN with SASL-IR", setup: []setup{caps("IMAP4rev1", "AUTH=LOGIN", "SASL-IR")}, sent: "AUTHENTICATE LOGIN dXNlcg==\n"},
		{name: "AUTH=LOGIN without SASL-IR", setup: []setup{caps("IMAP4rev1", "AUTH=LOGIN")}, sent: "AUTHENTICATE LOGIN\n"},
		{name: "AUTH=LOGIN that asks in other words", setup: []setup{caps("IMAP4rev1", "AUTH=LOGIN"), func(s *imaptest.Server, _ *imapclient.Options) {
			s.Hook = func(st imaptest.Step) imaptest.Action {
				if st.Part == imaptest.Continue && st.Command == "AUTHENTICATE" {
					return imaptest.Action{Do: imaptest.Drop, Before: "+ what now?\r\n"}
				}
				return imaptest.Action{}
			}
		}}, sent: "AUTHENTICATE LOGIN\n"},
		{name: "LOGIN with quotes in the password", setup: []setup{caps("IMAP4rev1"), func(s *imaptest.Server, o *imapclient.Options) {
			s.User, s.Password = "a b", `p"a\ss {3}`
			o.Login = func(context.Context, imapclient.Challenge) (imapclient.Credentials, error) {
				return imapclient.Credentials{Username: "a b", Password: `p"a\ss {3}`}, nil
			}
		}}, sent: `LOGIN "a b" "p\"a\\ss {3}"`},
		{name: "LOGIN with a password beyond ASCII", setup: []setup{caps("IMAP4rev1"), func(_ *imaptest.Server, o *imapclient.Options) {
			o.Login = func(context.Context, imapclient.Challenge) (imapclient.Credentials, error) {
				return imapclient.Credentials{Username: "user", Password: "pässwörd"}, nil
			}
		}}, ok: says("ASCII"), never: "LOGIN"},
		{name: "BYE for a greeting", setup: []setup{greeting("* BYE [UNAVAILABLE] too many connections")}, ok: func(err error) bool {
			var re *imapclient.ResponseError
			return errors.As(err, &re) && re.Status == "BYE" && re.Code == "UNAVAILABLE" && re.Text == "too many connections"
		}, never: "AUTHENTICATE"},
		{name: "an HTTP server", setup: []setup{greeting("HTTP/1.1 400 Bad Request")}, ok: func(err error) bool {
			return errors.Is(err, imapclient.ErrProtocol) && strings.Contains(err.Error(), `"HTTP/1.1 400 Bad Request"`)
		}},
		{name: "an SSH server", setup: []setup{greeting("SSH-2.0-OpenSSH_9.2" + strings.Repeat("x", 1000))}, ok: func(err error) bool {
			return errors.Is(err, imapclient.ErrProtocol) && len(err.Error()) < 300
		}},
		{name: "BYE instead of an answer to the login", setup: []setup{hook(imaptest.Tagged, "AUTHENTICATE", imaptest.Bye("overloaded"))}, ok: says("BYE overloaded")},
		{name: "a blank line during the login", setup: []setup{hook(imaptest.Tagged, "AUTHENTICATE", imaptest.Action{Before: "\r\n* 5 EXISTS\r\n* OK fine\r\n"})}},
		{name: "a stray + during the login", setup: []setup{caps("IMAP4rev1"), hook(imaptest.Tagged, "LOGIN", imaptest.Action{Before: "+ go\r\n"})}, ok: is(imapclient.ErrProtocol)},
		{name: "somebody else's answer", setup: []setup{hook(imaptest.Tagged, "AUTHENTICATE", imaptest.Action{Before: "X9 OK\r\n"})}, ok: is(imapclient.ErrProtocol)},
		{name: "a line of over 1 MiB", setup: []setup{hook(imaptest.Tagged, "AUTHENTICATE", imaptest.Action{Before: strings.Repeat("x", 1<<20+1) + "\r\n"})}, ok: says("over 1048576 octets")},
		{name: "connection refused", setup: []setup{hook(imaptest.Dial, "", imaptest.Action{Do: imaptest.Cut})}, ok: is(syscall.ECONNREFUSED)},
		{name: "nobody answers", setup: []setup{hook(imaptest.Dial, "", imaptest.Action{Do: imaptest.Silent})}, ok: says("imapclient: no connection to imap.example.com:143 within 20s")},
		{name: "a greeting in drips", setup: []setup{func(_ *imaptest.Server, o *imapclient.Options) {
			dial := o.Dial
			o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dial(ctx, network, addr)
				return dripping{conn}, err
			}
		}}, ok: says("imapclient: no greeting within 30s")},
		{name: "a server that never comes to the point", setup: []setup{func(s *imaptest.Server, o *imapclient.Options) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) {
				client, server := net.Pipe()
				go func() {
					defer server.Close()
					fmt.Fprint(server, "* OK [CAPABILITY IMAP4rev1] hi\r\n")
					bufio.NewReader(server).ReadString('\n')
					for {
						if _, err := fmt.Fprint(server, "* OK working on it\r\n"); err != nil {
							return
						}
						time.Sleep(time.Second)
					}
				}()
				return client, nil
			}
		}}, ok: says("imapclient: no answer to LOGIN within 1m0s")},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, roots := signed(t, "imap.example.com")
				defer s.Close()
				h := &recorder{}
				opts := options(s, h)
				const password = "Tr0ub4dor&3"
				s.Password = password
				opts.Login = func(context.Context, imapclient.Challenge) (imapclient.Credentials, error) {
					return imapclient.Credentials{Username: "user", Password: password}, nil
				}
				opts.TLS, opts.Debug = &tls.Config{RootCAs: roots}, true
				for _, set := range test.setup {
					set(s, &opts)
				}
				start := time.Now()
				c, err := imapclient.Dial(t.Context(), opts)
				if d := time.Since(start); d > 60*time.Second {
					t.Errorf("took %v", d)
				}
				if err == nil {
					if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
						t.Error(err)
					}
					c.Close()
				}
				if test.ok == nil && err != nil || test.ok != nil && !test.ok(err) {
					t.Errorf("error: %v", err)
				}
				if err != nil && strings.Count(err.Error(), "imapclient: ") != 1 {
					t.Errorf("not one prefix in %q", err)
				}
				sent := strings.Join(s.Transcript(), "\n") + "\n"
				if !strings.Contains(sent, test.sent) {
					t.Errorf("not sent: %q in\n%s", test.sent, sent)
				}
				if test.never != "" && strings.Contains(sent, " "+test.never) {
					t.Errorf("sent %q:\n%s", test.never, sent)
				}
				for _, secret := range []string{password, base64.StdEncoding.EncodeToString([]byte(password)), base64.StdEncoding.EncodeToString([]byte("\x00user\x00" + password))} {
					if strings.Contains(h.text()+fmt.Sprint(err), secret) {
						t.Errorf("%q in the events or in %v:\n%s", secret, err, h.text())
					}
				}
				time.Sleep(time.Hour) // for what the case itself has started
			})
		})
	}
}

// dripping gives one octet every two seconds.
type dripping struct{ net.Conn }

func (d dripping) Read(p []byte) (int, error) {
	time.Sleep(2 * time.Second)
	return d.Conn.Read(p[:1])
}

// Over loopback a password may go in clear.
func TestPlainToLoopback(t *testing.T) {
	s := imaptest.Filled(t, 1, nil)
	defer s.Close()
	addr, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	host, port := split(t, addr)
	c, err := imapclient.Dial(t.Context(), imapclient.Options{Host: host, Port: port, Security: imapclient.NoTLS, Login: login})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Logout(t.Context()); err != nil {
		t.Error(err)
	}
}

func split(t testing.TB, addr string) (host string, port int) {
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return a.IP.String(), a.Port
}

// Trial and Last let the caller refresh what he logs in with.
func TestRefusedLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		defer s.Close()
		opts := options(s, nil)
		var asked []string
		opts.Login = func(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
			asked = append(asked, fmt.Sprintf("%d %v %v", ch.Trial, ch.Mechanisms, ch.Last))
			pass := imapclient.Secret("wrong")
			if ch.Trial == 3 {
				pass = "pass"
			}
			return imapclient.Credentials{Username: "user", Password: pass}, nil
		}
		c, err := imapclient.Dial(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		refused := ` [LOGIN PLAIN] imapclient: login of "user" refused: login: server said NO [AUTHENTICATIONFAILED] wrong user or password`
		want(t, asked, "1 [LOGIN PLAIN] <nil>", "2"+refused, "3"+refused)
	})
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		defer s.Close()
		s.Password = "another"
		_, err := imapclient.Dial(t.Context(), options(s, nil))
		var auth *imapclient.AuthError
		var re *imapclient.ResponseError
		if !errors.As(err, &auth) || auth.Username != "user" || !errors.As(err, &re) || re.Code != "AUTHENTICATIONFAILED" {
			t.Errorf("error: %v", err)
		}
	})
}

func TestCertificates(t *testing.T) {
	dial := func(t *testing.T, hosts []string, change func(*tls.Config)) error {
		s, roots := signed(t, hosts...)
		defer s.Close()
		s.ImplicitTLS = true
		opts := options(s, nil)
		opts.Security, opts.TLS = imapclient.ImplicitTLS, &tls.Config{RootCAs: roots}
		change(opts.TLS)
		c, err := imapclient.Dial(t.Context(), opts)
		if err == nil {
			c.Close()
		}
		return err
	}
	host := []string{"imap.example.com"}
	synctest.Test(t, func(t *testing.T) {
		err := dial(t, host, func(c *tls.Config) { c.RootCAs = x509.NewCertPool() })
		if unknown := (x509.UnknownAuthorityError{}); !errors.As(err, &unknown) {
			t.Errorf("unknown authority: %v", err)
		}
		err = dial(t, host, func(c *tls.Config) { c.Time = func() time.Time { return time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC) } })
		if invalid := (x509.CertificateInvalidError{}); !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
			t.Errorf("expired: %v", err)
		}
		err = dial(t, []string{"other.example.com"}, func(*tls.Config) {})
		if name := (x509.HostnameError{}); !errors.As(err, &name) || name.Host != "imap.example.com" {
			t.Errorf("wrong host: %v", err)
		}
		err = dial(t, host, func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 })
		if err != nil {
			t.Errorf("TLS 1.3: %v", err)
		}
	})
}

func TestDialNeedsLogin(t *testing.T) {
	if _, err := imapclient.Dial(t.Context(), imapclient.Options{Host: "imap.example.com"}); err == nil {
		t.Error("no error")
	}
}

// A secret cannot be printed by accident.
func TestSecret(t *testing.T) {
	s := imapclient.Secret("hunter2")
	c := imapclient.Credentials{Username: "user", Password: s}
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s), fmt.Sprintf("%v %+v %#v", c, c, &c)} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") || !strings.Contains(text, "<secret>") {
			t.Errorf("printed as %q", text)
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("login", "credentials", c, "password", s)
	text, err := json.Marshal(c)
	for _, text := range []string{log.String(), string(text)} {
		if err != nil || strings.Contains(text, "hunter2") || !strings.Contains(text, "secret") {
			t.Errorf("logged as %s, %v", text, err)
		}
	}
	if y, err := s.MarshalYAML(); y != "<secret>" || err != nil || s.String() != "<secret>" || s.GoString() != "<secret>" {
		t.Error(y, err)
	}
	if s.Reveal() != "hunter2" {
		t.Error("Reveal")
	}
}

type netConn = net.Conn

// slowly gives an octet every 50 seconds while it is on.
type slowly struct {
	net.Conn
	on *bool
}

func (s *slowly) Read(p []byte) (int, error) {
	n, err := s.Conn.Read(p[:min(len(p), 1)])
	if *s.on {
		time.Sleep(50 * time.Second)
	}
	return n, err
}
