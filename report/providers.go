package report

import (
	"slices"
)

// builtin is what is known about providers; providers.md says since when, by
// which message, and where to enrol. Of a provider's rows the one without a mark
// of a feed comes first.
var builtin = []Provider{
	{Name: "yahoo", Feed: "cfl", Class: ClassFBL, Dialects: []string{"yahoo", "yahoo-ses"},
		Signed: []string{"arf.mail.yahoo.com"}, Carriers: []string{"amazonses.com"}, Hosts: yahooHosts},
	{Name: "yahoo", Feed: "cfl", Class: ClassFBL, From: []string{"arf.mail.yahoo.com"}, Signed: []string{"arf.mail.yahoo.com"}, Hosts: yahooHosts}, // whatever it writes next
	{Name: "aol", Feed: "scomp", Class: ClassFBL, Dialects: []string{"aol"}, Signed: []string{"aol.net", "aol.com"}, Hosts: aolHosts},

	validity("", nil),
	{Name: "validity", Class: ClassFBL, From: validitySigned, Signed: validitySigned, Hashes: true},
	validity("bluetie", []string{"bluetie.com"}, aliases("fbl-bluetie")...),
	validity("comcast", []string{"comcast.net"}, "*@comcastfbl.senderscore.net"),
	validity("cox", []string{"cox.net"}, "*@coxfbl.senderscore.net"),
	validity("fastmail", []string{"messagingengine.com", "fastmail.com", "fastmail.fm"}, "*@fastmailfbl.senderscore.net"),
	validity("italiaonline", []string{"italiaonline.net", "libero.it", "virgilio.it"}, "*@fbl.italiaonline.net"),
	validity("laposte", []string{"laposte.net"}, "*@laposte.senderscore.net"),
	validity("mailru", []string{"mail.ru"}, "*@mailru.senderscore.net"),
	validity("opensrs", []string{"hostedemail.com"}, append(aliases("fbl-opensrs"), "*@opensrsfbl.senderscore.net", "*@tucowsfbl.senderscore.net")...),
	validity("rackspace", []string{"rackspace.com", "emailsrvr.com"}, "*@rackspacefbl.senderscore.net"),
	validity("roadrunner", []string{"rr.com"}, "*@twcfbl.senderscore.net"),
	validity("synacor", []string{"synacor.com"}, "*@synacorfbl.senderscore.net"),
	validity("terra", []string{"terra.com", "terra.com.br"}, "*@terrafbl.senderscore.net"),
	validity("usanet", []string{"usa.net"}, "*@usanetfbl.senderscore.net"),
	validity("yandex", []string{"yandex.ru", "yandex.net", "yandex.com"}, "*@yandexfbl.senderscore.net"),
	byAlias("bluetie", aliases("fbl-bluetie")...), // whatever the report calls itself
	byAlias("italiaonline", "*@fbl.italiaonline.net"),
	byAlias("laposte", "*@laposte.senderscore.net"),
	byAlias("mailru", "*@mailru.senderscore.net"),
	byAlias("opensrs", append(aliases("fbl-opensrs"), "*@opensrsfbl.senderscore.net", "*@tucowsfbl.senderscore.net")...),
	byAlias("yandex", "*@yandexfbl.senderscore.net"),

	{Name: "microsoft", Feed: "jmrp", Class: ClassFBL, Dialects: []string{"jmrp", "jmrp-arf2026"}, Signed: microsoftSigned, Hosts: microsoftHosts},
	{Name: "microsoft", Feed: "dmarc", Class: ClassAuth, Dialects: []string{"dmarc-hotmail"}, Signed: microsoftSigned, Hosts: microsoftHosts},

	{Name: "netease", Feed: "dmarc", Class: ClassAuth, Dialects: []string{"dmarc-netease"},
		Signed: neteaseHosts, Hosts: neteaseHosts},
	{Name: "linkedin", Feed: "dmarc", Class: ClassAuth, Dialects: []string{"dmarc-lua"}, From: []string{"linkedin.com"},
		Signed: []string{"linkedin.com"}, Hosts: []string{"linkedin.com"}},
	{Feed: "dmarc", Class: ClassAuth, Dialects: []string{"dmarc-lua", "dmarc-opendmarc", "dmarc-plaintext"}},
	{Feed: "dkim", Class: ClassAuth, Dialects: []string{"opendkim"}},

	{Name: "spamcop", Feed: "reports", Class: ClassService, Dialects: []string{"spamcop", "spamcop-plain"}, Signed: []string{"spamcop.net"}},
	{Name: "spamcop", Feed: "reports", Class: ClassService, From: []string{"spamcop.net"}, Signed: []string{"spamcop.net"}},
	{Name: "abusix", Feed: "traps", Class: ClassTrap, Dialects: []string{"abusix"}, Signed: []string{"abusix.com", "abusix.org"}},
	{Name: "abusix", Feed: "traps", Class: ClassTrap, From: []string{"abusix.com", "abusix.org"}, Signed: []string{"abusix.com", "abusix.org"}},
	{Name: "spamexperts", Feed: "filter", Class: ClassFilter, Dialects: []string{"spamexperts"}, Signed: []string{"spamexperts.com"}},
	{Name: "nixspam", Feed: "filter", Class: ClassFilter, Dialects: []string{"nixspam"}, Signed: []string{"nixspam.net", "heise.de"}},
	{Name: "nixspam", Feed: "filter", Class: ClassFilter, From: []string{"nixspam.net", "*nixspam*@heise.de"}, Signed: []string{"nixspam.net", "heise.de"}},
	{Name: "spfbl", Feed: "filter", Class: ClassFilter, Dialects: []string{"spfbl"}, Signed: []string{"spfbl.net"}},
	{Name: "dnsblde", Feed: "filter", Class: ClassFilter, Dialects: []string{"dnsblde"}, Signed: []string{"dnsbl.de"}},
	{Name: "dnsblde", Feed: "filter", Class: ClassFilter, From: []string{"dnsbl.de"}, Signed: []string{"dnsbl.de"}},

	{Name: "zoho", Feed: "fbl", Class: ClassFBL, Dialects: []string{"zoho"}, Signed: zohoSigned, Hosts: zohoHosts},
	{Name: "zoho", Feed: "fbl", Class: ClassFBL, From: []string{"fbl.zoho.com"}, Signed: zohoSigned, Hosts: zohoHosts},
	loop("mailru", "mail.ru", "corp.mail.ru"),
	loop("seznam", "seznam.cz", "szn.cz"),
	loop("swisscom", "swisscom.com", "swisscom.ch", "bluewin.ch"),
	loop("telenor", "telenor.net", "telenor.no", "online.no"),
	loop("uol", "uol.com.br"),

	{Name: "amazonses", Feed: "sns", Class: ClassFBL, Dialects: []string{"ses-json"}, Signed: []string{"amazonses.com", "sns.amazonaws.com"}},
	{Name: "amazonses", Feed: "complaints", Class: ClassFBL, From: []string{"complaints@email-abuse.amazonses.com"}, Signed: []string{"amazonses.com"}},

	{Feed: "cfbl", Class: ClassCFBL, Dialects: []string{"cfbl-arf", "cfbl-xarf"}, Hashes: true}, // RFC 6590
	{Feed: "sieve", Dialects: []string{"sieve-report"}},
}

