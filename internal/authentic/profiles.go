package authentic

// Profile is a row of the table of systems that take messages in: how each names
// itself, where it writes what it found, and what it takes away. What is not known
// of a system is left out: then less of its word counts.
//
// A host, in AuthservIDs, Hops and Border, is a name; ".example.com" is that domain
// and every name below it; an address or a prefix is every address in it, for hosts
// that have no other name. A "*" is any part of one label; it is for the built-in
// rows alone.
type Profile struct {
	Name      string   `yaml:"name"`
	IMAPHosts []string `yaml:"imap_hosts"` // its IMAP servers: a name, or ".example.com"

	AuthservIDs []string `yaml:"authserv_ids"` // of its Authentication-Results (RFC 8601 section 2.5)
	Nameless    bool     `yaml:"nameless"`     // it writes them without an id
	Hops        []string `yaml:"hops"`         // its hosts, as the "by" of a Received names them
	// Border are those of its hosts that take messages in from the Internet. The
	// first Received that one of them wrote is the border, unless it had the
	// message from its own machine: what stands below came with the message.
	Border []string `yaml:"border"`
	// Below: it writes its results below the border's Received, where the
	// message's own fields follow. Else it writes above it.
	Below   bool     `yaml:"below"`
	Strips  bool     `yaml:"strips"`  // it takes foreign results away that bear its ids
	Sealers []string `yaml:"sealers"` // domains that it seals with (RFC 8617), where a seal's word is as good as its results

	seen   string // the month of the newest message that shows it
	source string
}

// profiles are the built-in rows.
var profiles = []Profile{
	{
		Name: "gmail", IMAPHosts: []string{"imap.gmail.com", "imap.googlemail.com"},
		AuthservIDs: []string{"mx.google.com"},
		Hops:        []string{"2002:a00::/24"}, // 6to4 of 10.0.0.0/8: no host of the Internet
		Border:      []string{"mx.google.com"}, Below: true,
		Sealers: []string{"google.com"},
		seen:    "2025-01", source: "github.com/trusteddomainproject/OpenDMARC issue 265",
	},
	{
		Name: microsoft,
		IMAPHosts: []string{
			"outlook.office365.com", "outlook.office.com", "imap-mail.outlook.com",
			"outlook.office365.us", "partner.outlook.cn",
		},
		Nameless: true,
		Hops: []string{
			".outlook.com", ".office365.com", ".exchangelabs.com",
			".office365.us", ".partner.outlook.cn",
		},
		Border: []string{".protection.outlook.com", ".protection.office365.us", ".protection.partner.outlook.cn"},
		Strips: true, // as Authentication-Results-Original
		seen:   "2026-04",
	},
}
