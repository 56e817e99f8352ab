package trust

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// zone is a DNS in memory.
type zone struct {
	mu      sync.Mutex
	records map[string][]string
	err     error // every answer, where it is not nil
	hangs   bool
	takes   time.Duration // an answer
	asked   int
}

func (z *zone) LookupTXT(ctx context.Context, name string) ([]string, error) {
	z.mu.Lock()
	z.asked++
	z.mu.Unlock()
	time.Sleep(z.takes)
	z.mu.Lock()
	hangs, failure := z.hangs, z.err
	z.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if failure != nil {
		return nil, failure
	}
	if records, found := z.records[strings.ToLower(name)]; found {
		return records, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// hang says whether answers never come from now on.
func (z *zone) hang(hangs bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.hangs = hangs
}

var errServFail = &net.DNSError{Err: "server misbehaving", IsTemporary: true}

// keyring holds one key a domain; those of an even length are RSA.
var keyring struct {
	sync.Mutex
	keys map[string]crypto.Signer
}

func keyOf(t testing.TB, domain string) crypto.Signer {
	t.Helper()
	keyring.Lock()
	defer keyring.Unlock()
	if key := keyring.keys[domain]; key != nil {
		return key
	}
	var key crypto.Signer
	var err error
	if len(domain)%2 == 0 {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	if keyring.keys == nil {
		keyring.keys = make(map[string]crypto.Signer)
	}
	keyring.keys[domain] = key
	return key
}

// publish is a zone with the keys of these domains, under the selector "s".
func publish(t testing.TB, domains ...string) *zone {
	t.Helper()
	z := &zone{records: make(map[string][]string)}
	for _, domain := range domains {
		z.records["s._domainkey."+domain] = []string{keyRecord(t, keyOf(t, domain))}
	}
	return z
}

func keyRecord(t testing.TB, key crypto.Signer) string {
	t.Helper()
	if public, ok := key.Public().(ed25519.PublicKey); ok {
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

// allFields are what a careful signer signs; yahooFields leave the framing open.
var (
	allFields   = []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"}
	yahooFields = []string{"From", "To", "Subject", "Date"}
)

// sign puts a DKIM-Signature on top, made by go-msgauth.
func sign(t testing.TB, message, domain string, fields []string, change ...func(*dkim.SignOptions)) string {
	t.Helper()
	options := &dkim.SignOptions{
		Domain: domain, Selector: "s", Signer: keyOf(t, domain), Hash: crypto.SHA256, HeaderKeys: fields,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	}
	for _, f := range change {
		f(options)
	}
	var out bytes.Buffer
	if err := dkim.Sign(&out, strings.NewReader(message), options); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// signField signs data followed by field, which ends in "b=", and gives the
// whole field.
func signField(t testing.TB, domain, data, field string) string {
	t.Helper()
	hash := sha256.Sum256([]byte(data + strings.TrimRight(relax(field), "\r\n")))
	key := keyOf(t, domain)
	var how crypto.SignerOpts = crypto.SHA256
	if _, edwards := key.(ed25519.PrivateKey); edwards {
		how = crypto.Hash(0)
	}
	sig, err := key.Sign(rand.Reader, hash[:], how)
	if err != nil {
		t.Fatal(err)
	}
	return field + base64.StdEncoding.EncodeToString(sig) + "\r\n"
}

func algorithm(t testing.TB, domain string) string {
	if _, edwards := keyOf(t, domain).(ed25519.PrivateKey); edwards {
		return "ed25519-sha256"
	}
	return "rsa-sha256"
}

// relax is c=relaxed of a field.
func relax(field string) string {
	name, value, _ := strings.Cut(field, ":")
	return strings.ToLower(name) + ":" + strings.Join(strings.Fields(value), " ") + "\r\n"
}

// signLength signs the first length octets of the body, all fields, c=relaxed/simple.
func signLength(t testing.TB, message, domain string, fields []string, length int) string {
	t.Helper()
	return signSimple(t, message, domain, "DKIM-Signature: v=1; ", fmt.Sprintf("l=%d; ", length), fields, length) + message
}

// signSimple gives a field that signs the message, c=relaxed/simple.
func signSimple(t testing.TB, message, domain, start, extra string, fields []string, length int) string {
	t.Helper()
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	hash := sha256.Sum256([]byte(body[:length]))
	header = strings.NewReplacer("\r\n ", " ", "\r\n\t", " ").Replace(header)
	var data strings.Builder
	for _, name := range fields {
		for line := range strings.SplitSeq(header, "\r\n") {
			if strings.HasPrefix(line, name+":") {
				data.WriteString(relax(line))
			}
		}
	}
	return signField(t, domain, data.String(), fmt.Sprintf("%sa=%s; c=relaxed/simple; d=%s; s=s; %sh=%s; bh=%s; b=",
		start, algorithm(t, domain), domain, extra, strings.Join(fields, ":"), base64.StdEncoding.EncodeToString(hash[:])))
}

// seal puts one ARC set on top: what the sealer found, and its two signatures.
func seal(t testing.TB, message, domain, found, cv string, fields []string) string {
	t.Helper()
	return sealBy(t, message, domain, domain, found, cv, fields)
}

// sealBy has one domain seal, and another one sign the message.
func sealBy(t testing.TB, message, domain, signer, found, cv string, fields []string) string {
	t.Helper()
	_, body, _ := strings.Cut(message, "\r\n\r\n")
	return sealLength(t, message, domain, signer, found, cv, "", fields, len(body))
}

// sealLength seals the first length octets of the body; extra are more tags.
func sealLength(t testing.TB, mail, domain, signer, found, cv, extra string, fields []string, length int) string {
	t.Helper()
	results := "ARC-Authentication-Results: i=1; " + found + "\r\n"
	message := signSimple(t, mail, signer, "ARC-Message-Signature: i=1; ", extra, fields, length)
	return signField(t, domain, relax(results)+relax(message),
		fmt.Sprintf("ARC-Seal: i=1; a=%s; cv=%s; d=%s; s=s; b=", algorithm(t, domain), cv, domain)) + message + results + mail
}

// The values of report.Reporter.Auth, and of what other verifiers say.
const (
	pass      = "pass"
	fail      = "fail"
	authNone  = "none"
	unchecked = "unchecked"
)
