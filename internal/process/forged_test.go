package process

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/pacetest"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// receivers are the ways in which our server says what it found. It takes away
// what calls itself by its name, or writes above that.
var receivers = []struct {
	name   string
	id     string // of its results
	config trust.Config
	stamp  func(hop, found string) string
}{
	{"verified here", "mx.example.com", trust.Config{DKIM: new(true)}, func(hop, _ string) string { return hop }},
	{"verified here, as it was put into the mailbox", "mx.example.com", trust.Config{DKIM: new(true)}, func(_, _ string) string { return "" }},
	{"above its Received", "mx.example.com", trust.Config{DKIM: new(false), AuthservIDs: []string{"mx.example.com"}},
		func(hop, found string) string { return "Authentication-Results: mx.example.com; " + found + "\n" + hop }},
	{"below its Received", "mx.example.com", trust.Config{DKIM: new(false), AuthservIDs: []string{"mx.example.com"}, Hops: []string{"mx.example.com"}},
		func(hop, found string) string { return hop + "Authentication-Results: mx.example.com; " + found + "\n" }},
	{"below two Received", "mx.example.com", trust.Config{DKIM: new(false), AuthservIDs: []string{"mx.example.com"}, Hops: []string{"mx.example.com"}},
		func(hop, found string) string {
			return "Received: from mx.example.com by mx.example.com with LMTP id 1; Mon, 1 Jun 2026 10:00:00 +0000\n" + hop + "Authentication-Results: mx.example.com; " + found + "\n"
		}},
	{"below its Received, and verified here", "mx.example.com", trust.Config{DKIM: new(true), AuthservIDs: []string{"mx.example.com"}, Hops: []string{"mx.example.com"}},
		func(hop, found string) string { return hop + "Authentication-Results: mx.example.com; " + found + "\n" }},
	{"its own by name", "mx.example.com", trust.Config{DKIM: new(false), Mailbox: trust.Mailbox{AuthservIDs: []string{"mx.example.com", "mx2.example.com"}, Hops: []string{".example.com", "localhost"}}},
		func(hop, found string) string {
			return "Received: from localhost (localhost [127.0.0.1]) by mx2.example.com with ESMTP id 2; Mon, 1 Jun 2026 10:00:00 +0000\n" + hop + "Authentication-Results: mx.example.com; dmarc=none\nAuthentication-Results: mx.example.com; " + found + "\n"
		}},
	{"Microsoft 365", "x", trust.Config{DKIM: new(false), Microsoft365: true}, func(hop, found string) string {
		return "Authentication-Results: " + found + "\n" + taken(hop, "BN1PEPF.mail.protection.outlook.com")
	}},
	{"Microsoft 365 behind a gateway", "gw.example.com", trust.Config{DKIM: new(false), Mailbox: trust.Mailbox{Profile: "microsoft365", Gateway: &trust.Gateway{AuthservIDs: []string{"gw.example.com"}, Hops: []string{"gw.example.com"}, IPs: []string{"198.51.100.7"}}}},
		func(hop, found string) string {
			return "Authentication-Results: dkim=fail (body hash did not verify) header.d=x.example\nReceived: from gw.example.com (198.51.100.7) by BN1PEPF.mail.protection.outlook.com with SMTP; Mon, 1 Jun 2026 10:00:01 +0000\n" +
				"Authentication-Results-Original: gw.example.com; " + found + "\n" + taken(hop, "gw.example.com")
		}},
	{"Microsoft 365 past its gateway", "mx.example.com", trust.Config{DKIM: new(false), Mailbox: trust.Mailbox{Profile: "microsoft365", Gateway: &trust.Gateway{AuthservIDs: []string{"mx.example.com"}, Hops: []string{"mx.example.com"}, IPs: []string{"198.51.100.7"}}}},
		func(hop, found string) string {
			return "Authentication-Results: " + found + "\n" + taken(hop, "BN1PEPF.mail.protection.outlook.com")
		}},
	{"Gmail", "mx.google.com", hosted("gmail"), func(hop, found string) string {
		return "Received: by 2002:a05:6402:5106:b0:5c2:1a2b:3c4d with SMTP id f25; Mon, 1 Jun 2026 10:00:01 +0000\n" + taken(hop, "mx.google.com") + "Authentication-Results: mx.google.com; " + found + "\n"
	}},
	{"Fastmail", "phl-mx-04.messagingengine.com", hosted("fastmail"), func(hop, found string) string {
		return "Received: from phl-mx-04.messagingengine.com (localhost [127.0.0.1]) by mailmx.phl.internal (Postfix); Mon, 1 Jun 2026 10:00:02 +0000\n" +
			"Received: from mailmx.phl.internal (localhost [127.0.0.1]) by phl-mx-04.messagingengine.com (Authentication Milter) with ESMTP; Mon, 1 Jun 2026 10:00:01 +0000\n" +
			"Authentication-Results: phl-mx-04.messagingengine.com; x-csa=none\nAuthentication-Results: phl-mx-04.messagingengine.com; " + found + "\n" + taken(hop, "phl-mx-04.messagingengine.com")
	}},
	{"Yahoo", "atlas-production.v2-mail-prod1-bf1.omega.yahoo.com", hosted("yahoo"), func(hop, found string) string {
		return "Received: from 127.0.0.1 by atlas-production.v2-mail-prod1-bf1.omega.yahoo.com pod-id x.bf1.yahoo.com with HTTP; Mon, 1 Jun 2026 10:00:01 +0000\n" +
			"Authentication-Results: atlas-production.v2-mail-prod1-bf1.omega.yahoo.com; " + found + "\n" + taken(hop, "10.253.62.170")
	}},
	{"Amazon SES", "amazonses.com", hosted("ses"), func(hop, found string) string {
		return taken(hop, "inbound-smtp.us-east-1.amazonaws.com") + "Authentication-Results: amazonses.com; " + found + "\n"
	}},
	{"iCloud", "dkim-verifier.icloud.com", hosted("icloud"), func(hop, found string) string {
		return "Received: from x.me.com by p67-mailgateway-smtp-7b9 (mailgateway) with SMTP; Mon, 1 Jun 2026 10:00:01 +0000\n" + taken(hop, "p00-icloudmta-smtpin-us-east-1a") +
			"Authentication-Results: dmarc.icloud.com; dmarc=none\nAuthentication-Results: dkim-verifier.icloud.com; " + found + "\n"
	}},
	{"sealed on the way", "mx.example.com", trust.Config{DKIM: new(false), ARCSealers: []string{sealers}}, func(hop, _ string) string { return hop }},
}

