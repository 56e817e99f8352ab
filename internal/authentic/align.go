package authentic

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Provider is what is known of one provider's reports.
type Provider struct {
	Name string
	// Signs are the domains that it signs its reports with or sends them from,
	// each with all below it. They must be its own alone: where any customer's
	// mail is signed likewise, as with a free-mail domain, only the one address
	// that reports come from may stand here.
	Signs []string
}

// aligned reports whether domain may speak for from: both belong to one
// organisation (relaxed alignment, RFC 7489 section 3.1), or one provider's row
// has them both.
func (c *Checker) aligned(domain, from string) bool {
	if domain == "" || from == "" {
		return false
	}
	if domain == from || organisation(domain) != "" && organisation(domain) == organisation(from) {
		return true
	}
	for _, p := range c.providers {
		if covered(p.Signs, domain) && covered(p.Signs, from) {
			return true
		}
	}
	return false
}

// known reports whether mail that domain vouches for, with this From, comes
// from a provider, or one of our own reporters.
func (c *Checker) known(domain, address string) bool {
	return c.provider(domain, address) || listed(c.config.Reporters, domain, address)
}

func (c *Checker) provider(domain, address string) bool {
	for _, p := range c.providers {
		if listed(p.Signs, domain, address) {
			return true
		}
	}
	return false
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
