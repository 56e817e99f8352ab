package authentic

import (
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

func TestOwn(t *testing.T) {
	from := func(domain string) *report.Original { return &report.Original{FromDomain: domain} }
	for _, test := range []struct {
		name string
		own  Own
		rec  report.Record
		want bool
	}{
		{"our address", Own{IPs: []string{"192.0.2.0/24"}}, report.Record{SourceIP: "192.0.2.9"}, true},
		{"our address, an author of a customer", Own{Domains: []string{ours}, IPs: []string{"192.0.2.9"}}, report.Record{SourceIP: "192.0.2.9", Original: from("customer.example")}, true},
		{"ipv6", Own{IPs: []string{"2001:db8::/32"}}, report.Record{SourceIP: "2001:db8::1"}, true},
		{"not our address, our name", Own{Domains: []string{ours}, IPs: []string{"192.0.2.9"}}, report.Record{SourceIP: "192.0.2.10", Original: from(ours)}, false},
		{"no address known, our name", Own{Domains: []string{ours}, IPs: []string{"192.0.2.9"}}, report.Record{Original: from(ours)}, true},
		{"only domains", Own{Domains: []string{ours}}, report.Record{SourceIP: "203.0.113.1", Original: from("news.example.com")}, true},
		{"the envelope", Own{Domains: []string{ours}}, report.Record{OriginalMailFrom: "bounce+1@b.Example.COM", Original: from("customer.example")}, true},
		{"a name that ends like ours", Own{Domains: []string{ours}}, report.Record{Original: from("notexample.com")}, false},
		{"below it stands another", Own{Domains: []string{ours}}, report.Record{Original: from("example.com.evil.example")}, false},
		{"found genuine", Own{Domains: []string{ours}}, report.Record{Original: from(ours), AuthenticationResults: []string{"mx; dkim=pass header.d=example.com; spf=fail smtp.mailfrom=x@evil.example"}}, true},
		{"found another's", Own{Domains: []string{ours}}, report.Record{Original: from(ours), AuthenticationResults: []string{"mx; dkim=pass header.d=evil.example; spf=fail smtp.mailfrom=x@example.com"}}, false},
		{"found nothing", Own{Domains: []string{ours}}, report.Record{Original: from(ours), AuthenticationResults: []string{"mx; dkim=none; spf=none smtp.mailfrom=x@example.com"}}, true},
		{"no original", Own{Domains: []string{ours}}, report.Record{}, false},
		{"nothing is ours", Own{}, report.Record{SourceIP: "192.0.2.9", Original: from(ours)}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := New(Config{Own: test.own}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Own(&test.rec); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestAligned(t *testing.T) {
	c, err := New(Config{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.signers = []string{reporter, carrier}
	for _, test := range []struct {
		domain, from string
		want         bool
	}{
		{"a.example", "a.example", true},
		{"mail.a.example", "a.example", true},
		{"a.example", "b.a.example", true},
		{"a.co.uk", "b.co.uk", false}, // co.uk is a public suffix
		{"co.uk", "b.co.uk", false},
		{"a.example", "b.example", false},
		{"carrier.example.org", "fbl.example.net", true}, // a pair of the table
		{"carrier.example.org", "other.example.net", false},
		{"evil.example", "fbl.example.net", false},
		{"", "", false},
	} {
		if got := c.aligned(test.domain, test.from); got != test.want {
			t.Errorf("%s for %s: got %v", test.domain, test.from, got)
		}
	}
}

// What the built-in table says of a provider that gives out mailboxes at the
// domain it signs with is not enough to believe one of them.
func TestMailboxesAreNoProvider(t *testing.T) {
	mail := func(from, agent string) *report.Report {
		m := crlfs("From: <" + from + ">\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\n" +
			"Feedback-Type: abuse\nUser-Agent: " + agent + "\nVersion: 1\n\n--b\nContent-Type: message/rfc822\n\nFrom: a@example.com\nSubject: x\n\n--b--\n")
		return report.Parse([]byte(m), int64(len(m)))
	}
	for _, test := range []struct {
		from, agent, signed string
		want                bool
	}{
		{"staff@hotmail.com", "JMRP/1.0", "hotmail.com", true},
		{"anybody@hotmail.com", "JMRP/1.0", "hotmail.com", false},
		{"feedback1@mail.ru", "x", "mail.ru", false},
		{"feedback@arf.mail.yahoo.com", "Yahoo!-Mail-Feedback/2.0", "arf.mail.yahoo.com", true},
		{"anybody@yahoo.com", "Yahoo!-Mail-Feedback/2.0", "yahoo.com", false},
		{"complaints@email-abuse.amazonses.com", "Yahoo!-Mail-Feedback/1.0", "arf.mail.yahoo.com", true},
	} {
		c := &Checker{signers: signers(nil, mail(test.from, test.agent))}
		if got := c.aligned(test.signed, domainOf(test.from)) && c.known(test.signed, test.from); got != test.want {
			t.Errorf("%s by %s: got %v of %v", test.from, test.signed, got, c.signers)
		}
	}
}