func hosted(profile string) trust.Config {
	return trust.Config{DKIM: new(false), Mailbox: trust.Mailbox{Profile: profile}}
}

// taken is the Received of another host of ours.
func taken(hop, by string) string {
	const ours = "by mx.example.com"
	i := strings.LastIndex(hop, ours) // the client may call itself so too
	return hop[:i] + "by " + by + hop[i+len(ours):]
}

// forgeReadings are the readings of receivers, for each way to say what is ours.
var forgeReadings = sync.OnceValue(func() (readings [][3]Rules) {
	dns := zoneOf(append(forgers(), sealers)...)
	identifier, err := identify.New(identify.Config{Rules: []identify.Rule{{From: "outer:X-Rp-Fbl", Match: `subscriber=(?P<subscriber>\d+)`}}})
	if err != nil {
		panic(err)
	}
	for _, receiver := range receivers {
		var three [3]Rules
		for i, own := range []trust.Own{
			{Domains: []string{ourOwn}, IPs: []string{"192.0.2.0/24", "2001:db8::/32"}}, {Domains: []string{ourOwn}}, {IPs: []string{"192.0.2.0/24", "2001:db8::/32"}},
		} {
			config := receiver.config
			config.Own, config.Reporters = own, []string{isp}
			trust, err := trust.New(config, dns, nil)
			if err != nil {
				panic(err)
			}
			three[i] = Rules{Identify: identifier, Trust: trust}
		}
		readings = append(readings, three)
	}
	return readings
})

