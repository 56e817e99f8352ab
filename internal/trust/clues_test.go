package trust

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/report"
)

// Which servers a header names: those that wrote above every Received, and those
// of the same organisation as the hosts that stand above them.
func TestCluesServers(t *testing.T) {
	const (
		outer = "Received: from a.example.net by mx.example.com with ESMTP; Mon, 2 Mar 2026 06:00:00 +0000\r\n"
		inner = "Received: from mx.example.com by store.example.com with LMTP; Mon, 2 Mar 2026 06:00:01 +0000\r\n"
		other = "Received: from b.example.org by a.example.net with ESMTP; Mon, 2 Mar 2026 05:59:00 +0000\r\n"
	)
	said := func(id string) string {
		return "Authentication-Results: " + id + "; dkim=pass header.d=fbl.example.net header.s=s\r\n"
	}
	for _, test := range []struct {
		name, header string
		by           string
		want         []Server
	}{
		{"above", said("mx.example.com") + outer, "mx.example.com", []Server{{ID: "mx.example.com"}}},
		{"above, by another name", said("auth.example.org") + outer, "mx.example.com", []Server{{ID: "auth.example.org"}}},
		{"below", outer + said("mx.example.com") + other, "mx.example.com", []Server{{"mx.example.com", []string{"mx.example.com"}}}},
		{"below two", inner + outer + said("filter.example.com") + other, "store.example.com", []Server{{"filter.example.com", []string{"store.example.com", "mx.example.com"}}}},
		{"below, of somebody else", outer + said("a.example.net") + other, "mx.example.com", nil},
		{"below the foreign hop", outer + other + said("mx.example.com"), "mx.example.com", nil},
		{"the topmost says otherwise", outer + "Authentication-Results: mx.example.com; dkim=fail header.d=fbl.example.net\r\n" + said("mx.example.com"), "mx.example.com", nil},
		{"beside a field about something else", outer + "Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=fbl.example.net\r\n" + said("mx.example.com"), "mx.example.com", []Server{{"mx.example.com", []string{"mx.example.com"}}}},
		{"of another domain", outer + "Authentication-Results: mx.example.com; dkim=pass header.d=example.net\r\n", "mx.example.com", nil},
		{"by a container", strings.Replace(outer, "mx.example.com", "9f86d081884c", 1) + said("mx.example.com"), "", nil},
		{"by an address", strings.Replace(outer, "mx.example.com", "10.1.2.3", 1) + said("mx.example.com"), "", nil},
		{"by nobody", said("mx.example.com"), "", nil},
		{"without an id", "Authentication-Results: dkim=pass header.d=fbl.example.net\r\n" + outer, "mx.example.com", nil},
	} {
		m, err := readMessage([]byte(test.header + "From: fbl@fbl.example.net\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		by, list := new(Checker).follow(m).clues("fbl.example.net")
		if diff := cmp.Diff(test.want, list); diff != "" || by != test.by {
			t.Errorf("%s: by %q, %s", test.name, by, diff)
		}
	}
}

// What a report shows of the message that it is about: what its reporter found of
// the author's domain, and where it came from.
func TestCluesOwn(t *testing.T) {
	const yahoo = "arf.mail.yahoo.com"
	checker, err := New(Config{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	border := "Received: from 192.0.2.7 (EHLO mail.example.com) by 10.253.62.170 with SMTPs; Mon, 02 Mar 2026 06:00:00 +0000\n"
	inner := "Received: from 127.0.0.1 by atlas1.omega.yahoo.com with HTTP; Mon, 2 Mar 2026 06:00:01 +0000\n"
	found := "Authentication-Results: atlas1.omega.yahoo.com; dkim=pass header.i=@mail.example.com; dkim=pass header.i=@esp.example.net; spf=pass smtp.mailfrom=b.example.com\n"
	for _, test := range []struct {
		name, trace, from string
		domains           []string
		ip                string
	}{
		{"found", inner + found + border, "news@example.com", []string{"mail.example.com", "b.example.com"}, "192.0.2.7"},
		{"found below", inner + border + found, "news@example.com", nil, "192.0.2.7"},
		{"failed", inner + strings.ReplaceAll(found, "=pass", "=fail") + border, "news@example.com", nil, "192.0.2.7"},
		{"of an author where anybody has a mailbox", inner + strings.ReplaceAll(found, "mail.example.com", "gmail.com") + border, "somebody@gmail.com", nil, "192.0.2.7"},
		{"from a private address", inner + found + strings.Replace(border, "192.0.2.7", "10.0.0.1", 1), "news@example.com", []string{"mail.example.com", "b.example.com"}, ""},
	} {
		message := strings.ReplaceAll("From: feedback@"+yahoo+"\nDate: Mon, 02 Mar 2026 06:00:02 +0000\nMessage-ID: <1@"+yahoo+">\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"+
			"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: Yahoo!-Mail-Feedback/2.0\nVersion: 0.1\n"+
			"--b\nContent-Type: message/rfc822\n\n"+test.trace+"From: <"+test.from+">\nSubject: x\n\nx\n--b--\n", "\n", "\r\n")
		r := report.Parse([]byte(message))
		records := r.Records(report.Envelope{})
		if len(records) != 1 {
			t.Fatalf("%s: %d records", test.name, len(records))
		}
		for _, signer := range []string{yahoo, "evil.example"} {
			records[0].Reporter = &report.Reporter{Auth: pass, AuthDomain: signer}
			got := checker.Clues([]byte(message), r, &records[0])
			if diff := cmp.Diff(test.domains, got.Domains); diff != "" || got.IP != test.ip || got.Known != (signer == yahoo) {
				t.Errorf("%s, signed by %s: %s\n%+v", test.name, signer, diff, got)
			}
		}
	}
}
