package imapclient

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Pin is the SHA-256 fingerprint of a server's certificate, as "openssl x509
// -fingerprint -sha256" and browsers show it, or of the certificate's public key
// (SubjectPublicKeyInfo, RFC 7469 section 2.4), which stays valid if a renewal keeps
// the key. The zero Pin means none.
type Pin [sha256.Size]byte

// UnmarshalText reads 64 hexadecimal digits, with or without colons between them and
// with or without "sha256:" before them.
func (p *Pin) UnmarshalText(text []byte) error {
	digits := bytes.ToLower(bytes.TrimSpace(text))
	digits = bytes.ReplaceAll(bytes.TrimPrefix(digits, []byte("sha256:")), []byte(":"), nil)
	var got Pin
	if n, err := hex.Decode(got[:], digits[:min(len(digits), 2*len(got))]); err != nil || n != len(got) || len(digits) != 2*n || got == (Pin{}) {
		return errors.New("imapclient: a SHA-256 fingerprint has 64 hexadecimal digits, with or without colons")
	}
	*p = got
	return nil
}

// String returns the fingerprint as openssl prints it: "AB:CD:...".
func (p Pin) String() string {
	return strings.ReplaceAll(fmt.Sprintf("% X", p[:]), " ", ":")
}

// MarshalText returns the text of String.
func (p Pin) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Require makes conf take only the server of the pin, whoever signed its certificate.
// The zero Pin changes nothing.
func (p Pin) Require(conf *tls.Config) {
	if p == (Pin{}) {
		return
	}
	conf.InsecureSkipVerify = true // the pin says more
	also := conf.VerifyConnection
	conf.VerifyConnection = func(state tls.ConnectionState) error {
		if err := p.verify(state); err != nil || also == nil {
			return err
		}
		return also(state)
	}
}

// verify checks the server's own certificate, also on a resumed connection.
func (p Pin) verify(state tls.ConnectionState) error {
	leaf := state.PeerCertificates[0]
	certificate, key := Pin(sha256.Sum256(leaf.Raw)), Pin(sha256.Sum256(leaf.RawSubjectPublicKeyInfo))
	if p == certificate || p == key {
		return nil
	}
	return fmt.Errorf("%w: its SHA-256 fingerprint is %s, its public key's is %s", ErrPin, certificate, key)
}
