package main

import (
	"bytes"
	"crypto/tls"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// TestTLSPort takes the wrong scheme for a port. The hint names the right one, and
// comes within seconds: a port for TLS is silent until the client speaks.
func TestTLSPort(t *testing.T) {
	ca := imaptest.NewCA()
	for _, test := range []struct {
		scheme, hint string
		tls          bool
	}{
		{"imap", "hint: this port begins with TLS: write imaps:// in the url", true},
		{"imap+starttls", "hint: this port begins with TLS: write imaps:// in the url", true},
		{"imaps", "hint: this port does not begin with TLS; imap+starttls://", false},
	} {
		server := imaptest.New()
		defer server.Close()
		if test.tls {
			server.ImplicitTLS, server.TLS = true, &tls.Config{Certificates: []tls.Certificate{ca.Certificate("127.0.0.1")}}
		}
		addr, err := server.Listen()
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var out bytes.Buffer
		code := run(t.Context(), []string{"fblwatch", "sweep", "--url", test.scheme + "://user@" + addr, "--ledger", filepath.Join(t.TempDir(), "l.db")},
			nil, &out, &out, env("FBLWATCH_PASSWORD", "pass", "HOME", t.TempDir()))
		if code != exitFailed || !strings.Contains(out.String(), test.hint) || time.Since(start) > 10*time.Second {
			t.Errorf("%s: exit %d after %v\n%s", test.scheme, code, time.Since(start), &out)
		}
		server.Close()
	}
}
