package profile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestMailgunSignature: each attempt has a token of its own, of exactly 50 characters,
// and the event stays as it was stored. The HMAC is over time and token.
func TestMailgunSignature(t *testing.T) {
	p := mustNew(t, Options{Profile: "mailgun", SigningKey: "x", Secret: key("key-1\n")})
	stored := mustRequest(t, p, aComplaint())
	var before mailgunBody
	if err := json.Unmarshal(stored.Body, &before); err != nil {
		t.Fatal(err)
	}
	tokens := map[string]bool{}
	for i := range 3 {
		r := stored
		now := time.Unix(1796040000+int64(i), 5e8)
		if err := p.Sign(&r, now); err != nil {
			t.Fatal(err)
		}
		var body struct {
			Signature struct{ Timestamp, Token, Signature string }
			Event     json.RawMessage `json:"event-data"`
		}
		if err := json.Unmarshal(r.Body, &body); err != nil {
			t.Fatal(err)
		}
		if body.Signature.Timestamp != jsonInt(1796040000+int64(i)) || len(body.Signature.Token) != 50 {
			t.Errorf("%+v", body.Signature)
		}
		mac := hmac.New(sha256.New, []byte("key-1"))
		mac.Write([]byte(body.Signature.Timestamp + body.Signature.Token))
		if want := hex.EncodeToString(mac.Sum(nil)); body.Signature.Signature != want {
			t.Errorf("signature %s, want %s", body.Signature.Signature, want)
		}
		if string(body.Event) != string(before.Event) {
			t.Errorf("the event changed: %s", body.Event)
		}
		tokens[body.Signature.Token] = true
	}
	if len(tokens) != 3 {
		t.Errorf("%d tokens in 3 attempts", len(tokens))
	}
}

// PHP, which writes 14 digits of a number, must see a fraction.
func TestMailgunTime(t *testing.T) {
	for milli, want := range map[int64]string{
		1796040000000: "1796040000.001", 1796040000001: "1796040000.001", 1796040000500: "1796040000.5", 1796040000120: "1796040000.12",
	} {
		if got := mailgunTime(time.UnixMilli(milli)).String(); got != want {
			t.Errorf("%d: %s, want %s", milli, got, want)
		}
	}
}

func newKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	private, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

func pemOf(kind string, der []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(private *ecdsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	return pemOf("PRIVATE KEY", der, err)
}

// TestSendgridSignature: both forms of a key's file do, and the signature is over the
// time and the very body.
func TestSendgridSignature(t *testing.T) {
	private := newKey(t, elliptic.P256())
	sec1, err := x509.MarshalECPrivateKey(private)
	// openssl ecparam -genkey writes the parameters first.
	parameters := pemOf("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}, nil)
	for _, text := range []string{pkcs8(private), parameters + pemOf("EC PRIVATE KEY", sec1, err)} {
		p := mustNew(t, Options{Profile: "sendgrid", SigningKeyFile: "f", Secret: key(text)})
		r := mustRequest(t, p, aComplaint())
		body := string(r.Body)
		if err := p.Sign(&r, time.Unix(1796040000, 0)); err != nil {
			t.Fatal(err)
		}
		signature, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Twilio-Email-Event-Webhook-Signature"))
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte("1796040000" + body))
		if !ecdsa.VerifyASN1(&private.PublicKey, digest[:], signature) || r.Header.Get("X-Twilio-Email-Event-Webhook-Timestamp") != "1796040000" || string(r.Body) != body {
			t.Errorf("%v", r)
		}
	}
	// Without a key there is no signature.
	p := mustNew(t, Options{Profile: "sendgrid"})
	r := mustRequest(t, p, aComplaint())
	if err := p.Sign(&r, time.Now()); err != nil || len(r.Header) != 1 {
		t.Errorf("%v, %v", r.Header, err)
	}
}

// A key that is not there, or is none, is the sink's fault, and no error holds it.
func TestWrongKey(t *testing.T) {
	const c = "c4n4ry"
	errRead := errors.New("cannot be read")
	for _, secret := range []func() ([]byte, error){
		nil, key(""), key(" \n"), func() ([]byte, error) { return nil, errRead },
	} {
		for _, profile := range []string{"mailgun", "sendgrid"} {
			p := mustNew(t, Options{Profile: profile, SigningKeyFile: "f", Secret: secret})
			r := mustRequest(t, p, aComplaint())
			if err := p.Sign(&r, time.Now()); err == nil || strings.Contains(err.Error(), "panic") {
				t.Errorf("%s signs without a key: %v", profile, err)
			}
		}
	}
	for _, text := range []string{c, pkcs8(newKey(t, elliptic.P384())), pemOf("PRIVATE KEY", []byte(c), nil), pemOf("PUBLIC KEY", []byte(c), nil)} {
		p := mustNew(t, Options{Profile: "sendgrid", SigningKeyFile: "f", Secret: key(text)})
		r := mustRequest(t, p, aComplaint())
		if err := p.Sign(&r, time.Now()); err == nil || strings.Contains(err.Error(), c) {
			t.Errorf("%v", err)
		}
	}
}

// django-anymail compares the headers with the body.
func TestSESHeaders(t *testing.T) {
	r := mustRequest(t, mustNew(t, receivers["ses"]), aComplaint())
	var m struct{ Type, MessageId, TopicArn string }
	if err := json.Unmarshal(r.Body, &m); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"x-amz-sns-message-type": m.Type, "x-amz-sns-message-id": m.MessageId, "x-amz-sns-topic-arn": m.TopicArn, "content-type": "text/plain; charset=UTF-8",
	} {
		if got := r.Header.Get(name); got != want || got == "" {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if len(r.Header) != 4 {
		t.Errorf("headers %v", http.Header(r.Header))
	}
}
