package main

import (
	"bytes"
	"crypto/tls"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// novalidate-cert takes any certificate, and says at each start what that means;
// without it none but a valid one will do.
func TestNoValidate(t *testing.T) {
	const warning = "fblwatch: warning: account user@127.0.0.1: novalidate-cert: "
	for _, test := range []struct {
		switches string
		code     int
		stderr   string
	}{
		{"ssl/novalidate-cert", exitDone, warning},
		{"tls/novalidate-cert", exitDone, warning},
		{"ssl", exitFailed, "hint: use the host name that is in the certificate"},
		{"tls/validate-cert", exitFailed, "hint: use the host name that is in the certificate"},
	} {
		server := imaptest.New()
		defer server.Close()
		server.TLS = &tls.Config{Certificates: []tls.Certificate{imaptest.NewCA().Certificate("mx.example.com")}}
		server.ImplicitTLS = strings.HasPrefix(test.switches, "ssl")
		address, err := server.Listen()
		if err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		args := []string{"fblwatch", "folders", "--url", "{" + address + "/" + test.switches + "/user=user}"}
		code := run(t.Context(), args, nil, &stdout, &stderr, env("FBLWATCH_PASSWORD", "pass", "HOME", t.TempDir()))
		if code != test.code || !strings.Contains(stderr.String(), test.stderr) || strings.Contains(stderr.String(), warning) != (test.stderr == warning) {
			t.Errorf("%s: exit %d, stderr %s", test.switches, code, &stderr)
		}
	}
}

// parse says which messages a server gives nothing of, and reads the others.
func TestRemoteWithoutOctets(t *testing.T) {
	s := imaptest.New()
	defer s.Close()
	for n := range 3 {
		s.Append("INBOX", sample.Report(n, 0))
	}
	s.Shape = func(_ int, uid uint32) imaptest.Shape { return imaptest.Shape{QuotedBody: uid == 2} }
	address, err := s.Listen()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"fblwatch", "parse", "--format", "json", "-m", "{" + address + "/imap/notls/user=user}INBOX"},
		nil, &stdout, &stderr, env("FBLWATCH_PASSWORD", "pass", "HOME", t.TempDir()))
	if n := strings.Count(stdout.String(), "\n"); code != exitFailed || n != 2 || !strings.Contains(stderr.String(), "the server returns nothing for message UID 2") {
		t.Errorf("exit %d, %d records, %s", code, n, &stderr)
	}
}