// forged is a message that an attacker had signed and then changed.
type forged struct {
	by       string // who signed it, and in whose name
	domain   string
	message  string // as our server stored it
	end      int    // of what is there to be read
	receiver int
	own      int
	stands   bool // the signature is still good
	replayed bool // the reported message is one of ours
}

func (t *forger) forge() (f forged) {
	p := reporters[t.below(len(reporters))]
	if t.below(4) == 3 {
		p = persons[t.below(len(persons))]
	}
	f.by, f.domain, f.receiver, f.own = p.name, p.domain, t.below(len(receivers)), t.below(3)
	t.who, t.inner, t.near = p, t.boundary(), receivers[f.receiver].id
	t.replayed = p.by != "" && t.below(3) == 2
	f.replayed = t.replayed
	w := wireOf(t.genuine())
	s := signing{length: -1}
	s.fields = [][]string{barely, wholly, {"From"}, append(wholly, wholly...)}[t.below(4)]
	s.simple = t.below(2) == 1
	switch end := strings.LastIndex(w.body, "--"+outer+"--"); t.below(10) {
	case 1:
		s.length = len(w.body)
	case 2:
		s.length = max(end, 0)
	case 3:
		s.length = max(end+len("--"+outer+"--\r\n"), 0)
	case 4:
		s.length = t.place(w.body)
	}
	if s.length >= 0 {
		s.simple = true
		s.length = min(s.length, len(strings.TrimRight(w.body, "\r\n"))+2)
	}
	field := s.sign(w, "DKIM-Signature", "v=1; ", p.domain)
	w.put(0, field)
	for range t.below(4) {
		t.change(&w)
	}
	found := func() string {
		f.stands = s.stands(w, p.domain, field)
		return t.verified(w, p.domain, field, f.stands)
	}
	if receivers[f.receiver].config.ARCSealers != nil && w.find("arc-seal") < 0 {
		by := signing{fields: [][]string{wholly, barely}[t.below(2)], length: -1}
		if t.below(3) == 2 {
			by.simple = true
			by.length = t.place(strings.TrimRight(w.body, "\r\n"))
		}
		w.put(0, arcOf(w, sealers, sealers, "none", "mx.sealer.example; "+found(), by))
		for range t.below(3) {
			t.change(&w)
		}
	}
	hop := t.took("mx.example.com", "198.51.100.66")
	f.message = strings.ReplaceAll(receivers[f.receiver].stamp(hop, found()), "\n", "\r\n") + w.String()
	if t.rarely() {
		f.message = strings.ReplaceAll(f.message, "\r\n", "\n")
	}
	f.end = len(f.message)
	if t.rarely() {
		f.end = t.place(f.message)
	}
	return f
}

// verified is what a server finds that verifies all signatures: of the reporter's it
// is true, and of the attacker's it is what he wants.
func (t *forger) verified(w wire, domain, field string, stands bool) string {
	var found []string
	add := func(result string) { found = append(found, result) }
	failures := t.below(2) == 0 // are told too
	for _, f := range w.fields {
		if nameOf(f) != "dkim-signature" {
			continue
		}
		_, after, signed := strings.Cut(f, "d=")
		by := strings.FieldsFunc(after+";", func(c rune) bool { return c == ';' || isBlankOctet(c) })
		switch {
		case stands && relaxedField(f) == relaxedField(field):
			add(t.one("dkim=pass header.d="+domain, "dkim=pass header.i=@"+domain+" header.s=s"))
		case signed && len(by) > 0 && by[0] == evil:
			add("dkim=pass header.d=" + evil + t.one("", "", " header.i=@"+evil, " (header.d="+t.who.speaks()+")", ` header.i="x header.d=`+t.who.speaks()+`;"@`+evil, " header.d="+t.who.speaks()+" header.i=@"+t.who.speaks()))
		case signed && len(by) > 0 && failures && strings.Trim(by[0], "abcdefghijklmnopqrstuvwxyz.") == "":
			add("dkim=fail header.d=" + by[0])
		case failures:
			add("dkim=permerror")
		}
	}
	if len(found) == 0 {
		return "dkim=none"
	}
	if t.below(2) == 1 {
		slices.Reverse(found)
	}
	return strings.Join(found, "; ")
}