var (
	yahooHosts      = []string{"yahoo.com", "yahoo.co.jp", "yahoodns.net"}
	aolHosts        = []string{"aol.com", "aol.net"}
	neteaseHosts    = []string{"163.com", "126.com", "yeah.net", "netease.com"}
	microsoftHosts  = []string{"hotmail.com", "outlook.com", "office365.com", "prod.exchangelabs.com", "partner.outlook.cn", "office365.us", "phx.gbl"}
	microsoftSigned = []string{"hotmail.com", "outlook.com", "microsoft.com"}
	validitySigned  = []string{"senderscore.net", "returnpath.net", "validity.com"}
	zohoHosts       = []string{"zoho.com", "zohomail.com"}
	zohoSigned      = []string{"fbl.zoho.com", "zoho.com", "zohomail.com"}
)

// validityLoops are what signs the reports of a feed beside Validity: the domain
// of the loop's address, in published reports, and the feed's own.
var validityLoops = map[string][]string{
	"bluetie":    {"feedback.bluetie.com", "bluetie.com"},
	"cox":        {"fbl.cox.net", "cox.net"},
	"opensrs":    {"fbl.hostedemail.com", "hostedemail.com"},
	"rackspace":  {"fbl.apps.rackspace.com"},
	"roadrunner": {"feedback.postmaster.rr.com"},
	"synacor":    {"fbl.synacor.com"},
	"terra":      {"feedback.terra.com"},
	"usanet":     {"fbl.usa.net"},
}

