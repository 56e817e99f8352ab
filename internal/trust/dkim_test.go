package trust

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// signTags puts a DKIM-Signature with these tags on top, by the key of a domain;
// c=relaxed/simple is among them. "%h" and "%b" stand for h= and bh=.
func signTags(t testing.TB, message, key, tags string) string {
	t.Helper()
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	hash := sha256.Sum256([]byte(body))
	tags = strings.NewReplacer("%h", "h="+strings.Join(allFields, ":"), "%b", "bh="+base64.StdEncoding.EncodeToString(hash[:])).Replace(tags)
	var data strings.Builder
	for _, name := range allFields {
		for line := range strings.SplitSeq(header, "\r\n") {
			if strings.HasPrefix(line, name+":") {
				data.WriteString(relax(line))
			}
		}
	}
	return signField(t, key, data.String(), "DKIM-Signature: "+tags+"; b=") + message
}

// What other verifiers pass is genuine here too.
func TestSpellingsOfSignatures(t *testing.T) {
	const idn, alabel = "fbl.bücher.example", "fbl.xn--bcher-kva.example"
	plain := complaint("feedback@"+reporter, oursOriginal)
	tags := func(more string) string {
		return "v=1; a=" + algorithm(t, reporter) + "; c=relaxed/simple; s=s; %h; %b; " + more
	}
	good := signTags(t, plain, reporter, tags("d="+reporter))
	record := publish(t, reporter).records["s._domainkey."+reporter][0]
	at := strings.Index(record, "p=") + 10
	foreign := complaint("feedback@"+idn, oursOriginal)
	for _, test := range []struct {
		name    string
		message string
		records []string // of reporter's key; nil: its own
		want    report.Auth
	}{
		{name: "plain", message: good, want: pass},
		{name: "d= in capitals, i= not", message: signTags(t, plain, reporter, tags("d=FBL.Example.NET; i=@fbl.example.net")), want: pass},
		{name: "i= in capitals, d= not", message: signTags(t, plain, reporter, tags("d=fbl.example.net; i=a@FBL.EXAMPLE.NET")), want: pass},
		{name: "i= below, in capitals", message: signTags(t, plain, reporter, tags("d=fbl.example.net; i=a@X.FBL.EXAMPLE.NET")), want: pass},
		{name: "s= in capitals", message: signTags(t, plain, reporter, strings.Replace(tags("d=fbl.example.net"), "s=s", "s=S", 1)), want: pass},
		{name: "i= of another domain", message: signTags(t, plain, reporter, tags("d=fbl.example.net; i=@example.net")), want: fail},
		{name: "i= that only ends like it", message: signTags(t, plain, reporter, tags("d=fbl.example.net; i=@xfbl.example.net")), want: fail},
		{name: "i= without @", message: signTags(t, plain, reporter, tags("d=fbl.example.net; i=fbl.example.net")), want: fail},
		{name: "i= empty", message: signTags(t, plain, reporter, tags("d=fbl.example.net; i=")), want: fail},

		{name: "U-labels in the From", message: signTags(t, foreign, alabel, strings.ReplaceAll(tags("d="+alabel), algorithm(t, reporter), algorithm(t, alabel))), want: pass},
		{name: "U-labels in d=", message: signTags(t, strings.ReplaceAll(foreign, idn, alabel), alabel, strings.ReplaceAll(tags("d="+idn), algorithm(t, reporter), algorithm(t, alabel))), want: pass},
		{name: "U-labels in the From, capitals", message: signTags(t, strings.ReplaceAll(foreign, "bücher", "BÜCHER"), alabel, strings.ReplaceAll(tags("d="+alabel), algorithm(t, reporter), algorithm(t, alabel))), want: pass},

		{name: "white space in p=", message: good, records: []string{record[:at] + " \t \r\n\t" + record[at:at+5] + "\t" + record[at+5:]}, want: pass},
		{name: "white space around the tags", message: good, records: []string{strings.NewReplacer("=DKIM1;", "\t=\tDKIM1 ;\t", "k=", "k =\t").Replace(record)}, want: pass},
		{name: "two records, the same", message: good, records: []string{record, record}, want: pass},
		{name: "two records, the second is good", message: good, records: []string{publish(t, evil).records["s._domainkey."+evil][0], record}, want: pass},
		{name: "two records, the second is none", message: good, records: []string{record, "v=spf1 -all"}, want: pass},
		{name: "two records, one for tests", message: good, records: []string{record + "; t=y", record}, want: pass},
		{name: "two records of others", message: good, records: []string{publish(t, evil).records["s._domainkey."+evil][0], publish(t, sealer).records["s._domainkey."+sealer][0]}, want: fail},
		{name: "two records, one revokes", message: good, records: []string{record, "v=DKIM1; p="}, want: unchecked},
		{name: "two records, neither is a key", message: good, records: []string{"v=spf1 -all", "x"}, want: unchecked},
		{name: "six records", message: good, records: []string{record, record, record, record, record, record}, want: unchecked},
	} {
		dns := publish(t, reporter, alabel)
		if test.records != nil {
			dns.records["s._domainkey."+reporter] = test.records
		}
		if got := check(t, config, dns, test.message, true, time.Time{}, false); got.Auth != test.want {
			t.Errorf("%s: %+v, want %s", test.name, got, test.want)
		}
	}
}

