// Package profile writes records as the requests that receiving systems take over HTTP:
// one file a system. It sends nothing.
package profile

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
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

// Options are what a profile may need of the config.
type Options struct {
	Profile string            `yaml:"profile"` // its name
	Secret  func() []byte     `yaml:"-"`       // the signing key; nil: none
	Extra   map[string]string `yaml:"-"`       // of the profile's own keys
}

// profiles has every profile by name.
var profiles = map[string]func(Options) (Profile, error){}

// Names lists the profiles.
func Names() []string { return slices.Sorted(maps.Keys(profiles)) }

// New returns a profile.
func New(o Options) (Profile, error) {
	make, known := profiles[o.Profile]
	if !known {
		return nil, fmt.Errorf("profile is none of %s", strings.Join(Names(), ", "))
	}
	return make(o)
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
	text := strings.ToValidUTF8(string(a.Body[:min(len(a.Body), shown)]), "\ufffd")
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }), " ")
	line := fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status))
	if text != "" {
		line += ": " + text
	}
	return line
}
