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
// -fingerprint -sha256" and browsers show it, or of the public key in it
// (SubjectPublicKeyInfo, RFC 7469 section 2.4), which outlives renewals that keep
// the key. Either matches: no certificate has the hash of another's key. The zero
// Pin is none.
type Pin [sha256.Size]byte

// UnmarshalText reads 64 hexadecimal digits, with or without colons, behind
// "sha256:" or not.
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

// String is the fingerprint as openssl prints it.
func (p Pin) String() string {
	return strings.ReplaceAll(fmt.Sprintf("% X", p[:]), " ", ":")
}

// MarshalText is String.
func (p Pin) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// verify compares the server's own certificate, on a resumed connection too.
func (p Pin) verify(state tls.ConnectionState) error {
	leaf := state.PeerCertificates[0]
	certificate, key := Pin(sha256.Sum256(leaf.Raw)), Pin(sha256.Sum256(leaf.RawSubjectPublicKeyInfo))
	if p == certificate || p == key {
		return nil
	}
	return fmt.Errorf("%w: its SHA-256 fingerprint is %s, its public key's is %s", ErrPin, certificate, key)
}
