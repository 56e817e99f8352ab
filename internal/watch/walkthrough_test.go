package watch

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// walkthrough is published messages of different dialects, each read against its
// text: what the first record says, and what of the message bears it out. speaks is
// event, class, provider/feed, dialect; complainant, how many are named; identity
// is status, then field=value by rule of source. Trusted are the mail servers that
// walkthroughTrust lists; signatures are not verified, as the keys are gone.
var walkthrough = []struct{ id, speaks, complainant, derived, identity, reporter, suppress, because string }{
	{"002", "complaint fbl yahoo/cfl yahoo", "named 1", "source_ip=original:Received[1]", "unknown",
		"none: unsigned", "review: [unsigned]",
		"no Source-IP: 192.0.2.8, from whom mta34.mail.g9.yahoo.com took it; the A-R is empty; no DKIM-Signature"},
	{"005", "complaint fbl yahoo/cfl yahoo-ses", "named 1", "source_ip=original:Received[1]",
		"partial message_id=2222222222222222-00000000-eeee-eeee-ffff-222222222222-111111 by ses of original:Message-ID",
		"none: unsigned", "review: [unsigned]",
		"its DKIM-Signature is an ellipsis, without a b="},
	{"007", "complaint fbl validity/unknown returnpath1", "candidate 7", "", "unknown",
		"none: unsigned", "review: [candidate unsigned]",
		"seven Original-Rcpt-To, and a made-up domain in From"},
	{"008", "complaint trap abusix/traps abusix", "candidate 2", "", "unknown",
		"none: unsigned", "no: [class]", "two recipients; its own hop says (trap)"},
	{"009", "auth_failure auth example.com/dmarc dmarc-lua", "named 1", "", "unknown",
		"none: unsigned", "no: [event]", "User-Agent Lua/1.0, type auth-failure"},
	{"010", "auth_failure auth netease/dmarc dmarc-netease", "none 0", "", "unknown",
		"none: unsigned", "no: [event]", "Return-Path is not in the original; nobody is named"},
	{"011", "auth_failure auth example.net/dmarc dmarc-opendmarc", "none 0", "", "unknown",
		"none: unsigned", "no: [event]",
		"no Arrival-Date, and no host of whoever runs OpenDMARC is known: no date"},
	{"013", "complaint fbl validity/rackspace returnpath2", "named 1", "", "unknown",
		"none: unsigned", "review: [unsigned]",
		"Source: Rackspace; the local part \"hashed\" is no digest; the original is the word REDACTED"},
	{"016", "complaint fbl microsoft/jmrp jmrp", "named 1",
		"original_rcpt_to=original:X-HmXmrOriginalRecipient source_ip=outer:Subject", "unknown",
		"none: unsigned", "review: [unsigned]", "the subject names 192.0.2.222"},
	{"055", "complaint fbl amazonses/sns ses-json", "named 1",
		"feedback_type=json:complaint.complaintFeedbackType original=json:mail.headers original_mail_from=json:mail.source original_rcpt_to=json:complaint.complainedRecipients user_agent=json:complaint.userAgent",
		"unknown", "none: unsigned", "review: [unsigned]",
		"anybody's topic is signed so: never trusted; JSON that SNS mails; its simulator complains; no arrivalDate"},
	{"061", "complaint fbl validity/comcast returnpath1", "hashed 1", "", "unknown",
		"unchecked: contradicted",
		"review: [hash_only contradicted]",
		"our amavisd says dkim=fail, body altered; 32 hex digits at comcast.net"},
	{"077", "complaint fbl yahoo/cfl yahoo", "named 1", "", "unknown",
		"pass arf.mail.yahoo.com by a-r, partial, trusted", "yes: [named]",
		"our amavisd says dkim=pass header.d=arf.mail.yahoo.com; Content-Type is not signed; 10.17.18.25 is ours"},
	{"079", "complaint fbl zoho/fbl zoho", "none 0", "original_mail_from=original:Return-Path", "unknown",
		"none: unsigned", "review: [nobody unsigned]",
		"Delivered-To is there, and nobody is invented of it"},
	{"080", "complaint fbl zoho/fbl zoho", "none 0", "original_mail_from=original:Return-Path", "unknown",
		"none: unsigned", "review: [nobody unsigned]",
		"the lower Return-Path, mailer@domain4.tld, which Received-SPF confirms; the upper is Zoho's for its group"},
	{"081", "complaint filter spamexperts/filter spamexperts", "named 1", "", "unknown",
		"none: unsigned", "no: [class]", "mx.google.com's spf is of a best guess, for an empty envelope sender"},
	{"089", "complaint network blocklist.de/unknown xarf-blocklistde", "none 0",
		"source_ip=yaml:Source user_agent=yaml:User-Agent version=yaml:Version", "unknown",
		"none: unsigned", "no: [class]", "report.txt; its Date is of the attack, about no mail"},
	{"213", "opt_out fbl example.com/unknown rfc5965", "named 1", "original_rcpt_to=report:Removal-Recipient", "unknown",
		"none: unsigned", "review: [unsigned]", "type opt-out, Removal-Recipient: user@example.com"},
	{"216", "complaint fbl aol/scomp aol", "none 0", "original_mail_from=original:Return-Path",
		"partial campaign=48 by phplist of original:X-MessageID, message_id=c257bb9c3f3743e436553b80d052b918@localhost.localdomain by aol of text",
		"none: unsigned", "review: [nobody unsigned]",
		"X-ListMember: redacted is nobody; the text names the Message-ID"},
	{"217", "complaint fbl microsoft/jmrp jmrp", "named 1",
		"arrival_date=original:Received[1] original_rcpt_to=original:X-HmXmrOriginalRecipient source_ip=original:Received[1]",
		"identified subscriber=5a222662 by phplist of original:X-ListMember, campaign=49 by phplist of original:X-MessageID",
		"unchecked: dkim_off", "review: [dkim_off]",
		"the mail itself: bay0-mc3-f8.Bay0.hotmail.com took it from 72.55.174.206; the hops above were added later"},
	{"239", "complaint fbl yahoo/cfl yahoo", "named 1", "",
		"identified subscriber=7b5a587e by mailgun of report:Original-Mail-From",
		"none: unsigned", "review: [unsigned]",
		"no host of Yahoo's wrote a Received, and X-Originating-IP is not asked"},
	{"243", "complaint fbl microsoft/jmrp jmrp", "named 1",
		"arrival_date=original:Received[4] original_rcpt_to=original:X-HmXmrOriginalRecipient source_ip=outer:Subject", "unknown",
		"unchecked: dkim_off", "review: [dkim_off]",
		"the fourth Received is the first that took it from outside, 04:30:44; the subject has the same address as it; From is a template nobody filled in"},
	{"250", "complaint fbl example.com/unknown rfc5965", "named 1", "",
		"identified subscriber=973dfe46 by kumoref of original:X-KumoRef",
		"none: unsigned", "review: [unsigned]", "the RFC's example with an X-KumoRef"},
	{"253", "auth_failure auth microsoft/dmarc dmarc-hotmail", "token 0", "",
		"identified subscriber=b6c22c14 by sendgrid of original:Return-Path, tenant=898596 by sendgrid of original:Return-Path, message_id=n1LZzxbo6lcYdt/WcBW3vD0Z08k3krFY/jKxe9BIfyYy+lJMqEDgKokos9QSIa4I2k60eBQLt3K0vFtzpT05yRKeETUG41OEiwJKegnl8j7P4P4mk1zMYqOMFhOwZ87WgfzT9Ih6FPYFtoln8Hueqpo02hi/mE1ClHv0sBS8E2A= by sendgrid of original:X-SG-EID",
		"none: unsigned", "no: [event]", "through a Google group, which signs as sendgrid.com"},
	{"254", "complaint fbl aol/scomp aol", "none 0", "original_mail_from=original:Return-Path",
		"partial message_id=1283450583.6569568232097351@mf12.sendgrid.net by aol of text",
		"none: unsigned", "review: [nobody unsigned]",
		"the bounce address has redacted=aol.com; the date is Thu,  2 Sep 2010 15:12:11 -0400 (EDT)"},
	{"256", "complaint fbl aol/scomp aol", "none 0", "original_mail_from=original:Return-Path",
		"partial message_id=0497c738c759483a811c0ef85dd23d2b@snt1.net by aol of text",
		"none: unsigned", "review: [nobody unsigned]",
		"the original's Message-ID is blotted out, the one in the text is not"},
	{"258", "complaint fbl yahoo/cfl yahoo", "named 1", "source_ip=original:Received[1]",
		"identified subscriber=cdef37ff by list-unsubscribe of original:List-Unsubscribe",
		"unchecked: dkim_off", "review: [dkim_off]",
		"mta1126.mail.ir2.yahoo.com took it from 5.79.26.23"},
	{"259", "complaint fbl validity/fastmail returnpath1", "token 1", "",
		"identified subscriber=ecffd3f5 by list-unsubscribe of original:List-Unsubscribe",
		"none: unsigned", "review: [unsigned]",
		"the recipient is a hash, the link of List-Unsubscribe is not; Original-Mail-From has a display name"},
	{"274", "auth_failure auth netease/dmarc dmarc-netease", "token 0", "",
		"identified subscriber=369759d1 by sendgrid of report:Original-Mail-From, tenant=1137616 by sendgrid of report:Original-Mail-From, message_id=oguVx1AxQayV5Sv2nYK-rA by sendgrid of original:Message-ID",
		"none: unsigned", "no: [event]", "base64, attached anew by Outlook"},
	{"277", "auth_failure auth example.net/dmarc dmarc-plaintext", "none 0",
		"arrival_date=text:Received date arrival_date_raw=text:Received date reported_domain=text:Sender Domain source_ip=text:Sender IP Address", "unknown",
		"none: unsigned", "no: [event]", "no report part; labels in the text"},
	{"282", "complaint filter spfbl/filter spfbl", "named 1", "", "unknown",
		"none: unsigned", "no: [class]", "passed on by a ticket system: its From says nothing, User-Agent SPFBL does"},
	{"286", "complaint service spamcop/reports spamcop-plain", "none 0",
		"arrival_date=text:Email from arrival_date_raw=text:Email from source_ip=text:Email from", "unknown",
		"none: unsigned", "no: [class]", "Email from 10.42.9.42 / Thu, 02 Jan 2025 03:04:05 +0000"},
	{"297", "complaint network cyscon.de/unknown xarf", "none 0", "user_agent=yaml:User-Agent", "unknown",
		"fail: doubled_field", "no: [class]", "Source is blotted out: it stays in the extensions"},
	{"313", "complaint fbl microsoft/jmrp jmrp-arf2026", "none 0",
		"arrival_date=original:Received[1] original_mail_from=original:Return-Path source_ip=original:Received[1]", "unknown",
		"none: unsigned", "review: [nobody unsigned]",
		"three fields; Delivered-To and To name victim@hotmail.com, which is not taken"},
	{"317", "complaint fbl example.com/unknown rfc5965", "none 0", "", "unknown",
		"none: unsigned", "review: [nobody unsigned]", "the RFC's least report"},
	{"321", "not_spam fbl example.com/unknown rfc5965", "none 0", "", "unknown",
		"unchecked: dkim_off", "no: [event]", "type not-spam"},
	{"324", "complaint cfbl mailbox.example/cfbl cfbl-arf", "none 0", "",
		"partial message_id=111:222:333:4444 by cfbl-feedback-id of original:CFBL-Feedback-ID",
		"none: unsigned", "review: [nobody unsigned]", "the third part is a CFBL-Feedback-ID alone"},
	{"326", "complaint fbl example.org/sieve sieve-report", "none 0", "", "unknown",
		"none: unsigned", "review: [nobody unsigned]", "Auto-Submitted: auto-generated (report)"},
	{"327", "complaint trap abusix/traps xarf-v3mail", "named 1",
		"arrival_date=json:Report.Date arrival_date_raw=json:Report.Date original_mail_from=json:Report.SmtpMailFromAddress original_rcpt_to=json:Report.SmtpRcptToAddress source_ip=json:Report.SourceIp source_port=json:Report.SourcePort",
		"unknown", "none: unsigned", "no: [class]", "ReportType Spam, ReportSubType Trap; the sample is the word mail"},
}