// What a DKIM-Signature must have; without it none proves anything.
func TestInvalidSignatures(t *testing.T) {
	plain := complaint("feedback@"+reporter, oursOriginal)
	good := "v=1; a=" + algorithm(t, reporter) + "; c=relaxed/simple; d=" + reporter + "; s=s; %h; %b"
	now := time.Now().Unix()
	for _, test := range []struct{ old, new, want string }{
		{"", "", pass},
		{"; d=", "; q=dns/txt; d=", pass},
		{"; d=", "; q=x/y:dns/txt; d=", pass},
		{"; d=", fmt.Sprintf("; t=%d; x=%d; d=", now, now+60), pass},
		{"; d=", "; z=From:x|To:y; new=1; d=", pass},
		{"v=1; ", "", fail},
		{"v=1; ", "v=2; ", fail},
		{"v=1; ", "v=; ", fail},
		{"; d=", "; q=dns; d=", fail},
		{"; d=", "; q=; d=", fail},
		{"; d=", fmt.Sprintf("; t=%d; x=%d; d=", now+60, now+60), fail},
		{"; d=", fmt.Sprintf("; t=%d; x=%d; d=", now+90, now+60), fail},
		{"; d=", "; t=yesterday; d=", fail},
		{"; d=", "; t=-1; d=", fail},
		{"; d=", "; l=99999; d=", fail},
		{"relaxed/simple", "relaxed/nowsp", fail},
		{"relaxed/simple", "nowsp/simple", fail},
		{"relaxed/simple", "relaxed/", fail},
		{"relaxed/simple", "relaxed/simple/simple", fail},
		{"relaxed/simple", "Relaxed/simple", fail},
		{"a=", "a=x-", fail},
		{"ed25519-sha256", "rsa-sha256", fail},
		{"; d=", "; i=@example.net; d=", fail},
		{"; d=", "; i=@example.org; d=", fail},
		{"%h", "h=Subject:Date", fail},
		{"; d=", "; s=s; d=", authNone},
		{"; d=", "; flag; d=", authNone},
		{"; d=", "; x=never; d=", authNone},
		{"; d=", "; l=all; d=", authNone},
		{"%b", "bh=", fail},
		{"; %b", "", fail},
	} {
		message := signTags(t, plain, reporter, strings.Replace(good, test.old, test.new, 1))
		if test.want == fail { // SPF is no way round
			message = results("mx.example.com", "spf=pass smtp.mailfrom=x@"+reporter) + receivedOurs + message
		}
		if got := check(t, config, publish(t, reporter), message, true, time.Time{}, false); string(got.Auth) != test.want {
			t.Errorf("%s for %s: %+v, want %s", test.new, test.old, got, test.want)
		}
	}
}

// Of many signatures those of the provider are looked at first, and what nobody
// looked at is not said to be missing.
func TestManySignatures(t *testing.T) {
	plain := complaint("feedback@"+reporter, oursOriginal)
	good := sign(t, plain, reporter, allFields)
	good = good[:strings.Index(good, "\r\nFrom:")+2]
	bad := strings.NewReplacer("b=", "b=AAAA").Replace(good)
	of := func(domain string) string { return strings.ReplaceAll(good, reporter, domain) }
	for _, test := range []struct {
		name, signatures string
		want             report.Auth
		asked            int
	}{
		{"others in front", strings.Repeat(of(evil), 40) + good, pass, 1},
		{"its organisation's in front", strings.Repeat(of("mail.example.net"), 7) + good, pass, 1},
		{"its own in front, all bad", strings.Repeat(bad, 5) + good, unchecked, 1},
		{"the fifth is good", strings.Repeat(bad, 4) + good, pass, 1},
		{"five, all bad", strings.Repeat(bad, 5), fail, 1},
		{"six, all bad", strings.Repeat(bad, 6), unchecked, 1},
		{"others only", strings.Repeat(of(evil), 40), authNone, 0},
	} {
		dns := publish(t, reporter)
		if got := check(t, config, dns, test.signatures+plain, true, time.Time{}, false); got.Auth != test.want {
			t.Errorf("%s: %+v, want %s", test.name, got, test.want)
		}
		if dns.asked != test.asked {
			t.Errorf("%s: %d questions, want %d", test.name, dns.asked, test.asked)
		}
	}
}
