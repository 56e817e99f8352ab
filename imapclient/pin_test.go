package imapclient_test

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
)

func TestPinText(t *testing.T) {
	digits := strings.Repeat("0f", 31) + "aB"
	colons := strings.Repeat("0F:", 31) + "AB"
	for _, text := range []string{digits, colons, "SHA256:" + digits, " sha256:" + colons + "\n"} {
		var p imapclient.Pin
		if err := p.UnmarshalText([]byte(text)); err != nil || p.String() != colons {
			t.Errorf("%q: %v, %v", text, p, err)
		}
		if back, err := p.MarshalText(); string(back) != colons || err != nil {
			t.Errorf("%q, %v", back, err)
		}
	}
	for _, text := range []string{"", "sha256:", digits[1:], digits + "0", digits + "00", strings.Repeat("00", 32), strings.Repeat("0g", 32), strings.Repeat("x", 10_000)} {
		p := imapclient.Pin{1}
		if err := p.UnmarshalText([]byte(text)); err == nil || p != (imapclient.Pin{1}) || len(err.Error()) > 250 {
			t.Errorf("%.80q: %v", text, err)
		}
	}
}

func TestPin(t *testing.T) {
	ca := imaptest.NewCA()
	own := ca.Certificate("elsewhere.example.net") // another name, and nobody trusts the signer
	certificate := imapclient.Pin(sha256.Sum256(own.Leaf.Raw))
	key := imapclient.Pin(sha256.Sum256(own.Leaf.RawSubjectPublicKeyInfo))
	refused := errors.New("the caller's own check")
	for _, test := range []struct {
		name     string
		pin      imapclient.Pin
		security imapclient.Security
		change   func(*tls.Config)
		err      error
	}{
		{"certificate", certificate, imapclient.ImplicitTLS, nil, nil},
		{"key", key, imapclient.ImplicitTLS, nil, nil},
		{"STARTTLS", certificate, imapclient.STARTTLS, nil, nil},
		{"another", imapclient.Pin{1}, imapclient.ImplicitTLS, nil, imapclient.ErrPin},
		{"another, STARTTLS", imapclient.Pin{1}, imapclient.STARTTLS, nil, imapclient.ErrPin},
		{"another, though signed well", imapclient.Pin{1}, imapclient.ImplicitTLS, func(c *tls.Config) { c.RootCAs, c.ServerName = ca.Pool(), "elsewhere.example.net" }, imapclient.ErrPin},
		{"another, verification off", imapclient.Pin{1}, imapclient.ImplicitTLS, func(c *tls.Config) { c.InsecureSkipVerify = true }, imapclient.ErrPin},
		{"the caller checks too", certificate, imapclient.ImplicitTLS, func(c *tls.Config) { c.VerifyConnection = func(tls.ConnectionState) error { return refused } }, refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.Filled(t, 1, nil)
				defer s.Close()
				s.TLS = &tls.Config{Certificates: []tls.Certificate{own}}
				s.ImplicitTLS = test.security == imapclient.ImplicitTLS
				opts := options(s, nil)
				opts.Security, opts.Pin, opts.Insecure = test.security, test.pin, false
				if test.change != nil {
					opts.TLS = &tls.Config{}
					test.change(opts.TLS)
				}
				c, err := imapclient.Dial(t.Context(), opts)
				if err == nil {
					c.Close()
				}
				if !errors.Is(err, test.err) {
					t.Errorf("error: %v", err)
				}
				if errors.Is(err, imapclient.ErrPin) && (!strings.Contains(err.Error(), certificate.String()) || !strings.Contains(err.Error(), key.String())) {
					t.Errorf("%v does not say what to pin", err)
				}
				if sent := strings.Join(s.Transcript(), "\n"); err != nil && strings.Contains(sent, "AUTHENTICATE") {
					t.Errorf("a password was sent:\n%s", sent)
				}
			})
		})
	}
}

