package sink

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/internal/profile"
	"github.com/fblwatch/fblwatch/report"
)

// ActConfig is the key of the types that may act on people: unsubscribe them, say. A
// sink without it only tells of them.
type ActConfig struct {
	// Act limits the sink to complainants on whom to act: verdict yes, known in clear,
	// each once per list.
	Act *bool `yaml:"act"`
}

// Acts reports whether the sink acts on people.
func (c Config) Acts() bool { return c.mustAct() || c.Acting.Act != nil && *c.Acting.Act }

// mustAct reports whether the sink has no other use than to act.
func (c Config) mustAct() bool {
	return c.Type == TypeUnsubscribe || c.Type == TypeHTTP && profile.Acts(c.Profile.Profile)
}

var errActs = errors.New("act is false, but such a sink always acts: leave act out")

func (a ActConfig) denies() bool { return a.Act != nil && !*a.Act }

// actRows is how many records an acting sink gets at once: a crash before they are
// noted makes it act on them again.
const actRows = 20

// Why a sink does not act. Each is a count, too.
const (
	skipVerdict = "the verdict is not yes"
	skipUnknown = "the complainant is not known in clear"
	skipAgain   = "acted before"
	skipUndated = "acted before, and the message has no date"
)

// act is what a sink is to do once.
type act struct {
	key  ledger.ActKey
	sent time.Time // when the reported message was sent; zero: unknown
}

// actOf returns the act that an item is about, or why there is none.
func actOf(item *delivery.Item) (a act, skip string, err error) {
	if item.Verdict != string(report.SuppressYes) {
		return act{}, skipVerdict, nil
	}
	r, err := item.Record()
	if err != nil {
		return act{}, "", err
	}
	parts := complainantOf(r)
	if parts == nil {
		return act{}, skipUnknown, nil
	}
	hash := sha256.New()
	for _, part := range append(parts, tenantOf(r), listOf(r)) {
		var size [8]byte
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		hash.Write(size[:])
		hash.Write([]byte(part))
	}
	copy(a.key[:], hash.Sum(nil))
	a.sent = sentAt(r, item.At)
	return a, "", nil
}

// complainantOf is who complained, as parts of a key; nil: not known in clear. The
// local part of an address keeps its case: A@example.com and a@example.com may be two
// people (RFC 5321 section 2.4), and to act twice on one does no harm.
func complainantOf(r *report.Record) []string {
	switch {
	case r.Complainant == report.Named && inClear(r.OriginalRcptTo) && strings.Contains(r.OriginalRcptTo, "@"):
		at := strings.LastIndexByte(r.OriginalRcptTo, '@')
		return []string{"address", r.OriginalRcptTo[:at] + strings.ToLower(r.OriginalRcptTo[at:])}
	case r.Complainant == report.Token && r.Identity != nil && inClear(r.Identity.Subscriber):
		return []string{"subscriber", r.Identity.Subscriber}
	}
	return nil
}

// inClear reports whether neither a provider nor our own privacy has hidden a piece of
// an address or of a subscriber's id.
func inClear(id string) bool {
	isHash := strings.Contains(id, "@") && message.IsHash(id)
	return id != "" && !isHash && !strings.Contains(id, "*") && !strings.Contains(strings.ToLower(id), "redacted")
}

func tenantOf(r *report.Record) string {
	if r.Identity == nil {
		return ""
	}
	return r.Identity.Tenant
}

// listOf is the list's identifier: what is between the brackets of List-Id, without
// regard to case (RFC 2919 sections 3 and 6).
func listOf(r *report.Record) string {
	if r.Original == nil {
		return ""
	}
	id := r.Original.ListID
	if from := strings.LastIndexByte(id, '<'); from >= 0 {
		id, _, _ = strings.Cut(id[from+1:], ">")
	}
	return strings.ToLower(strings.Join(strings.Fields(id), ""))
}

// mostSkew is how much later than its report a message may say that it was sent.
const mostSkew = 24 * time.Hour

