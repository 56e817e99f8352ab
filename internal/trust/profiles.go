package trust

// Profile is a row of the table of systems that receive messages: how each names
// itself, where it writes its results, and which fields it removes. Unknown properties
// are left out: then fewer of its results count.
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
	// Inner are the addresses that its Hops have messages from, beside private ones.
	// A Received by a hop that had the message from elsewhere is where a user of the
	// system submitted it: the fields below are the user's. Empty: Hops have none from users.
	Inner []string `yaml:"inner"`
	// Border are those of its hosts that receive messages from the Internet. The
	// first Received that one of them wrote is the border, unless it had the
	// message from its own machine: the fields below came with the message.
	Border []string `yaml:"border"`
	// Below: it writes its results below the border's Received, where the
	// message's own fields follow. Else it writes above it.
	Below   bool     `yaml:"below"`
	Strips  bool     `yaml:"strips"`  // it removes foreign results with its ids
	Sealers []string `yaml:"sealers"` // domains that it seals with (RFC 8617), where a seal's word is as good as its results

	note   string // why its results do not count, where they do not
	seen   string // the month of the newest message that shows it: 2026-11
	source string // of that message, or of the measurement
}

// profiles are the built-in rows, by the messages and the words of others that
// their sources hold. Hosts that take messages from the system's own users are left out
// of Hops and Border: a user can write the fields below them.
var profiles = []Profile{
	{
		// An unsigned message has the field too, without a dkim result (2022-09,
		// github.com/chatmail/core, test data of its pull request 3583).
		Name: "gmail", IMAPHosts: []string{"imap.gmail.com", "imap.googlemail.com"},
		AuthservIDs: []string{"mx.google.com"},
		Hops:        []string{"2002:a00::/24"}, // 6to4 of 10.0.0.0/8: no host of the Internet
		Border:      []string{"mx.google.com"}, Below: true,
		Sealers: []string{"google.com"},
		seen:    "2025-01", source: "github.com/trusteddomainproject/OpenDMARC issue 265",
	},
	{
		// Foreign fields are renamed to Authentication-Results-Original; whether those
		// of one's own users are is not known, and they hand messages in to the hosts
		// that the mailboxes are on (lore.kernel.org, 2018-06). Sealers is empty:
		// Microsoft seals with "dkim=pass" what its own customers send, signed or not.
		Name: microsoft,
		IMAPHosts: []string{
			"outlook.office365.com", "outlook.office.com", "imap-mail.outlook.com",
			"outlook.office365.us", "outlook-dod.office365.us", "partner.outlook.cn",
		},
		Nameless: true,
		Hops: []string{
			".outlook.com", ".office365.com", ".exchangelabs.com",
			".office365.us", ".partner.outlook.cn",
		},
		// beside the inner nets of package report: of consumers, 2020-05; of the
		// USA, 2026-06; of China, 2026-07
		Inner:  []string{"2a01:111:e400::/48", "2001:489a::/32", "2406:e500::/32"},
		Border: []string{".mail.protection.outlook.com", ".mail.protection.office365.us", ".mail.protection.partner.outlook.cn"},
		Strips: true,
		seen:   "2026-04", source: "github.com/jstedfast/MimeKit issue 490; lore.kernel.org (office365.us: 2020-09)",
	},
	{
		// Four fields of one id; the fourth has dkim. Its milter takes foreign ones
		// away, but not from hosts that it trusts.
		Name: "fastmail", IMAPHosts: []string{"imap.fastmail.com"},
		AuthservIDs: []string{".messagingengine.com"},
		Hops:        []string{"slot*", "*-compute-*.internal", "mailmx.*.internal", ".messagingengine.com"},
		Border:      []string{".messagingengine.com"},
		Sealers:     []string{"messagingengine.com"},
		seen:        "2026-09", source: "github.com/NousResearch/hermes-agent pull request 68606",
	},
	{
		// Yahoo Japan is another system.
		Name:        "yahoo",
		IMAPHosts:   []string{"imap.mail.yahoo.com", "imap-ssl.mail.yahoo.com", "imap.aol.com", "export.imap.aol.com"},
		AuthservIDs: []string{".yahoo.com"},
		Hops:        []string{".omega.yahoo.com", "*.*.mail.*.yahoo.com"},
		Border:      []string{"10.0.0.0/8"},
		seen:        "2025-08", source: "github.com, find \"omega.yahoo.com pod-id\"; for AOL as gmail (2022-09)",
	},
	{
		// Its dkim=pass names no domain. Sealers is empty: it seals what its own
		// customers send with "dkim=pass header.i=" of their From, unchecked
		// (lore.kernel.org, 2026-06).
		Name: "zoho",
		IMAPHosts: []string{
			"imap.zoho.com", "imap.zoho.eu", "imap.zoho.in", "imap.zoho.com.au", "imap.zoho.jp", "imap.zohocloud.ca", "imap.zoho.sa", "imap.zoho.com.cn",
			"imappro.zoho.com", "imappro.zoho.eu", "imappro.zoho.in", "imappro.zoho.com.au", "imappro.zoho.jp", "imappro.zohocloud.ca", "imappro.zoho.sa", "imappro.zoho.com.cn",
		},
		AuthservIDs: []string{"mx.zohomail.com", "mx.zohomail.eu", "mx.zohomail.in"},
		Border:      []string{"mx.zohomail.com", "mx.zohomail.eu", "mx.zohomail.in"},
		seen:        "2026-09", source: "as gmail (.eu: 2022-09); github.com, find \"Authentication-Results: mx.zohomail\"",
	},
	{
		// A field for each signature; dkim=none for an unsigned message (as gmail, 2022-09).
		Name: "icloud", IMAPHosts: []string{".mail.me.com"},
		AuthservIDs: []string{"dkim-verifier.icloud.com", "spf.icloud.com", "dmarc.icloud.com"},
		Hops:        []string{"p*-mailgateway-smtp*"},
		Border:      []string{"*-qukt*.me.com", "p*-icloudmta-smtpin-*"}, Below: true,
		seen: "2026-09", source: "github.com, find \"mailgateway-smtp\"",
	},
	{
		Name:      "yandex",
		IMAPHosts: []string{"imap.yandex.ru", "imap.yandex.com", "imap.yandex.by", "imap.yandex.kz", "imap.yandex.com.tr", "imap.ya.ru"},
		Hops:      []string{".yandex.net"},
		note:      "it adds no field to an unsigned message, and may leave foreign ones",
		seen:      "2026-05", source: "github.com/chatmail/core pull request 3855",
	},
	{
		Name: "proton",
		Hops: []string{"*.protonmail.ch"},
		note: "its Bridge reorders the header: a field above a Received may be the sender's",
		seen: "2026-09", source: "github.com/ProtonMail/proton-bridge issue 321",
	},
	{
		Name: "gmx", IMAPHosts: []string{"imap.gmx.net", "imap.gmx.com", "imap.web.de", "imap.mail.com"},
		AuthservIDs: []string{"gmx.net", "web.de"},
		Border:      []string{"mx-ha.gmx.net", "mx-ha.web.de", "mx.net.ha.web.de"},
		seen:        "2025-02", source: "github.com, find \"by mx-ha.gmx.net\"",
	},
	{
		// Its seal is by the user's own domain.
		Name: "migadu", IMAPHosts: []string{"imap.migadu.com"},
		AuthservIDs: []string{"aspmx*.migadu.com"},
		Hops:        []string{"ms*.migadu.com", "mp*.migadu.com"},
		Border:      []string{"aspmx*.migadu.com"},
		seen:        "2025-11", source: "lore.kernel.org, find \"by ms17.migadu.com\"",
	},
	{
		Name: "mailbox.org", IMAPHosts: []string{"imap.mailbox.org"},
		AuthservIDs: []string{"spamfilter*.heinlein-hosting.de"},
		Hops:        []string{"director-*.heinlein-hosting.de", "dobby*.heinlein-hosting.de"},
		Border:      []string{"mx*.mailbox.org"},
		seen:        "2024-09", source: "github.com, find \"heinlein-hosting.de (amavis\"",
	},
	{
		Name: "ses", IMAPHosts: []string{"imap.mail.*.awsapps.com"},
		AuthservIDs: []string{"amazonses.com"},
		Border:      []string{"inbound-smtp.*.amazonaws.com"}, Below: true,
		seen: "2026-09", source: "github.com, find \"by inbound-smtp.us-east-1.amazonaws.com\"",
	},
}
