package authentic

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/fblwatch/fblwatch/report"
)

// mailboxes are domains at which anybody can have a mailbox: their signature
// proves nothing of a provider, but for these addresses of its own.
var mailboxes = map[string][]string{
	"126.com": nil, "163.com": nil, "aol.com": nil, "bluewin.ch": nil, "comcast.net": nil, "cox.net": nil, "fastmail.com": nil,
	"fastmail.fm": nil, "gmail.com": nil, "hotmail.com": {"staff@hotmail.com"}, "live.com": nil, "mail.ru": nil, "netease.com": nil,
	"online.no": nil, "outlook.com": nil, "rr.com": nil, "seznam.cz": nil, "szn.cz": nil, "terra.com": nil, "terra.com.br": nil,
	"uol.com.br": nil, "usa.net": nil, "yahoo.com": nil, "yeah.net": nil, "zoho.com": nil, "zohomail.com": nil,
}

// signers gives the domains, and single addresses, that speak for the provider
// whose report r says it is: what signs its reports, and what carries them.
func signers(table report.Providers, r *report.Report) (list []string) {
	row := table.Of(r)
	for _, domain := range append(slices.Clone(row.Signed), row.Carriers...) {
		if addresses, shared := mailboxes[canonical(domain)]; shared {
			list = append(list, addresses...)
		} else {
			list = append(list, domain)
		}
	}
	return list
}

// aligned reports whether domain may speak for from: both belong to one
// organisation (relaxed alignment, RFC 7489 section 3.1), or the
// provider's row has them both.
func (c *Checker) aligned(domain, from string) bool {
	if domain == "" || from == "" {
		return false
	}
	if domain == from || organisation(domain) != "" && organisation(domain) == organisation(from) {
		return true
	}
	return covered(c.signers, domain) && covered(c.signers, from)
}

// known reports whether mail that domain vouches for, with this From, comes
// from the provider, or one of our own reporters.
func (c *Checker) known(domain, address string) bool {
	return listed(c.signers, domain, address) || listed(c.config.Reporters, domain, address)
}

// listed: one of the domains is, or has below it, domain; or one of the
// addresses is the From that domain is aligned with.
func listed(list []string, domain, address string) bool {
	if covered(list, domain) {
		return true
	}
	for _, entry := range list {
		if at := strings.LastIndexByte(entry, '@'); at >= 0 && strings.EqualFold(entry, address) && below(domain, entry[at+1:]) {
			return true
		}
	}
	return false
}

// covered reports whether domain is one of the list, or below one.
func covered(list []string, domain string) bool {
	for _, entry := range list {
		if below(domain, entry) {
			return true
		}
	}
	return false
}

func below(domain, parent string) bool {
	domain, parent = canonical(domain), canonical(parent)
	return domain != "" && (domain == parent || strings.HasSuffix(domain, "."+parent) && parent != "")
}

// organisation is the domain that somebody registered; "" for a public suffix.
func organisation(domain string) string {
	org, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return ""
	}
	return org
}

// canonical is a host or domain to compare with.
func canonical(domain string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(domain), "."))
}

// domainOf is the domain of an address, or of what is a domain alone.
func domainOf(address string) string {
	address = strings.Trim(address, "<> ")
	return canonical(address[strings.LastIndexByte(address, '@')+1:])
}