// walkthroughTrust is what the receivers of 077 and others would have configured.
var walkthroughTrust = trust.Config{
	AuthservIDs: []string{"correo.domain1.tld", "mail.domain.tld", "mx.google.com"},
	Hops:        []string{"localhost", ".domain1.tld", ".domain.tld"},
	Own:         trust.Own{Domains: []string{"domain3.tld", "example.com"}, IPs: []string{"10.17.18.25"}},
	DKIM:        new(false),
}

func TestWalkthrough(t *testing.T) {
	folder := cmp.Or(os.Getenv("FBLWATCH_CORPUS"), filepath.Join("..", "..", "..", "shared", "corpus", "open"))
	if _, err := os.Stat(folder); err != nil {
		t.Skip("FBLWATCH_CORPUS is not set and there is no folder of published mails")
	}
	trust, err := trust.New(walkthroughTrust, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	identifier, err := identify.New(identify.Config{})
	if err != nil {
		t.Fatal(err)
	}
	g := process.Rules{Identify: identifier, Trust: trust}
	for _, want := range walkthrough {
		files, _ := filepath.Glob(filepath.Join(folder, want.id+"-*.eml"))
		if len(files) != 1 {
			t.Fatalf("%s: %d mails", want.id, len(files))
		}
		message, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		records, _ := g.Records(t.Context(), report.Parse(message), message, true, report.Envelope{})
		if len(records) == 0 {
			t.Errorf("%s: no record", want.id)
			continue
		}
		got := walked(&records[0])
		for i, w := range []string{want.speaks, want.complainant, want.derived, want.identity, want.reporter, want.suppress} {
			if got[i] != w {
				t.Errorf("%s: %s\nwant %s: %s", want.id, got[i], w, want.because)
			}
		}
	}
}

// blotted is a person's address as the walkthrough has it: the first 8 hex digits of
// its SHA-256. The messages are published; their people need not stand here.
func blotted(value string) string {
	if strings.Contains(value, "@") {
		return fmt.Sprintf("%.4x", sha256.Sum256([]byte(value)))
	}
	return value
}

// walked is a record in the columns of the walkthrough.
func walked(r *report.Record) [6]string {
	var derived, identity []string
	for _, key := range slices.Sorted(maps.Keys(r.Derived)) {
		derived = append(derived, key+"="+r.Derived[key])
	}
	i := r.Identity
	for _, f := range []struct{ key, value string }{{"subscriber", blotted(i.Subscriber)}, {"campaign", i.Campaign}, {"tenant", i.Tenant}, {"message_id", i.MessageID}} {
		if f.value != "" {
			identity = append(identity, fmt.Sprintf("%s=%s by %s of %s", f.key, f.value, i.By[f.key].Rule, i.By[f.key].Source))
		}
	}
	w := r.Reporter
	reporter := string(w.Auth)
	if w.AuthDomain != "" {
		reporter += fmt.Sprintf(" %s by %s, %s", w.AuthDomain, w.AuthMethod, w.Coverage)
	}
	if w.Trusted {
		reporter += ", trusted"
	}
	if w.Code != "" {
		reporter += ": " + string(w.Code)
	}
	return [6]string{
		strings.Join([]string{string(r.Event), string(r.Class), r.Provider + "/" + r.Feed, r.Dialect}, " "),
		fmt.Sprintf("%s %d", r.Complainant, r.Recipients),
		strings.Join(derived, " "),
		strings.TrimSpace(string(i.Status) + " " + strings.Join(identity, ", ")),
		reporter,
		fmt.Sprintf("%s: %s", r.Suppress.Verdict, r.Suppress.Codes),
	}
}