// read gives the records that are made of it.
func (f forged) read() []report.Record {
	message := []byte(f.message[:f.end])
	records, _ := forgeReadings()[f.receiver][f.own].Records(context.Background(), report.ParsePrefix(message, int64(len(f.message))), message, true, report.Envelope{})
	return records
}

// wrong is what no forgery may give. A report about our own message, sent on by the
// attacker, may be believed where our signature is what counts; but not about
// anybody whom he named.
func (f forged) wrong(records []report.Record) string {
	for _, r := range records {
		id := *r.Identity
		token := id.Subscriber != "" && strings.Contains(ourToken, id.Subscriber)
		domains := f.own == 1 || f.own == 0 && r.SourceIP == "" // decide
		if f.replayed && domains && !token && !strings.Contains(r.OriginalRcptTo+id.Subscriber, "victim") {
			continue
		}
		if r.Suppress.Verdict == report.SuppressYes || r.Reporter != nil && r.Reporter.Trusted {
			return fmt.Sprintf("%s, %s, own %d: %s %s\nsource %s %s, recipient %s, %+v\n%+v\n%s", f.by, receivers[f.receiver].name, f.own, r.Suppress.Verdict, r.Suppress.Reasons,
				r.SourceIP, r.Derived["source_ip"], r.OriginalRcptTo, *r.Identity, *r.Reporter, f.message)
		}
	}
	return ""
}

// FuzzForged makes genuine reports about what the attacker himself sent, and
// what he may write under a domain that anybody can sign with, and does to them
// what leaves the signature good, or not. None is a report about our message,
// so none is ever trusted, nor yes.
func FuzzForged(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 64 {
		f.Add(randomTape(r))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		made := (&forger{tape: data}).forge()
		if wrong := made.wrong(made.read()); wrong != "" {
			t.Error(wrong)
		}
	})
}

func randomTape(r *rand.Rand) []byte {
	data := make([]byte, 100+r.IntN(500))
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	return data
}

// TestForgeries: what FuzzForged makes is worth the name. Most messages are read
// as reports, and a good part of these still carry a good signature, by the word
// of another verifier too.
func TestForgeries(t *testing.T) {
	number := 3_000
	if pacetest.Raced() {
		number = 1_500
	}
	r, dns := rand.New(rand.NewPCG(3, 4)), zoneOf(append(forgers(), evil, sealers)...)
	lookup := func(name string) ([]string, error) { return dns.LookupTXT(t.Context(), name) }
	reports, good, asked, ours := 0, 0, 0, 0
	codes := make(map[report.Code]int)
	for range number {
		f := (&forger{tape: randomTape(r)}).forge()
		records := f.read()
		if wrong := f.wrong(records); wrong != "" {
			t.Error(wrong)
		}
		if len(records) == 0 {
			continue
		}
		reports++
		if records[0].Suppress.Verdict == report.SuppressYes {
			ours++ // the attacker's own complaint about a message of ours
		}
		for _, code := range records[0].Suppress.Codes {
			codes[code]++
		}
		if !f.stands {
			continue
		}
		good++
		if strings.Contains(f.message, "; l=") { // go-msgauth refuses these
			continue
		}
		asked++
		found, err := dkim.VerifyWithOptions(strings.NewReader(f.message), &dkim.VerifyOptions{LookupTXT: lookup})
		if err != nil || !slices.ContainsFunc(found, func(v *dkim.Verification) bool { return v.Err == nil && v.Domain == f.domain }) {
			t.Errorf("%v, %d signatures, none good\n%s", err, len(found), f.message)
		}
	}
	t.Logf("of %d messages %d are reports, %d with a good signature, %d about a message of ours; %v", number, reports, good, ours, codes)
	if ours == 0 || reports < number*2/3 || good < number/3 || asked < number/5 || len(codes) < 15 {
		t.Errorf("of %d messages only %d are reports, %d with a good signature of which %d were verified again; only %d codes", number, reports, good, asked, len(codes))
	}
}

func forgers() (domains []string) {
	for _, p := range append(persons, reporters...) {
		domains = append(domains, p.domain)
	}
	return domains
}
