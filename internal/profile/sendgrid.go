package profile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// sendgrid takes the place of SendGrid's event webhook, as of its documentation and
// these readers: django-anymail 15.1, Symfony's bridge 0f23e7d and 1a026af, Mautic's
// SendgridCallBackBundle bf6394e, Mailcoach ce263c3, CiviCRM airmail e5ea4ed. listmonk
// ignores its complaints.
type sendgrid struct {
	provider
	secret func() ([]byte, error) // nil: requests are not signed
}

// sendgridNames are the keys of an event that metadata cannot have.
var sendgridNames = []string{"email", "timestamp", "event", "sg_event_id", "sg_message_id", "smtp-id"}

func newSendgrid(o Options) (Profile, error) {
	p, err := newProvider(o, sendgridNames...)
	s := sendgrid{provider: p}
	if o.hasKey() {
		s.secret = o.secret
	}
	if _, wrong := p256([]byte(o.SigningKey.Reveal())); err == nil && o.SigningKey != "" && wrong != nil {
		err = fmt.Errorf("signing_key: %w", wrong)
	}
	return s, err
}

// Request writes metadata beside the event's own keys, as SendGrid does. Symfony wants
// both ids.
func (p sendgrid) Request(items []delivery.Item) (Request, int, error) {
	item := &items[0]
	r, own, err := p.read(item)
	if err != nil {
		return Request{}, 0, err
	}
	e := make(map[string]any, len(own)+len(sendgridNames))
	for name, value := range own {
		e[name] = value
	}
	e["event"], e["timestamp"] = "spamreport", when(item, r).Unix()
	e["sg_event_id"], e["sg_message_id"] = eventUUID(item), messageID(r)
	if a := address(r); a != "" {
		e["email"] = a
	}
	if id := smtpID(r); id != "" {
		e["smtp-id"] = id
	}
	return event([]any{e})
}

const (
	sendgridSignature = "X-Twilio-Email-Event-Webhook-Signature"
	sendgridTimestamp = "X-Twilio-Email-Event-Webhook-Timestamp"
)

// Sign signs the time and the body.
func (p sendgrid) Sign(r *Request, now time.Time) error {
	if p.secret == nil {
		return nil
	}
	text, err := p.secret()
	if err != nil {
		return err
	}
	key, err := p256(text)
	if err != nil {
		return err
	}
	timestamp := strconv.FormatInt(now.Unix(), 10)
	digest := sha256.Sum256(append([]byte(timestamp), r.Body...))
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return err
	}
	r.Header.Set(sendgridSignature, base64.StdEncoding.EncodeToString(signature))
	r.Header.Set(sendgridTimestamp, timestamp)
	return nil
}

var errP256 = errors.New("the signing key is no private key of the curve P-256 in PEM; openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 makes one")

// p256 reads a key of RFC 5958 (PRIVATE KEY) or RFC 5915 (EC PRIVATE KEY). openssl may
// write the curve's parameters before the latter.
func p256(text []byte) (*ecdsa.PrivateKey, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		var key any
		switch block.Type {
		case "PRIVATE KEY":
			key, _ = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, _ = x509.ParseECPrivateKey(block.Bytes)
		}
		if key, ok := key.(*ecdsa.PrivateKey); ok && key != nil && key.Curve == elliptic.P256() {
			return key, nil
		}
	}
	return nil, errP256
}
