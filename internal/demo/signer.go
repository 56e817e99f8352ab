package demo

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/trust"
)

// dkimSigner signs as the reporter of the demo, and is the DNS that has its key.
type dkimSigner struct {
	key    ed25519.PrivateKey
	record string
}

const (
	reporter = "fbl.example.net" // which writes the samples
	selector = "demo"
)

// ownTrust believes the reporter of the demo about messages of the demo's sender.
var ownTrust = trust.Config{Own: trust.Own{Domains: []string{"example.com"}}, Reporters: []string{reporter}}

func newSigner() (*dkimSigner, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return &dkimSigner{key, "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}, nil
}

// LookupTXT implements trust.Resolver.
func (s *dkimSigner) LookupTXT(_ context.Context, name string) ([]string, error) {
	if name != selector+"._domainkey."+reporter {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return []string{s.record}, nil
}

// sign puts a DKIM-Signature on a sample, whose body ends in one CRLF, as c=simple
// has it (RFC 6376 section 3.4, with RFC 8463).
func (s *dkimSigner) sign(message []byte) []byte {
	header, body, _ := bytes.Cut(message, []byte("\r\n\r\n"))
	bodyHash := sha256.Sum256(body)
	names := []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}
	field := fmt.Sprintf("DKIM-Signature: v=1; a=ed25519-sha256; c=simple/simple; d=%s; s=%s;\r\n\th=%s;\r\n\tbh=%s; b=",
		reporter, selector, strings.Join(names, ":"), base64.StdEncoding.EncodeToString(bodyHash[:]))
	var signed strings.Builder
	for _, name := range names {
		signed.WriteString(rawField(string(header)+"\r\n", name))
	}
	sum := sha256.Sum256([]byte(signed.String() + field))
	field += base64.StdEncoding.EncodeToString(ed25519.Sign(s.key, sum[:])) + "\r\n"
	return slices.Concat([]byte(field), message)
}

// rawField is a field of a header with its folded lines.
func rawField(header, name string) string {
	var field strings.Builder
	for line := range strings.Lines(header) {
		switch folded := line[0] == ' ' || line[0] == '\t'; {
		case folded && field.Len() > 0, strings.HasPrefix(line, name+":"):
			field.WriteString(line)
		case field.Len() > 0:
			return field.String()
		}
	}
	return field.String()
}
