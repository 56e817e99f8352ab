package main

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// A config's ca_file, pin, cert_file and key_file reach the session, and so do
// its refusals.
func TestTLSConfig(t *testing.T) {
	d := realserver.Dovecot(t, realserver.Certificates)
	d.Append("INBOX", sample.Report(1, 0))
	dir := t.TempDir()
	write := func(name string, blocks ...*pem.Block) string {
		var text []byte
		for _, b := range blocks {
			text = append(text, pem.EncodeToMemory(b)...)
		}
		path := filepath.Join(dir, name)
		fixture.File(t, path, text)
		return path
	}
	client := d.ClientCertificate()
	key, err := x509.MarshalPKCS8PrivateKey(client.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile := write("client.pem", &pem.Block{Type: "CERTIFICATE", Bytes: client.Certificate[0]})
	keyFile := write("client.key", &pem.Block{Type: "PRIVATE KEY", Bytes: key})
	conn, err := tls.Dial("tcp", d.TLSAddr(), &tls.Config{RootCAs: d.CA()})
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].Raw)
	conn.Close()
	pin := hex.EncodeToString(fingerprint[:])
	password := "password: " + d.Password()

	for name, test := range map[string]struct {
		lines []string
		err   string // empty: it works
	}{
		"own CA":             {[]string{password, "ca_file: " + d.CAFile()}, ""},
		"pinned":             {[]string{password, "pin: sha256:" + pin}, ""},
		"client certificate": {[]string{"ca_file: " + d.CAFile(), "cert_file: " + certFile, "key_file: " + keyFile}, ""},
		"unknown authority":  {[]string{password}, "certificate signed by unknown authority"},
		"another pin":        {[]string{password, "pin: " + strings.Repeat("0a", 32)}, "the server's certificate is not the pinned one"},
		"a key alone":        {[]string{password, "key_file: " + keyFile}, "cert_file and key_file go together"},
		"no certificate":     {[]string{"ca_file: " + d.CAFile(), "cert_file: " + keyFile, "key_file: " + keyFile}, "cert_file and key_file: "},
		"no pin":             {[]string{password, "pin: abc"}, "a SHA-256 fingerprint has 64"},
	} {
		t.Run(name, func(t *testing.T) {
			config := filepath.Join(t.TempDir(), "c.yaml")
			text := fmt.Sprintf("ledger: %s\naccounts:\n  - name: a\n    url: imaps://%s@%s\n    %s\n", filepath.Join(t.TempDir(), "l.db"), d.User(), d.TLSAddr(), strings.Join(test.lines, "\n    "))
			fixture.File(t, config, text)
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), []string{"fblwatch", "sweep", "-c", config}, nil, &stdout, &stderr, env("HOME", dir))
			if test.err == "" && (code != exitDone || strings.Count(stdout.String(), "\n") != 1) || test.err != "" && (code == exitDone || !strings.Contains(stderr.String(), test.err)) {
				t.Errorf("exit %d\n%s%s", code, &stdout, &stderr)
			}
		})
	}
}
