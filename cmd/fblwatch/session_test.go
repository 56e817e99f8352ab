package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// What a newcomer meets first has a hint, through any wrapping.
func TestSessionHint(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{&imapclient.AuthError{Username: "u", Err: errors.New("no")}, "app password"},
		{&watch.FolderError{Folder: "x", Err: errors.New("no")}, "fblwatch folders"},
		{imapclient.ErrInsecure, "use imaps://"},
		{imapclient.ErrNoSTARTTLS, "imaps:// (port 993)"},
		{&net.DNSError{Err: "no such host", Name: "x"}, "host's name"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host"}}, "host's name"},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, "host and port"},
		{&imapclient.TimeoutError{Wait: "greeting"}, "host and port"},
		{x509.HostnameError{Certificate: &x509.Certificate{}}, "in the certificate"},
		{x509.CertificateInvalidError{Reason: x509.Expired}, "clock"},
		{io.ErrUnexpectedEOF, ""},
	}
	for _, test := range tests {
		got := hintFor(fmt.Errorf("account a: %w", test.err))
		if !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%v: hint %q, want %q", test.err, got, test.want)
		}
	}
}

// A certificate of an unknown authority, of another host, and of the one that
// ca_file names, all over TLS.
func TestSweepTLS(t *testing.T) {
	ca := imaptest.NewCA()
	tests := []struct {
		name, scheme, host string
		tls, trusted       bool
		code               int
		stderr             string
	}{
		{"trusted", "imaps", "127.0.0.1", true, true, exitDone, "1 new message, 1 record\n"},
		{"trusted STARTTLS", "imap+starttls", "127.0.0.1", true, true, exitDone, "1 new message, 1 record\n"},
		{"unknown authority", "imaps", "127.0.0.1", true, false, exitFailed, "hint: if the certificate is your own, name its authority with ca_file"},
		{"another host", "imaps", "mx.example.com", true, true, exitFailed, "hint: use the host name that is in the certificate"},
		{"no TLS", "imaps", "127.0.0.1", false, true, exitFailed, "hint: this port does not begin with TLS"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := imaptest.New()
			defer server.Close()
			certificate := ca.Certificate(test.host)
			if test.tls {
				server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
				server.ImplicitTLS = test.scheme == "imaps"
			}
			dir, caFile := t.TempDir(), ""
			if test.trusted {
				caFile = filepath.Join(dir, "ca.pem")
				fixture.File(t, caFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})))
			}
			server.Append("INBOX", sampleBody(1, "report"))
			address, err := server.Listen()
			if err != nil {
				t.Fatal(err)
			}
			config := filepath.Join(dir, "config.yaml")
			fixture.File(t, config, fmt.Sprintf("ledger: '%s'\naccounts:\n  - {name: a, url: '%s://user@%s', password: pass, ca_file: '%s'}\n",
				filepath.Join(dir, "l.db"), test.scheme, address, caFile))
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), []string{"fblwatch", "sweep", "-c", config}, nil, &stdout, &stderr, env())
			if code != test.code || !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("exit %d, stderr %s", code, &stderr)
			}
		})
	}
}
