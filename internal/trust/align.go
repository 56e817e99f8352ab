package trust

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// mailboxes are domains at which anybody can have a mailbox, or that sign anybody's
// messages. Such a signature proves nothing about a provider, except for these addresses
// of the provider's own. providers.md lists the trusted ones with reasons.
var mailboxes = map[string][]string{
	"amazonses.com":   {"complaints@email-abuse.amazonses.com"},
	"bluetie.com":     {"feedbackloop@feedback.bluetie.com"},
	"cox.net":         {"feedbackloop@fbl.cox.net"},
	"hostedemail.com": {"feedbackloop@fbl.hostedemail.com"},
	"hotmail.com":     {"staff@hotmail.com"},
	"126.com":         nil, "163.com": nil, "aol.com": nil, "bluewin.ch": nil, "comcast.net": nil, "fastmail.com": nil,
	"fastmail.fm": nil, "gmail.com": nil, "live.com": nil, "mail.ru": nil, "microsoft.com": nil, "netease.com": nil,
	"online.no": nil, "outlook.com": nil, "rr.com": nil, "seznam.cz": nil, "szn.cz": nil, "terra.com": nil, "terra.com.br": nil,
	"uol.com.br": nil, "usa.net": nil, "yahoo.com": nil, "yeah.net": nil, "zoho.com": nil, "zohomail.com": nil,
}

// staff are domains from which the employees of a provider write, under any name and
// with any User-Agent. trust.reporters can still name them.
var staff = []string{"returnpath.net", "validity.com"}

// moreMailboxes are other domains of that kind. No known provider reports from them.
var moreMailboxes = []string{
	"aim.com", "free.fr", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hey.com", "icloud.com", "inbox.lv", "laposte.net",
	"libero.it", "mac.com", "mail.com", "me.com", "msn.com", "orange.fr", "pm.me", "proton.me", "protonmail.com", "qq.com", "rambler.ru", "rediffmail.com",
	"rocketmail.com", "sina.com", "sohu.com", "t-online.de", "tuta.com", "tutanota.com", "ukr.net", "web.de", "wp.pl", "yahoo.co.jp", "yandex.com", "yandex.ru", "ymail.com",
}

// topics is the domain with which SNS signs the messages of every topic.
const topics = "sns.amazonaws.com"

func isMailboxes(domain string) bool {
	domain = canonical(domain)
	_, shared := mailboxes[domain]
	return shared || slices.Contains(moreMailboxes, domain)
}

// signers gives the domains, and single addresses, that speak for the provider
// of a row: those that sign its reports, and those that carry them. Anybody can own a
// topic of SNS: Amazon signs whatever the owner writes.
func signers(row *report.Provider, dialect string) (list []string) {
	if dialect == "ses-json" {
		return nil
	}
	for _, domain := range slices.Concat(row.Signed, row.Carriers) {
		switch {
		case isMailboxes(domain):
			list = append(list, mailboxes[canonical(domain)]...)
		case !slices.Contains(staff, canonical(domain)):
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
	if domain == from || message.Organisation(domain) != "" && message.Organisation(domain) == message.Organisation(from) {
		return true
	}
	return covered(c.signers, domain) && slices.ContainsFunc(c.signers, func(s string) bool { return below(from, s) || sameAddress(c.from, s) })
}

// known reports whether a message that domain vouches for, with this From, comes
// from the provider, or one of our own reporters.
func (c *Checker) known(domain, address string) bool {
	return listed(c.signers, domain, address) || listed(c.config.Reporters, domain, address) || reportsBelow(c.config.Reporters, domain, address)
}

// reportsBelow: the From is at one of the domains, or below it, and domain is
// above that. Where others have mailboxes at domain, it proves nothing.
func reportsBelow(list []string, domain, address string) bool {
	return !isMailboxes(domain) && !isMailboxes(message.Organisation(domain)) && slices.ContainsFunc(list, func(entry string) bool {
		return !strings.Contains(entry, "@") && above(domain, entry) && below(domainOf(address), entry)
	})
}

// listed: one of the domains is, or has below it, domain; or one of the
// addresses is the From, and domain is its own, below that, or above.
func listed(list []string, domain, address string) bool {
	if covered(list, domain) {
		return true
	}
	for _, entry := range list {
		at := strings.LastIndexByte(entry, '@')
		if own := entry[at+1:]; at >= 0 && sameAddress(entry, address) && (below(domain, own) || above(domain, own)) {
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

// above reports whether domain is a parent of another domain, and not a public suffix.
func above(domain, of string) bool {
	return below(of, domain) && canonical(domain) != canonical(of) && message.Organisation(canonical(domain)) != ""
}

// maxDomain is how many octets a name may have to be read as one with U-labels:
// A-labels are up to 253 long, and none is a quarter of its U-label.
const maxDomain = 4 * 253

// canonical is a host or domain to compare with, and to ask the DNS for: in lower
// case, without the final dot, and in A-labels (RFC 5890 section 2.3.2.1). A name
// that cannot be put into A-labels equals no name that can.
func canonical(domain string) string {
	domain = strings.TrimSuffix(strings.TrimSpace(domain), ".")
	if len(domain) <= maxDomain && utf8.ValidString(domain) && strings.ContainsFunc(domain, func(r rune) bool { return r >= utf8.RuneSelf }) {
		if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
			domain = ascii
		}
	}
	return lower(domain)
}

// serverID is an authserv-id in comparable form. A U-label is not the same id as its
// A-label: servers that remove foreign fields with their id do not convert labels.
func serverID(id string) string { return lower(strings.TrimSuffix(id, ".")) }

// lower puts only the letters of ASCII into lower case: the lower case of some others,
// such as the Kelvin sign, is a letter of ASCII.
func lower(s string) string {
	var b []byte // s, where it is not as it should be
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			if b == nil {
				b = []byte(s)
			}
			b[i] += 'a' - 'A'
		}
	}
	if b == nil {
		return s
	}
	return string(b)
}

// sameAddress reports whether two addresses differ at most in the case of
// letters, or in how their domain is written.
func sameAddress(a, b string) bool {
	at, other := strings.LastIndexByte(a, '@'), strings.LastIndexByte(b, '@')
	return at >= 0 && other >= 0 && lower(a[:at]) == lower(b[:other]) && canonical(a[at+1:]) == canonical(b[other+1:])
}

// domainOf is the domain of an address, or of what is a domain alone.
func domainOf(address string) string {
	address = strings.Trim(address, "<> ")
	return canonical(address[strings.LastIndexByte(address, '@')+1:])
}
