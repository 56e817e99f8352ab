package process

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// system is a receiving system: how it writes its trace over a message at
// delivery. In its texts, words in braces stand for what a delivery is about.
type system struct {
	name, source string    // source: where its shape was read; month of the message
	imap         string    // the host of the account
	pool         [2]string // the host that names itself in the trace, today and tomorrow
	trace        string    // what it puts on top of a message, the topmost field first
	dkim, again  results   // again: a second opinion
	seal         *sealing  // its ARC set
	strips       []string  // ids whose Authentication-Results it takes away, "*": all
	renames      bool      // it gives them all another name
	gateway      *gateway  // somebody in front
}

// sealing is how a system seals what it takes in (ARC).
type sealing struct {
	domain, selector string
	fields           []string
	dkim             results // as elsewhere, where it is zero
	found            string
}

// gateway is a server in front of a system. Unless it leaves the message alone,
// it changes that by a warning in its text; it writes what it found before.
type gateway struct {
	trace  string
	dkim   results
	strips string
	leaves bool
}

const gatewayIP = "203.0.113.40"

// deliver gives the whole message as it lies in the mailbox.
func (s system) deliver(d *delivery) string {
	if g := s.gateway; g != nil {
		d.message = withoutID(d.message, g.strips)
		message := d.over(d.fill(strings.ReplaceAll(g.trace, "{dkim}", g.dkim.of(d))))
		if !g.leaves {
			message = altered(message)
		}
		d = newDelivery(d.t, d.dns, message, d.host, gatewayIP, d.envelope, "SJ0PR10MB4528.namprd10")
		d.spf = "fail"
	}
	arc := ""
	if s.seal != nil {
		by := s.seal.dkim
		if by.pass == "" {
			by = s.dkim
		}
		arc = sealed(d.t, d.sealer, d.message, s.seal.domain, s.seal.selector, d.fill(strings.ReplaceAll(s.seal.found, "{dkim}", by.of(d))), s.seal.fields, -1)
	}
	for _, id := range s.strips {
		d.message = withoutID(d.message, d.fill(id))
	}
	if s.renames {
		d.message = renamed(d.message)
	}
	text := strings.NewReplacer("{dkim}", s.dkim.of(d), "{again}", s.again.of(d)).Replace(s.trace)
	return d.over(strings.Replace(d.fill(text), "{arc}", arc, 1))
}

func systems() []system { return slices.Concat(mailboxHosts, exchangeSystems, ownServers) }

// everybody's trust, beside what is said for the mailbox.
var trustedByAll = trust.Config{
	Own:       trust.Own{Domains: []string{ourOwn}, IPs: []string{"192.0.2.0/28"}},
	Reporters: []string{"cfbl.example.net"},
}

// checker is what the config makes of the system.
func (s system) checker(t testing.TB, config trust.Config, z txts, dkim bool) *trust.Checker {
	t.Helper()
	config.DKIM = &dkim
	config.Accounts = map[string]trust.Account{"loop": {Host: s.imap}}
	c, err := trust.New(config, z, nil)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	return c
}

// verdictOf takes a message all the way; reason is the last one.
func verdictOf(t testing.TB, trust *trust.Checker, message string) (verdict, reason string, record report.Record) {
	t.Helper()
	r := report.Parse([]byte(message))
	records, _ := Rules{Trust: trust, Identify: identifier(t, identify.Config{})}.Records(t.Context(), r, []byte(message), true, report.Envelope{ReceivedAt: time.Now(), Mailbox: &report.Mailbox{Account: "loop"}})
	if len(records) == 0 {
		return "none", "no record", report.Record{}
	}
	for _, rec := range records {
		verdict, reason, record = string(rec.Suppress.Verdict), strings.Join(rec.Suppress.Reasons, "; "), rec
		if rec.Reporter != nil && rec.Reporter.Reason != "" {
			reason += " (" + rec.Reporter.Reason + ")"
		}
		if verdict == string(report.SuppressYes) {
			break
		}
	}
	return verdict, reason, record
}

// mailed is the feed's message as the system has it.
func (s system) mailed(t testing.TB, z txts, message string, f feed, host string) string {
	t.Helper()
	return s.deliver(newDelivery(t, z, message, f.host, f.ip, f.envelope, host))
}

// TestSystems: every genuine report that names somebody, or that our token
// names, has the verdict yes on each receiving system, with today's host of it
// and with tomorrow's. Whether Authentication-Results are enough, without trust.dkim
// and while the DNS is dead, is as docs/trust.md says; else the code says why.
func TestSystems(t *testing.T) {
	z, dead, advised := dnsOf(), txts{err: errors.New("server misbehaving")}, adviceOf(t)
	all, yes := 0, map[string]int{}
	for _, s := range systems() {
		t.Run(s.name, func(t *testing.T) {
			said := advised[s.name]
			own, alone, blind := s.checker(t, said.trust, z, true), s.checker(t, said.trust, z, false), s.checker(t, said.trust, dead, true)
			for _, f := range feeds {
				message := f.report(t, ourMessage)
				for day, host := range s.pool {
					lies := s.mailed(t, z, message, f, host)
					all++
					for _, test := range []struct {
						how   string
						trust *trust.Checker
						yes   bool
						codes []report.Code // of what is not yes
					}{
						{"with trust.dkim", own, s.gateway == nil || s.gateway.leaves || said.alone, []report.Code{report.CodeContradicted}},
						{"without trust.dkim", alone, said.alone, []report.Code{report.CodeMailbox, report.CodeHopUnknown, report.CodeDKIMOff, report.CodeContradicted}},
						{"while the DNS is dead", blind, said.dead, []report.Code{report.CodeDNS, report.CodeContradicted}},
					} {
						verdict, reason, rec := verdictOf(t, test.trust, lies)
						if verdict == string(report.SuppressYes) {
							yes[test.how]++
						}
						if verdict == string(report.SuppressYes) != test.yes || !test.yes && !slices.Contains(test.codes, rec.Reporter.Code) {
							t.Errorf("%s, day %d, %s: %s: %s\n%+v\n%s", f.name, day+1, test.how, verdict, reason, *rec.Reporter, lies)
						}
					}
				}
			}
		})
	}
	t.Logf("%d systems, %d reports, yes: %v", len(systems()), all, yes)
}
