package profile

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// mailgun takes the place of Mailgun's webhook (its form since 2018), as of its
// documentation and these readers: django-anymail 15.1, Symfony's bridge 154f92a and
// 00d3ae9, Mautic's bundle, Mailcoach ce263c3, Discourse 2026.5.
type mailgun struct {
	provider
	secret func() ([]byte, error)
}

type mailgunBody struct {
	Signature mailgunSignature `json:"signature"`
	Event     json.RawMessage  `json:"event-data"`
}

type mailgunSignature struct {
	Timestamp string `json:"timestamp"`
	Token     string `json:"token"`
	Signature string `json:"signature"`
}

type mailgunEvent struct {
	Event     string            `json:"event"`
	ID        string            `json:"id"`
	Timestamp json.Number       `json:"timestamp"`
	LogLevel  string            `json:"log-level"`
	Recipient string            `json:"recipient,omitempty"`
	Message   mailgunMessage    `json:"message"`
	Variables map[string]string `json:"user-variables"`
	Tags      []string          `json:"tags"`
}

type mailgunMessage struct {
	Headers mailgunHeaders `json:"headers"`
}

type mailgunHeaders struct {
	MessageID string `json:"message-id,omitempty"` // without brackets
	To        string `json:"to,omitempty"`
	From      string `json:"from,omitempty"`
	Subject   string `json:"subject,omitempty"`
}

func newMailgun(o Options) (Profile, error) {
	if !o.hasKey() {
		return nil, errors.New("signing_key_file is missing; the receiver checks each request with the key that it has as Mailgun's")
	}
	p, err := newProvider(o)
	return mailgun{p, o.secret}, err
}

func (p mailgun) Request(items []delivery.Item) (Request, int, error) {
	item := &items[0]
	r, own, err := p.read(item)
	if err != nil {
		return Request{}, 0, err
	}
	e := mailgunEvent{
		Event: "complained", ID: eventUUID(item), Timestamp: mailgunTime(when(item, r)), LogLevel: "warn",
		Recipient: address(r), Variables: own, Tags: []string{},
	}
	if r.Identity != nil && r.Identity.Campaign != "" {
		e.Tags = append(e.Tags, r.Identity.Campaign)
	}
	e.Message.Headers = mailgunHeaders{MessageID: messageID(r), To: e.Recipient}
	if r.Original != nil {
		e.Message.Headers.From, e.Message.Headers.Subject = r.Original.From, r.Original.Subject
	}
	text, err := marshal(e)
	if err != nil {
		return Request{}, 0, err
	}
	return event(mailgunBody{Event: text})
}

// mailgunTime is a time in seconds with a fraction that is not zero: PHP reads 1.000 as
// 1, in which Symfony then misses the fraction. PHP writes 14 digits, four of them of
// the fraction.
func mailgunTime(t time.Time) json.Number {
	milli := t.UnixMilli()
	if milli%1000 == 0 {
		milli++
	}
	return json.Number(strings.TrimRight(fmt.Sprintf("%d.%03d", milli/1000, milli%1000), "0"))
}

const mailgunToken = 50 // characters; Discourse wants exactly these

// Sign signs a new time and token, which a receiver remembers, not the body.
func (p mailgun) Sign(r *Request, now time.Time) error {
	var body mailgunBody
	if err := json.Unmarshal(r.Body, &body); err != nil {
		return err
	}
	key, err := p.secret()
	if err != nil {
		return err
	}
	token := make([]byte, mailgunToken/2)
	_, _ = rand.Read(token) // it never fails
	s := mailgunSignature{Timestamp: strconv.FormatInt(now.Unix(), 10), Token: hex.EncodeToString(token)}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(s.Timestamp + s.Token))
	s.Signature = hex.EncodeToString(mac.Sum(nil))
	body.Signature = s
	r.Body, err = marshal(body)
	return err
}
