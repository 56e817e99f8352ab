package authentic

import (
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/fblwatch/fblwatch/report"
)

// mailboxes are domains at which anybody can have a mailbox, or whose signature
// anybody's mail has: it proves nothing of a provider, but for these addresses of
// its own.
var mailboxes = map[string][]string{
	"amazonses.com": {"complaints@email-abuse.amazonses.com"},
	"126.com":       nil, "163.com": nil, "aol.com": nil, "bluewin.ch": nil, "comcast.net": nil, "cox.net": nil, "fastmail.com": nil,
	"fastmail.fm": nil, "gmail.com": nil, "hotmail.com": {"staff@hotmail.com"}, "live.com": nil, "mail.ru": nil, "netease.com": nil,
	"online.no": nil, "outlook.com": nil, "rr.com": nil, "seznam.cz": nil, "szn.cz": nil, "terra.com": nil, "terra.com.br": nil,
	"uol.com.br": nil, "usa.net": nil, "yahoo.com": nil, "yeah.net": nil, "zoho.com": nil, "zohomail.com": nil,
}

// moreMailboxes are other domains of that kind, whose mail has nothing to do with
// the reports of any provider that we know.
var moreMailboxes = []string{
	"aim.com", "free.fr", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hey.com", "icloud.com", "inbox.lv", "laposte.net",
	"libero.it", "mac.com", "mail.com", "me.com", "msn.com", "orange.fr", "pm.me", "proton.me", "protonmail.com", "qq.com", "rambler.ru", "rediffmail.com",
	"rocketmail.com", "sina.com", "sohu.com", "t-online.de", "tuta.com", "tutanota.com", "ukr.net", "web.de", "wp.pl", "yahoo.co.jp", "yandex.com", "yandex.ru", "ymail.com",
}

func isMailboxes(domain string) bool {
	domain = canonical(domain)
	_, shared := mailboxes[domain]
	return shared || slices.Contains(moreMailboxes, domain)
}

// signers gives the domains, and single addresses, that speak for the provider
// of a row: what signs its reports, and what carries them. A topic of SNS is
// anybody's: what it delivers, signed by Amazon, is what its owner wrote.
func signers(row *report.Provider, dialect string) (list []string) {
	if dialect == "ses-json" {
		return nil
	}
	for _, domain := range slices.Concat(row.Signed, row.Carriers) {
		if isMailboxes(domain) {
			list = append(list, mailboxes[canonical(domain)]...)
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
	return covered(c.signers, domain) && slices.ContainsFunc(c.signers, func(s string) bool { return below(from, s) || strings.EqualFold(c.from, s) })
}

// known reports whether mail that domain vouches for, with this From, comes
// from the provider, or one of our own reporters.
func (c *Checker) known(domain, address string) bool {
	return listed(c.signers, domain, address) || listed(c.config.Reporters, domain, address)
}

// listed: one of the domains is, or has below it, domain; or one of the
// addresses is the From, and domain is its own, below that, or above.
func listed(list []string, domain, address string) bool {
	if covered(list, domain) {
		return true
	}
	for _, entry := range list {
		at := strings.LastIndexByte(entry, '@')
		if own := entry[at+1:]; at >= 0 && strings.EqualFold(entry, address) && (below(domain, own) || below(own, domain)) {
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