// validity is a feed of Validity's universal feedback loop, which was Return
// Path's: known by Source, or by From, which is at the feed's own domain or at
// an alias.
func validity(feed string, hosts []string, aliases ...string) Provider {
	p := Provider{Name: "validity", Feed: feed, Class: ClassFBL, Hashes: true,
		Dialects: []string{"returnpath1", "returnpath2"}, Signed: slices.Concat(validitySigned, validityLoops[feed]), Hosts: hosts}
	if feed != "" {
		p.Sources = []string{feed}
		p.From = append(aliases, hosts...)
	}
	return p
}

// aliases are the addresses of a feed that is named by the local part, or by the
// host, of an address of Validity's.
func aliases(name string) (from []string) {
	for _, domain := range validitySigned {
		from = append(from, name+"*@"+domain, "*@"+name+"."+domain)
	}
	return from
}

// byAlias is a feed of Validity's by From alone, for reports of no dialect of its
// own.
func byAlias(feed string, from ...string) Provider {
	return Provider{Name: "validity", Feed: feed, Class: ClassFBL, From: from, Signed: validitySigned, Hashes: true}
}

// loop is a provider that is known by the address of its loop, which is at the
// domain of its users: the local part must say what it is.
func loop(name string, domains ...string) Provider {
	p := Provider{Name: name, Feed: "fbl", Class: ClassFBL, Signed: domains, Hosts: domains}
	for _, domain := range domains {
		for _, local := range [...]string{"fbl*", "*-fbl", "feedback*", "abuse-report*", "complaint*"} {
			p.From = append(p.From, local+"@"+domain)
		}
	}
	return p
}

// Provider is one row of the table of providers: a feed, the marks of its reports, and
// what is known about it. All comparisons ignore case.
//
// A row that lists Dialects matches these only. A row that lists Sources or From must
// match by one of them. Any other row must match by one mark. Of several rows, the one
// that matches by Dialects wins, then by Signed, UserAgents, Sources, From; of equal
// ones, the first. A row without a Name that matches by Dialects alone counts less than
// one that matches by Signed or UserAgents: your own header may ask for that dialect
// (RFC 9477).
type Provider struct {
	Name  string `yaml:"provider"` // "": the registrable domain of the outer From, for programs that anybody runs
	Feed  string `yaml:"feed"`     // "": unknown
	Class Class  `yaml:"class"`    // "": as the report says, else ClassFBL

	Dialects   []string `yaml:"dialects"`    // whole names, as in Record.Dialect
	Signed     []string `yaml:"signed"`      // domains that sign its reports (RFC 6376), and those below them
	UserAgents []string `yaml:"user_agents"` // how the User-Agent begins
	Sources    []string `yaml:"sources"`     // the field Source of the report part
	From       []string `yaml:"from"`        // a domain, with those below it; or an address there, whose local part may begin or end with "*"

	Carriers []string `yaml:"carriers"` // domains of From that may differ from Signed
	Hosts    []string `yaml:"hosts"`    // domains of the hosts that take in its users' messages
	Hashes   bool     `yaml:"hashes"`   // a local part of 32, 40 or 64 hexadecimal digits is a hash (RFC 6590)
}

// Providers are your own rows of the table. The built-in rows follow them; nil has the
// built-in rows alone.
type Providers []Provider
