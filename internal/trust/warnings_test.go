package trust

import (
	"strings"
	"testing"
)

// What a config only seems to do is said; what is whole is not.
func TestWarnings(t *testing.T) {
	own := Own{Domains: []string{"example.com"}}
	ids := []string{"mx.example.com"}
	at := func(host, profile string) map[string]Account {
		return map[string]Account{"a": {Host: host, Mailbox: Mailbox{Profile: profile}}}
	}
	const (
		own0    = "trust.own is not set"
		hops0   = "trust.hops has no effect without trust.authserv_ids"
		silent  = "account a: the sender of its reports cannot be verified"
		below   = "account a: its servers write results below a Received"
		unused  = "trust.authserv_ids and trust.hops apply to no account"
		anybody = "trust.own.domains[1] is a domain at which anybody can have a mailbox"
		private = "trust.own.ips[1] is no address of the Internet"
		wide    = "trust.own.ips[0] is a wide network"
		lenient = "trust.arc_sealers[1] seals messages of its own customers unverified"
	)
	for _, test := range []struct {
		name   string
		config Config
		want   []string
	}{
		{"nothing is set", Config{Accounts: at("imap.example.com", "")}, nil},
		{"own", Config{Own: own, Accounts: at("imap.example.com", "")}, nil},
		{"own and ids", Config{Own: own, AuthservIDs: ids, DKIM: new(false), Accounts: at("imap.example.com", "")}, nil},
		{"own and hops, verified", Config{Own: own, AuthservIDs: ids, Hops: ids, Accounts: at("imap.example.com", "")}, nil},
		{"ids without own", Config{AuthservIDs: ids, Accounts: at("imap.example.com", "")}, []string{own0}},
		{"dkim without own", Config{DKIM: new(true), Accounts: at("imap.example.com", "")}, []string{own0}},
		{"dkim off without own", Config{DKIM: new(false), Accounts: at("imap.example.com", "")}, nil},
		{"hops without ids", Config{Own: own, Hops: ids, Accounts: at("imap.example.com", "")}, []string{hops0}},
		{"own without anything", Config{Own: own, DKIM: new(false), Accounts: at("imap.example.com", "")}, []string{silent}},
		{"own, and hops alone", Config{Own: own, Hops: ids, DKIM: new(false), Accounts: at("imap.example.com", "")}, []string{hops0, silent}},
		{"own, with seals", Config{Own: own, DKIM: new(false), ARCSealers: []string{"example.net"}, Accounts: at("imap.example.com", "")}, nil},
		{"own, with the seals of a lenient sealer", Config{Own: own, ARCSealers: []string{"example.net", "Microsoft.com"}}, []string{lenient}},
		{"below, not verified", Config{Own: own, AuthservIDs: ids, Hops: ids, DKIM: new(false), Accounts: at("imap.example.com", "")}, []string{below}},
		{"below, at a host that writes there", Config{Own: own, DKIM: new(false), Accounts: at("imap.gmail.com", "")}, []string{below}},
		{"at a host that writes above", Config{Own: own, DKIM: new(false), Accounts: at("outlook.office365.com", "")}, nil},
		{"ids for nobody", Config{Own: own, AuthservIDs: ids, Accounts: at("outlook.office365.com", "")}, []string{unused}},
		{"ids for an own mailbox", Config{Own: own, AuthservIDs: ids, Accounts: at("outlook.office365.com", "own")}, nil},
		{"no account", Config{Own: own, AuthservIDs: ids}, nil},
		{"anybody's domain", Config{Own: Own{Domains: []string{"example.com", "Gmail.com"}}}, []string{anybody}},
		{"a private address", Config{Own: Own{IPs: []string{"192.0.2.0/24", "10.1.0.0/16"}}}, []string{private}},
		{"a wide network", Config{Own: Own{IPs: []string{"192.0.0.0/12"}}}, []string{wide}},
		{"a wide network of IPv6", Config{Own: Own{IPs: []string{"2001:db8::/28"}}}, []string{wide}},
	} {
		if err := test.config.Validate(); err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		got := test.config.Warnings()
		same := len(got) == len(test.want)
		for i := range test.want {
			same = same && strings.HasPrefix(got[i], test.want[i])
		}
		if !same {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

// Two results of one server of ours, of which one can be the sender's.
func TestRivals(t *testing.T) {
	const (
		ours   = "Received: from a.example.net by mx.example.com with ESMTP; Mon, 2 Mar 2026 06:00:00 +0000\r\n"
		theirs = "Received: from b.example.org by a.example.net with ESMTP; Mon, 2 Mar 2026 05:59:00 +0000\r\n"
		none   = "Authentication-Results: mx.example.com; dkim=none\r\n"
		passed = "Authentication-Results: mx.example.com;\r\n\tdkim=pass header.d=fbl.example.net\r\n"
		spf    = "Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=fbl.example.net\r\n"
		other  = "Authentication-Results: a.example.net; dkim=fail header.d=fbl.example.net\r\n"
	)
	for _, test := range []struct {
		name, header string
		upper, lower Rival
		ok           bool
	}{
		{"one", ours + passed, Rival{}, Rival{}, false},
		{"two of one verifier", ours + passed + passed, Rival{}, Rival{}, false},
		{"one of each method", ours + spf + passed, Rival{}, Rival{}, false},
		{"of two servers", ours + other + passed, Rival{}, Rival{}, false},
		{"one above and one below", passed + ours + passed, Rival{"mx.example.com; dkim=pass header.d=fbl.example.net", ""}, Rival{"mx.example.com; dkim=pass header.d=fbl.example.net", "mx.example.com"}, true},
		{"two that differ", ours + none + passed, Rival{"mx.example.com; dkim=none", "mx.example.com"}, Rival{"mx.example.com; dkim=pass header.d=fbl.example.net", "mx.example.com"}, true},
		{"one far below", none + ours + theirs + passed, Rival{"mx.example.com; dkim=none", ""}, Rival{"mx.example.com; dkim=pass header.d=fbl.example.net", "a.example.net"}, true},
	} {
		checker, err := New(Config{AuthservIDs: []string{"MX.example.com"}}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		id, upper, lower, ok := checker.Rivals([]byte(test.header+"From: a@example.net\r\n\r\n"), "")
		if ok != test.ok || upper != test.upper || lower != test.lower || ok != (id == "mx.example.com") {
			t.Errorf("%s: %q, %+v, %+v, %v", test.name, id, upper, lower, ok)
		}
	}
	long := "Authentication-Results: mx.example.com; dkim=none (" + strings.Repeat("x", 5000) + ")\r\n"
	checker, err := New(Config{Accounts: map[string]Account{"a": {Host: "imap.gmail.com"}}, AuthservIDs: []string{"mx.example.com"}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	message := []byte(passed + ours + long + "From: a@example.net\r\n\r\n")
	if _, _, lower, ok := checker.Rivals(message, ""); !ok || len(lower.Says) != maxRival {
		t.Errorf("%d octets, %v", len(lower.Says), ok)
	}
	if _, _, _, ok := checker.Rivals(message, "a"); ok {
		t.Error("of a mailbox that has a profile")
	}
}
