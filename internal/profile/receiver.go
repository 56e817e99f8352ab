package profile

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// Why a receiver has no use for an item.
const (
	skipAlarm     = "an alarm"
	skipEvent     = "no complaint"
	skipClass     = "not from a feedback loop"
	skipVerdict   = "the verdict is not yes"
	skipAddress   = "no address in the report"
	skipMessage   = "no id of the message in the report"
	skipNoSuchKey = "the record lacks "
	skipUnread    = "" // Request says what is wrong with its JSON
)

// source is our name where receivers ask who reports.
const source = "fblwatch"

// origin says which record a receiver has, where it keeps what it does not know.
type origin struct {
	ID       string `json:"id"`
	Revision int    `json:"revision"`
	Provider string `json:"provider"`
	Feed     string `json:"feed"`
}

func originOf(r *report.Record) origin { return origin{r.ID, r.Revision, r.Provider, r.Feed} }

// complaint says why an item is no complaint of a feedback loop. No receiver knows any
// other event: each takes not_spam and opt_out for a complaint.
func complaint(item *delivery.Item) (skip string) {
	switch {
	case item.Kind == delivery.KindAlarm:
		return skipAlarm
	case item.Event != string(report.Complaint):
		return skipEvent
	case item.Class != string(report.ClassFBL) && item.Class != string(report.ClassCFBL):
		return skipClass
	}
	return ""
}

// actable says why an item must not stop mail to anybody.
func actable(item *delivery.Item) (skip string) {
	if skip := complaint(item); skip != "" {
		return skip
	}
	if item.Verdict != string(report.SuppressYes) {
		return skipVerdict
	}
	return ""
}

const maxAddress = 320 // octets: 64, an @ and 255 (RFC 5321 section 4.5.3.1)

// address is the complainant's, "" if the report names none in clear: not a hash, and
// not one of several recipients of whom any may have complained.
func address(r *report.Record) string {
	a := r.OriginalRcptTo
	if r.Complainant != report.Named || len(a) > maxAddress || !message.IsAddress(a) || message.IsPlaceholder(a) ||
		!utf8.ValidString(a) || strings.ContainsFunc(a, unicode.IsControl) {
		return ""
	}
	return a
}

// messageID is the receiver's own id of the message, else its Message-ID.
func messageID(r *report.Record) string {
	id := ""
	if r.Identity != nil {
		id = r.Identity.MessageID
	}
	if r.Original != nil {
		id = cmp.Or(id, r.Original.MessageID)
	}
	return id
}

// smtpID is the Message-ID with brackets, as some receivers keep it; "" without one.
func smtpID(r *report.Record) string {
	if r.Original == nil || r.Original.MessageID == "" {
		return ""
	}
	return "<" + r.Original.MessageID + ">"
}

// when is the time of a complaint, as exactly as it is known. It is the same at each
// attempt.
func when(item *delivery.Item, r *report.Record) time.Time {
	for _, t := range []time.Time{r.ReportedAt, r.ReceivedAt, item.At, r.ProcessedAt} {
		if !t.IsZero() {
			return t.UTC()
		}
	}
	return time.Unix(0, 0).UTC()
}

const rfc3339Milli = "2006-01-02T15:04:05.000Z" // of a time in UTC

// eventUUID and eventNumber are ids of an item, the same at each attempt and another one
// after a replay. The number is positive, and exact in every JSON reader.
func eventUUID(item *delivery.Item) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte("fblwatch:"+item.Key())).String()
}

func eventNumber(item *delivery.Item) int64 {
	sum := sha256.Sum256([]byte(item.Key()))
	return int64(binary.BigEndian.Uint64(sum[:])>>12) + 1
}

// provider is what the profiles that take the place of a provider share. Their receivers
// get one event a request: several read the first one only.
type provider struct {
	unsigned
	byMessage bool
	metadata  map[string]string // NAME: a record's key
}

// The values of Options.By.
const (
	byAddress = "address"
	byMessage = "message"
)

// providerKeys are the keys of every provider's profile.
var (
	providerKeys = []string{"by", "metadata"}
	signingKeys  = []string{"signing_key", "signing_key_file"}
)

// newProvider reads the keys. taken are names that the provider's own values have beside
// those of metadata.
func newProvider(o Options, taken ...string) (provider, error) {
	p := provider{byMessage: o.By == byMessage, metadata: o.Metadata}
	if o.By != "" && o.By != byAddress && o.By != byMessage {
		return p, errors.New("by is none of address, message")
	}
	for name, key := range o.Metadata {
		if _, known := sample().text(key); !known {
			return p, fmt.Errorf("metadata.%s is no key of a record with a single value", name)
		}
		for _, t := range taken {
			if strings.EqualFold(name, t) {
				return p, fmt.Errorf("metadata.%s is the name of a value of the provider's own", name)
			}
		}
	}
	return p, nil
}

// Takes asks for what the receiver finds a complaint by.
func (p provider) Takes(item *delivery.Item) (skip string) {
	if skip := actable(item); skip != "" {
		return skip
	}
	r, err := item.Record()
	if err != nil {
		return skipUnread
	}
	switch {
	case !p.byMessage && address(r) == "":
		return skipAddress
	case p.byMessage && messageID(r) == "" && len(p.metadata) == 0:
		return skipMessage
	}
	_, missing, err := p.own(item)
	if err != nil || missing == "" {
		return skipUnread
	}
	return skipNoSuchKey + missing
}

// read returns an item's record and the values of metadata.
func (p provider) read(item *delivery.Item) (r *report.Record, own map[string]string, err error) {
	if r, err = item.Record(); err == nil {
		own, _, err = p.own(item)
	}
	return r, own, err
}

// own are the values of metadata. missing is a key that the record lacks.
func (p provider) own(item *delivery.Item) (own map[string]string, missing string, err error) {
	own = make(map[string]string, len(p.metadata)) // never null in JSON: readers want an object
	if len(p.metadata) == 0 {
		return own, "", nil
	}
	f, err := fieldsOf(item)
	if err != nil {
		return nil, "", err
	}
	for name, key := range p.metadata {
		value, ok := f.text(key)
		if !ok && (missing == "" || key < missing) {
			missing = key
		}
		own[name] = value
	}
	return own, missing, nil
}

// unsigned is for profiles whose receivers check no signature.
type unsigned struct{}

// Sign adds nothing.
func (unsigned) Sign(*Request, time.Time) error { return nil }

// Judge reads the status alone. 406 is what Mailgun's receivers answer to a signature
// that they do not take: the config's fault.
func (provider) Judge(a Answer, n int) error { return Status(a, n) }

// event writes a request that holds one event.
func event(v any) (Request, int, error) {
	body, err := marshal(v)
	if err != nil {
		return Request{}, 0, err
	}
	return Request{Header: http.Header{"Content-Type": {"application/json"}}, Body: body}, 1, nil
}

// marshal writes JSON without escapes for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// secret is the signing key, without white space at its end.
func (o Options) secret() ([]byte, error) {
	if o.Secret == nil {
		return nil, errors.New("there is no signing key")
	}
	key, err := o.Secret()
	if err != nil {
		return nil, err
	}
	if key = bytes.TrimRight(key, " \t\r\n"); len(key) == 0 {
		return nil, errors.New("the signing key is empty")
	}
	return key, nil
}

// hasKey reports whether the config names a signing key.
func (o Options) hasKey() bool { return o.SigningKey != "" || o.SigningKeyFile != "" }