// sentAt is when the reported message was sent: its own date, else when it arrived. A
// date after the report is wrong.
func sentAt(r *report.Record, reported time.Time) time.Time {
	if r.Original != nil && !r.Original.Date.After(reported.Add(mostSkew)) && !r.Original.Date.IsZero() {
		return r.Original.Date
	}
	if !r.ArrivalDate.After(reported.Add(mostSkew)) {
		return r.ArrivalDate
	}
	return time.Time{}
}

// skipAfter returns why there is nothing to do for a, if the sink last did it at last.
func (a act) skipAfter(last time.Time) string {
	switch {
	case last.IsZero():
		return ""
	case a.sent.IsZero():
		return skipUndated
	case a.sent.After(last):
		return ""
	}
	return skipAgain
}

// acted is Acted of the ledger for one sink.
type acted func(ctx context.Context, sink string, key ledger.ActKey) (time.Time, error)

// chooseAct returns the act that an acting sink is to do for item, or why there is
// none. chooser is the sink, or nil.
func chooseAct(ctx context.Context, name string, chooser Chooser, item *delivery.Item, acted acted) (a act, skip string, err error) {
	a, skip, err = actOf(item)
	if skip == "" && err == nil && chooser != nil {
		skip = chooser.Takes(item)
	}
	if skip != "" || err != nil {
		return act{}, skip, err
	}
	last, err := acted(ctx, name, a.key)
	if err != nil {
		return act{}, "", err
	}
	return a, a.skipAfter(last), nil
}

// took counts items that the sink has taken, and notes what it did with them. The note
// has its own limit of time: what is done is done, also if ctx has ended.
func (p *Pump) took(ctx context.Context, items []delivery.Item) error {
	if p.config.Acts() && len(items) > 0 {
		keys := make([]ledger.ActKey, len(items))
		for i := range items {
			a, _, err := actOf(&items[i]) // choose has seen it
			if err != nil {
				return err
			}
			keys[i] = a.key
		}
		noting, stop := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
		defer stop()
		if err := p.out.SetActed(noting, p.Name(), keys, time.Now()); err != nil {
			return fmt.Errorf("sink: noting what it did: %w", err)
		}
	}
	if len(items) > 0 {
		p.refused = 0
	}
	p.count(CountDelivered, len(items))
	return nil
}

// Rehearsal says what an acting sink would do, without doing it.
type Rehearsal struct {
	config  Config
	chooser Chooser // nil: it takes everything
	acted   acted
	would   map[ledger.ActKey]time.Time // what it said that the sink would do
}

// Rehearse returns the Rehearsal of an acting sink. acts: what sinks did already.
func Rehearse(c Config, acts ledger.ActReader) (*Rehearsal, error) {
	s, err := Open(c, Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	r := &Rehearsal{config: c, acted: acts.Acted, would: make(map[ledger.ActKey]time.Time)}
	r.chooser, _ = s.(Chooser)
	return r, nil
}

// Name returns the sink's name.
func (r *Rehearsal) Name() string { return r.config.Name }

// Says is what the sink would do with a record: "would act on a@example.com", or "would
// not act: " and why.
func (r *Rehearsal) Says(ctx context.Context, row ledger.Row) (string, error) {
	items := delivery.Items([]ledger.Row{row})
	item := &items[0]
	leave, err := r.config.leaves(item)
	if err != nil {
		return "", err
	} else if leave {
		return "would not act: the config leaves it out", nil
	}
	a, skip, err := chooseAct(ctx, r.config.Name, r.chooser, item, r.acted)
	if err != nil {
		return "", err
	}
	if skip == "" {
		skip = a.skipAfter(r.would[a.key])
	}
	if skip != "" {
		return "would not act: " + skip, nil
	}
	r.would[a.key] = time.Now()
	record, err := item.Record()
	if err != nil {
		return "", err
	}
	said := "would act on "
	if identity := record.Identity; record.Complainant == report.Token {
		said += "subscriber " + identity.Subscriber
	} else {
		said += record.OriginalRcptTo
	}
	if tenant := tenantOf(record); tenant != "" {
		said += ", tenant " + tenant
	}
	return said + ", list " + cmp.Or(listOf(record), "unknown"), nil
}
