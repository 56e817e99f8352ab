package authentic

import (
	"net/netip"

	"github.com/fblwatch/fblwatch/report"
)

// Own reports whether the reported mail is ours. Where we know the addresses
// that we send from, and the report says where the mail came from, that alone
// decides: anyone can write our domain into a mail. Else its author or
// its envelope sender must be of our domains; and where the reporter says what
// it made of them, it must have found one of them genuine.
func (c *Checker) Own(rec *report.Record) bool {
	return c.own(rec.SourceIP, rec.OriginalMailFrom, rec.Original, rec.AuthenticationResults)
}

func (c *Checker) own(ip, mailFrom string, o *report.Original, results []string) bool {
	if addr, err := netip.ParseAddr(ip); err == nil && len(c.ips) > 0 {
		addr = addr.Unmap()
		for _, prefix := range c.ips {
			if prefix.Contains(addr) {
				return true
			}
		}
		return false
	}
	domains := c.config.Own.Domains
	named := covered(domains, domainOf(mailFrom))
	if o != nil {
		named = named || covered(domains, domainOf(o.FromDomain)) || covered(domains, domainOf(o.ReturnPath))
	}
	if !named {
		return false
	}
	said := false
	for _, v := range results {
		for _, res := range parseResults(v).results {
			if domain := res.domain(); domain != "" && res.value != "none" {
				if said = true; res.value == "pass" && covered(domains, domain) {
					return true
				}
			}
		}
	}
	return !said
}
