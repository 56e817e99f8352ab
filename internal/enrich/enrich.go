// Package enrich adds facts about the address that a reported message came from: its
// name in the DNS, and its country and network from the user's own MMDB files. Facts
// that are unknown, or not known in time, are left out.
package enrich

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/fblwatch/fblwatch/internal/remote"
	"github.com/fblwatch/fblwatch/report"
)

// Config selects what to look up. The zero value looks nothing up.
type Config struct {
	ReverseDNS bool `yaml:"reverse_dns"` // asks the DNS
	// CountryFile and ASNFile are databases in MaxMind's format, by MaxMind, DB-IP,
	// IPinfo or IPLocate, or with the keys of one of them. Both may name the same
	// file. They are held in memory.
	CountryFile string        `yaml:"country_file"`
	ASNFile     string        `yaml:"asn_file"`
	Timeout     time.Duration `yaml:"timeout"` // for all DNS lookups of one message; 0 means 2 s, 30 s at most
}

const (
	defaultTimeout = 2 * time.Second
	maxTimeout     = 30 * time.Second
)

// Validate checks the values. It does not open the files.
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

// Resolver asks the DNS, as *net.Resolver does. Both methods must return when ctx is
// done. If a name does not exist, the error is a *net.DNSError with IsNotFound set.
// Names that come with an error count.
type Resolver interface {
	LookupAddr(ctx context.Context, addr string) (names []string, err error)
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Enricher looks addresses up. It is for concurrent use. A nil Enricher does nothing.
type Enricher struct {
	dns     *names    // nil: do not ask
	country *database // nil: none
	asn     *database // nil: none; may be country
}

// New reads the files. It returns nil if there is nothing to look up. A nil resolver
// means the system's. The error names the key and the file.
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

// Asks reports whether Records may wait for the DNS.
func (e *Enricher) Asks() bool { return e != nil && e.dns != nil }

// Records completes the Source of all records of one report. It keeps the values that
// Source already has. It waits for Config.Timeout at most.
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

// source returns s, completed by what is known about an address.
func (e *Enricher) source(ctx context.Context, text string, s report.Source, deadline time.Time) report.Source {
	ip, err := netip.ParseAddr(text)
	if err != nil {
		return s
	}
	ip = ip.Unmap().WithZone("")
	if s.Country == "" {
		s.Country = lookup[location](e.country, ip).country()
	}
	if s.ASN == 0 {
		s.ASN, s.ASName = lookup[network](e.asn, ip).asn()
	}
	if s.ReverseDNS == "" && e.dns != nil && remote.IsPublic(ip) {
		s.ReverseDNS = e.dns.lookup(ctx, ip, deadline)
	}
	return s
}

// Refresh reads the files again that have changed since they were read. Lookups go on
// meanwhile. The error lists what does not work at present: a file that cannot be used
// (the data read before stay in use), or a DNS that does not answer. Call it from one
// goroutine, about once a minute.
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