// A login goes to the server that was meant, or nowhere.
func TestUnverifiedServers(t *testing.T) {
	dial := func(t *testing.T, change func(*imaptest.Server, *imapclient.Options)) (string, error) {
		s, _ := signed(t, "imap.example.com")
		defer s.Close()
		s.ImplicitTLS = true
		opts := options(s, nil)
		opts.Security, opts.Insecure, opts.TLS = imapclient.ImplicitTLS, false, &tls.Config{InsecureSkipVerify: true}
		change(s, &opts)
		c, err := imapclient.Dial(t.Context(), opts)
		if err == nil {
			c.Close()
		}
		return strings.Join(s.Transcript(), "\n"), err
	}
	synctest.Test(t, func(t *testing.T) {
		sent, err := dial(t, func(*imaptest.Server, *imapclient.Options) {})
		if !errors.Is(err, imapclient.ErrInsecure) || strings.Contains(sent, "AUTHENTICATE") {
			t.Errorf("verification off: %v\n%s", err, sent)
		}
		_, err = dial(t, func(_ *imaptest.Server, o *imapclient.Options) { o.Insecure = true })
		if err != nil {
			t.Errorf("verification off and Insecure: %v", err)
		}
		_, err = dial(t, func(_ *imaptest.Server, o *imapclient.Options) {
			o.TLS.VerifyConnection = func(tls.ConnectionState) error { return nil }
		})
		if err != nil {
			t.Errorf("verified by the caller: %v", err)
		}
		sent, err = dial(t, func(_ *imaptest.Server, o *imapclient.Options) { o.Host = "192.0.2.1" })
		if !errors.Is(err, imapclient.ErrInsecure) || sent != "" {
			t.Errorf("a remote address: %v\n%s", err, sent)
		}
	})
}

func TestOldTLS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, roots := signed(t, "imap.example.com")
		defer s.Close()
		s.ImplicitTLS, s.TLS.MinVersion, s.TLS.MaxVersion = true, tls.VersionTLS10, tls.VersionTLS11
		opts := options(s, nil)
		opts.Security = imapclient.ImplicitTLS
		opts.TLS = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10} // raised
		_, err := imapclient.Dial(t.Context(), opts)
		if err == nil || !strings.Contains(err.Error(), "protocol version") {
			t.Errorf("error: %v", err)
		}
	})
}

// What an attacker puts between the answer to STARTTLS and the handshake never
// counts, whichever read it comes with.
func TestInjectedBeforeTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, roots := signed(t, "imap.example.com")
		defer s.Close()
		s.Hook = func(st imaptest.Step) imaptest.Action {
			if st.Part == imaptest.TLS {
				return imaptest.Action{Before: "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"}
			}
			return imaptest.Action{}
		}
		h := &recorder{}
		opts := options(s, h)
		opts.Security, opts.TLS = imapclient.STARTTLS, &tls.Config{RootCAs: roots}
		_, err := imapclient.Dial(t.Context(), opts)
		if record := (tls.RecordHeaderError{}); !errors.As(err, &record) && !errors.Is(err, imapclient.ErrInjected) {
			t.Errorf("error: %v", err)
		}
		if sent := strings.Join(s.Transcript(), "\n"); strings.Contains(sent, "AUTHENTICATE") {
			t.Errorf("a password was sent:\n%s", sent)
		}
	})
}

// Pins and client certificates with a real server.
func TestDovecotPin(t *testing.T) {
	d := realserver.Dovecot(t)
	host, port := split(t, d.TLSAddr())
	conn, err := tls.Dial("tcp", d.TLSAddr(), &tls.Config{RootCAs: d.CA(), ServerName: "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	leaf := conn.ConnectionState().PeerCertificates[0]
	conn.Close()
	cred := imapclient.Credentials{Username: d.User(), Password: imapclient.Secret(d.Password())}
	for _, pin := range []imapclient.Pin{sha256.Sum256(leaf.Raw), sha256.Sum256(leaf.RawSubjectPublicKeyInfo), {}, {1}} {
		opts := imapclient.Options{Host: host, Port: port, Pin: pin, Login: once(cred)}
		c, err := imapclient.Dial(t.Context(), opts)
		if err == nil {
			c.Close()
		}
		unknown := x509.UnknownAuthorityError{}
		switch pin {
		case imapclient.Pin{}:
			if !errors.As(err, &unknown) {
				t.Errorf("no pin: %v", err)
			}
		case imapclient.Pin{1}:
			if !errors.Is(err, imapclient.ErrPin) {
				t.Errorf("another pin: %v", err)
			}
		default:
			if err != nil {
				t.Errorf("%v: %v", pin, err)
			}
		}
	}
}
