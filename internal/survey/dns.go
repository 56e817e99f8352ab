package survey

import (
	"context"
	"errors"
	"time"

	"github.com/fblwatch/fblwatch/internal/trust"
)

// sampleDNS is for all that a sample asks.
const sampleDNS = 2 * time.Minute

var errDNSTime = errors.New("the time for the DNS is used up")

// onceDNS asks the DNS for each name once, and for no longer than left in all. It
// is not for concurrent use.
type onceDNS struct {
	resolver trust.Resolver
	answers  map[string]dnsAnswer
	left     time.Duration
}

type dnsAnswer struct {
	records []string
	err     error
}

// newOnceDNS takes nil for the system's resolver.
func newOnceDNS(resolver trust.Resolver) *onceDNS {
	if resolver == nil {
		resolver = trust.SystemResolver()
	}
	return &onceDNS{resolver: resolver, answers: make(map[string]dnsAnswer), left: sampleDNS}
}

// LookupTXT implements trust.Resolver.
func (d *onceDNS) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if known, found := d.answers[name]; found {
		return known.records, known.err
	}
	if d.left <= 0 {
		return nil, errDNSTime
	}
	ctx, cancel := context.WithTimeout(ctx, d.left)
	defer cancel()
	start := time.Now()
	records, err := d.resolver.LookupTXT(ctx, name)
	d.left -= time.Since(start)
	d.answers[name] = dnsAnswer{records, err}
	return records, err
}

// asked is how many names were asked for.
func (d *onceDNS) asked() int { return len(d.answers) }

// spent reports whether names were left out as there was no time for them.
func (d *onceDNS) spent() bool { return d.left <= 0 }
