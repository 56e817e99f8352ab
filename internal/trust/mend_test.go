package trust

import (
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// The reason of a verdict names the cause that a setting can mend; and proposes a
// name for the config only where no sender can have written it, or says whose it must
// be.
func TestReasonsThatMend(t *testing.T) {
	plain := complaint("feedback@"+reporter, oursOriginal)
	signed := sign(t, plain, reporter, allFields)
	const dkim, spf = " dkim=pass header.d=" + reporter, " spf=pass smtp.mailfrom=" + reporter
	off := func(c *Config) { c.DKIM = new(false) }
	profile := func(p Profile) func(*Config) { return func(c *Config) { ofSystem(p)(c); off(c) } }
	for _, test := range []struct {
		name, message string
		change        func(*Config)
		age           time.Duration
		want          report.Code
		says          string // in the reason
		not           string // what it must not say
	}{
		{name: "a hop", message: receivedMX1 + found(dkim) + signed, change: off, want: report.CodeHopUnknown,
			says: "Authentication-Results of mx.example.com says dkim=pass for fbl.example.net, but is below a Received by mx1.example.com, which is not in trust.hops: add it, or set trust.dkim"},
		{name: "a hop, and an id", message: receivedMX1 + results("mx1.example.com", dkim) + signed, change: off, want: report.CodeHopUnknown, says: "add it, and mx1.example.com to trust.authserv_ids if that server is yours, or set trust.dkim"},
		{name: "a hop further down", message: receivedOurs + receivedMX1 + found(dkim) + signed, change: off, want: report.CodeHopUnknown, says: "which is not in trust.hops: set trust.dkim", not: "add"},
		{name: "a hop, and another's below it", message: receivedMX1 + receivedTheir + found(dkim) + signed, change: off, want: report.CodeHopUnknown, says: "mx1.example.com", not: "add"},
		{name: "a hop, of a message that nobody signed", message: receivedMX1 + found(dkim) + plain, change: off, want: report.CodeUnsigned, not: "add"},
		{name: "an id", message: results("mx1.example.com", dkim) + receivedMX1 + signed, change: off, want: report.CodeIDUnknown,
			says: "Authentication-Results of mx1.example.com says dkim=pass for fbl.example.net, but its server is not in trust.authserv_ids: add it if that server is yours, or set trust.dkim"},
		{name: "an id below", message: receivedOurs + results("mx1.example.com", dkim) + signed, change: off, want: report.CodeIDUnknown, says: "if that server is yours"},
		{name: "an id of whom the sender named", message: receivedOurs + receivedTheir + results("mx.evil.example", dkim) + signed, change: off, want: report.CodeHopUnknown, not: "add"},
		{name: "an id, of a message of last week", message: results("mx1.example.com", dkim) + receivedMX1 + signed, age: 8 * 24 * time.Hour, want: report.CodeIDUnknown, says: "add it if that server is yours", not: "trust.dkim"},
		{name: "no server", message: found(dkim) + signed, change: off, want: report.CodeNoReceived, says: "no Received"},
		{name: "a second field", message: receivedOurs + found(" dkim=none") + found(dkim) + signed, change: off, want: report.CodeSecondField, says: "below another field of that server"},
		{name: "a profile that did not take it in", message: receivedMX1 + found(dkim) + signed, change: profile(stripping), want: report.CodeMailbox, says: "no host of stripping", not: "add"},
		{name: "below the border of a profile", message: receivedInner + receivedOurs + found(dkim) + signed, change: profile(Profile{Name: "b", AuthservIDs: []string{"mx.example.com"}, Hops: []string{".in.example.com"}, Border: []string{"mx.example.com"}}),
			want: report.CodeBelow, says: "below the border of b", not: "add"},
		{name: "no domain", message: found(" dkim=pass") + receivedOurs + signed, change: off, want: report.CodeNoDomain, says: "without the domain that signed"},
		{name: "signed, no results", message: receivedOurs + signed, change: off, want: report.CodeDKIMOff, says: "there is no Authentication-Results"},
		{name: "signed, no results of dkim", message: found(" spf=none") + receivedOurs + signed, change: off, want: report.CodeDKIMOff, says: "has a result of DKIM"},
		{name: "signed, a pass of another", message: found(" dkim=pass header.d="+evil) + receivedOurs + signed, change: off, want: report.CodeDKIMOff, says: "mx.example.com says no dkim=pass for fbl.example.net"},
		{name: "signed, own is not set", message: receivedOurs + signed, change: func(c *Config) { c.Own, c.DKIM = Own{}, nil }, want: report.CodeOwnUnset, says: "trust.own"},
		{name: "nothing", message: receivedOurs + plain, want: report.CodeUnsigned, says: "there is no DKIM-Signature; there is no Authentication-Results"},
		{name: "nothing but results", message: found(" dkim=none") + receivedOurs + plain, want: report.CodeUnsigned, says: "there is no DKIM-Signature; Authentication-Results of mx.example.com says no dkim=pass"},
		{name: "signed by another", message: receivedOurs + sign(t, plain, evil, allFields), want: report.CodeUnsigned, says: "but by evil.example"},
		{name: "a hop, while the DNS is dead", message: receivedMX1 + found(dkim) + claim("gone."+reporter) + plain, want: report.CodeKey, not: "hops"},
		{name: "a hop, and an altered message", message: receivedMX1 + found(dkim) + strings.Replace(signed, "reader@", "victim@", 1), want: report.CodeDKIMFail, not: "hops"},
		{name: "spf, and the border", message: found(spf) + receivedMX1 + plain, want: report.CodeHopUnknown, says: "the topmost Received is by mx1.example.com, which is not in trust.hops: add it"},
		{name: "spf, and an id", message: results("mx1.example.com", spf) + receivedOurs + plain, want: report.CodeIDUnknown, says: "says spf=pass for fbl.example.net, but its server is not in trust.authserv_ids"},
		{name: "spf, below ours", message: receivedOurs + found(spf) + plain, want: report.CodeBelow, says: "no signature can confirm it"},
	} {
		conf := config
		conf.ARCSealers = nil
		if test.change != nil {
			test.change(&conf)
		}
		got := check(t, conf, publish(t, reporter, evil), test.message, true, time.Now().Add(-test.age), false)
		if got.Trusted || got.Code != test.want || !strings.Contains(got.Reason, test.says) || test.not != "" && strings.Contains(got.Reason, test.not) {
			t.Errorf("%s: %s: %s", test.name, got.Code, got.Reason)
		}
	}
}

// What a reason says of a field is short and printable, whatever stands there.
func TestReasonsAreBounded(t *testing.T) {
	bad := strings.Repeat("x\x1b[2J\x80", 200)
	conf := config
	conf.DKIM = new(false)
	signed := sign(t, complaint("feedback@"+reporter, oursOriginal), reporter, allFields)
	for _, message := range []string{
		results(bad, "dkim=pass header.d="+reporter) + receivedOurs + signed,
		"Received: from x by " + bad + "\r\n" + results(bad, "dkim=pass header.d="+reporter) + signed,
		results("mx.example.com", "dkim="+bad+" header.d="+reporter) + receivedOurs + signed,
		results("mx.example.com", "dkim=pass; dmarc=pass header.from="+bad) + receivedOurs + signed,
	} {
		got := check(t, conf, publish(t, reporter), message, true, time.Time{}, false)
		if got.Trusted || len(got.Reason) > 600 || strings.ContainsFunc(got.Reason, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%d octets: %q", len(got.Reason), got.Reason)
		}
	}
}
