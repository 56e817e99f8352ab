// Package enrich fills in what others than the report know of the address that a
// reported message came from: its name in the DNS, and its country and network by
// MMDB files of the user's own. What is not known, or not known in time, is left
// out.
package enrich

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// Config says what to look up; the zero value looks nothing up.
type Config struct {
	ReverseDNS bool `yaml:"reverse_dns"` // which asks the DNS
	// CountryFile and ASNFile are databases in MaxMind's format: of MaxMind,
	// DB-IP, IPinfo or IPLocate, or of one of their shapes. One file may serve as
	// both. They are held in memory.
	CountryFile string        `yaml:"country_file"`
	ASNFile     string        `yaml:"asn_file"`
	Timeout     time.Duration `yaml:"timeout"` // for all of one message's DNS; default 2 s
}

const (
	defaultTimeout = 2 * time.Second
	maxTimeout     = 30 * time.Second
)

// Validate checks the values; it does not open the files.
func (c Config) Validate() error {
	if c.Timeout < 0 || c.Timeout > maxTimeout {
		return fmt.Errorf("timeout: %v is not between 0 and %v", c.Timeout, maxTimeout)
	}
	return nil
}

func (c Config) timeout() time.Duration {
	if c.Timeout == 0 {
		return defaultTimeout
	}
	return c.Timeout
}

// Resolver asks the DNS; *net.Resolver is one. Both methods must return when ctx
// is done. That there is no such name is a *net.DNSError with IsNotFound set;
// names beside an error count.
type Resolver interface {
	LookupAddr(ctx context.Context, addr string) (names []string, err error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Enricher looks addresses up. It is for concurrent use; a nil Enricher does
// nothing.
type Enricher struct {
	dns     *names    // nil: not asked
	country *database // nil: none
	asn     *database // nil: none; may be country
}

// New opens the files; it returns nil where there is nothing to do. A nil
// resolver is the system's.
func New(c Config, resolver Resolver) (*Enricher, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if !c.ReverseDNS && c.CountryFile == "" && c.ASNFile == "" {
		return nil, nil
	}
	e := &Enricher{}
	if c.ReverseDNS {
		if resolver == nil {
			resolver = net.DefaultResolver
		}
		e.dns = newNames(resolver, c.timeout())
	}
	var err error
	switch {
	case c.CountryFile == "":
	case c.CountryFile == c.ASNFile:
		e.country, err = open(c.CountryFile, wantsCountry, wantsASN)
		e.asn = e.country
	default:
		e.country, err = open(c.CountryFile, wantsCountry)
	}
	if err == nil && c.ASNFile != "" && e.asn == nil {
		e.asn, err = open(c.ASNFile, wantsASN)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Asks tells whether Records may wait for the DNS.
func (e *Enricher) Asks() bool { return e != nil && e.dns != nil }

// Records fills in the Source of all records of one report, but for what stands
// in it already. It waits no longer than Config.Timeout.
func (e *Enricher) Records(ctx context.Context, records []report.Record) {
	if e == nil {
		return
	}
	var deadline time.Time
	if e.dns != nil {
		deadline = time.Now().Add(e.dns.timeout)
	}
	for i := range records {
		rec := &records[i]
		var had report.Source
		if rec.Source != nil {
			had = *rec.Source
		}
		if s := e.source(ctx, rec.SourceIP, had, deadline); s != had {
			rec.Source = &s
		}
	}
}

// source is s with what is known of an address besides.
func (e *Enricher) source(ctx context.Context, text string, s report.Source, deadline time.Time) report.Source {
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return s
	}
	ip = ip.Unmap().WithZone("")
	if s.Country == "" {
		s.Country = lookup[place](e.country, ip).country()
	}
	if s.ASN == 0 {
		s.ASN, s.ASName = lookup[system](e.asn, ip).asn()
	}
	if s.ReverseDNS == "" && e.dns != nil && isPublic(ip) {
		s.ReverseDNS = e.dns.lookup(ctx, ip, deadline)
	}
	return s
}

// Refresh opens a file that has been replaced since it was opened; lookups go on
// meanwhile. The error says what does not work now: a file that cannot be used,
// in place of which the old one stays, or a DNS that does not answer. One
// goroutine calls it, now and again.
func (e *Enricher) Refresh() error {
	if e == nil {
		return nil
	}
	err := e.country.refresh()
	if e.asn != e.country {
		err = errors.Join(err, e.asn.refresh())
	}
	return errors.Join(err, e.dns.state())
}
