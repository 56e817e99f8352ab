// Package profile writes records as the requests that receiving systems take over HTTP:
// one file a system. It sends nothing.
package profile

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/digest"
)

// Request is one HTTP request without what each attempt adds. It is stored before it
// is first sent, and sent again unchanged.
type Request struct {
	Method string      `json:"method,omitempty"` // "": POST
	Path   string      `json:"path,omitempty"`   // to add to the URL's path, escaped; may have a query
	Header http.Header `json:"header,omitempty"` // Content-Type and the like, no secrets
	Body   []byte      `json:"body,omitempty"`
}

// Answer is what a receiver answered. Body is its start, at most MaxAnswer octets.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// MaxAnswer is how many octets of an answer a Profile sees.
const MaxAnswer = 1 << 20

// Profile is what a receiving system takes. Its methods are pure, and safe for
// concurrent use.
type Profile interface {
	// Takes returns why the receiver has no use for an item, in a few words that are
	// the same for all such items, or "". Such items are skipped and counted.
	Takes(item *delivery.Item) (skip string)

	// Request writes a request for the first n of items, n at least 1 and as many as
	// one request may hold. All of them passed Takes. An error is about the first
	// item, which is a dead letter then.
	Request(items []delivery.Item) (r Request, n int, err error)

	// Sign adds the proof of one attempt, such as a signature with its time. r is the
	// caller's own copy, with Content-Type set; Sign may replace Body.
	Sign(r *Request, now time.Time) error

	// Judge reads the answer to a request for n items: nil if all are taken, a
	// delivery.Refusals if some are at fault, any other error if the receiver cannot
	// take them now. See Status.
	Judge(a Answer, n int) error
}

// Prober is a Profile that can try its receiver without an item.
type Prober interface {
	// Probes are requests that change nothing at the receiver, in their order. Each is
	// sent, signed and with its credentials, once the one before is judged to be well.
	Probes() []Probe
}

// Probe is a request that changes nothing at the receiver.
type Probe struct {
	Request Request
	Judge   func(a Answer) (said string, err error) // said is for people, ""  if it is nothing new
}

// Digester is a Profile whose receiver takes digests, too: sums of many items.
type Digester interface {
	Digest(sum *digest.Digest) (Request, error)
}

// Options are the keys of a config that profiles have. Each is in here, not in a struct
// of its own, so that profiles can share it.
type Options struct {
	Profile string `yaml:"profile"`

	// Headers are sent with every request, by the sink: they may hold secrets, and are
	// in no Request.
	Headers map[string]imapclient.Secret `yaml:"headers"`

	SigningKey     imapclient.Secret `yaml:"signing_key"`
	SigningKeyFile string            `yaml:"signing_key_file"`
	// Secret returns the signing key: the value of signing_key, or all of the file's
	// text, which may be PEM. It is asked at each attempt. nil, or an empty text: there
	// is none.
	Secret func() ([]byte, error) `yaml:"-"`

	By       string            `yaml:"by"`        // address or message: what the receiver finds a complaint by; "": address
	Metadata map[string]string `yaml:"metadata"`  // the sender's own data at the message: NAME: a record's key
	TopicARN string            `yaml:"topic_arn"` // of the SNS envelope
	Own      *OwnRequest       `yaml:"request"`

	Index      string            `yaml:"index"`      // of elasticsearch and splunk
	Table      string            `yaml:"table"`      // of clickhouse: TABLE or DATABASE.TABLE
	Source     string            `yaml:"source"`     // of the events: cloudevents, splunk
	SourceType string            `yaml:"sourcetype"` // of splunk
	Labels     map[string]string `yaml:"labels"`     // of loki, beside those of the record
}

// kind is one profile.
type kind struct {
	keys []string // of Options that it has, beside profile and headers
	acts bool     // its receivers stop mail to the person: they get the verdict yes only
	make func(o Options) (Profile, error)
}

// kinds has every profile by name.
var kinds = map[string]kind{
	"clickhouse":    {make: newClickhouse, keys: []string{"table"}},
	"cloudevents":   {make: newCloudevents, keys: slices.Concat(signingKeys, []string{"source"})},
	"elasticsearch": {make: newElasticsearch, keys: []string{"index"}},
	"kumomta":       {make: newKumoMTA},
	"listmonk":      {make: newListmonk, acts: true},
	"loki":          {make: newLoki, keys: []string{"labels"}},
	"mailgun":       {make: newMailgun, acts: true, keys: slices.Concat(providerKeys, signingKeys)},
	"native":        {make: newNative, keys: signingKeys},
	"postmark":      {make: newPostmark, acts: true, keys: providerKeys},
	"request":       {make: newRequest, acts: true, keys: slices.Concat(signingKeys, []string{"request"})},
	"sendgrid":      {make: newSendgrid, acts: true, keys: slices.Concat(providerKeys, signingKeys)},
	"ses":           {make: newSES, acts: true, keys: slices.Concat(providerKeys, []string{"topic_arn"})},
	"slack":         {make: func(Options) (Profile, error) { return slack{}, nil }},
	"sparkpost":     {make: newSparkpost, acts: true, keys: providerKeys},
	"splunk":        {make: newSplunk, keys: []string{"index", "source", "sourcetype"}},
}

// Names lists the profiles.
func Names() []string { return slices.Sorted(maps.Keys(kinds)) }

// Acts reports whether the receivers of a profile stop mail to the person.
func Acts(name string) bool { return kinds[name].acts }

// New returns a profile, or what is wrong with its keys. It reads no file. Its errors
// hold no value, which may be a secret.
func New(o Options) (Profile, error) {
	kind, known := kinds[o.Profile]
	if !known {
		return nil, fmt.Errorf("profile is none of %s", strings.Join(Names(), ", "))
	}
	v := reflect.ValueOf(o)
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if !v.Field(i).IsZero() && !slices.Contains([]string{"profile", "headers", "-"}, key) && !slices.Contains(kind.keys, key) {
			return nil, fmt.Errorf("%s is no key of the profile %s", key, o.Profile)
		}
	}
	for name, value := range o.Headers {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value.Reveal()) {
			return nil, errors.New("headers holds what is no header field")
		}
	}
	if o.SigningKey != "" && o.SigningKeyFile != "" {
		return nil, errors.New("signing_key_file is given beside signing_key; write one of them")
	}
	return kind.make(o)
}

// Status judges an answer by its status alone: 2xx is taken; 400, 413 and 422 refuse
// the items; everything else is the receiver's own fault, or that of the config.
func Status(a Answer, n int) error {
	switch {
	case a.Status/100 == 2:
		return nil
	case a.Status == http.StatusBadRequest, a.Status == http.StatusRequestEntityTooLarge, a.Status == http.StatusUnprocessableEntity:
		return delivery.Refusals{{First: 0, N: n, Reason: a.String()}}
	}
	return fmt.Errorf("answered %s", a)
}

const shown = 200 // octets of an answer that a person sees

// String is the answer on one line, for people.
func (a Answer) String() string {
	line := fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
	if text := oneLine(string(a.Body[:min(len(a.Body), shown)])); text != "" {
		line += ": " + text
	}
	return line
}

// oneLine is the start of a receiver's text without line breaks and controls.
func oneLine(text string) string {
	text = strings.ToValidUTF8(text[:min(len(text), shown)], "\ufffd")
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }), " ")
}
