package process

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/trust"
)

// corpus is published messages of different dialects by their number, each read
// against its text. Nothing that they say of people is here; the fixtures of
// TestWalkthrough show values. The mail servers that corpusTrust names are trusted;
// signatures are not verified, as the keys are gone.
var corpus = []struct {
	id string
	walk
	because string
}{
	{"002", walk{"complaint fbl yahoo/cfl yahoo", "named 1", "source_ip=original:Received[1]", "unknown",
		"none: unsigned", "review: [unsigned]"}, "no Source-IP; the hop of mta34 at yahoo.com has it; the A-R is empty; no DKIM-Signature"},
	{"005", walk{"complaint fbl yahoo/cfl yahoo-ses", "named 1", "source_ip=original:Received[1]", "partial message_id by ses of original:Message-ID",
		"none: unsigned", "review: [unsigned]"}, "its DKIM-Signature is an ellipsis, without a b="},
	{"007", walk{"complaint fbl validity/unknown returnpath1", "candidate 7", "", "unknown",
		"none: unsigned", "review: [candidate unsigned]"}, "seven Original-Rcpt-To, and a made-up domain in From"},
	{"008", walk{"complaint trap abusix/traps abusix", "candidate 2", "", "unknown",
		"none: unsigned", "no: [class]"}, "two recipients; its own hop says (trap)"},
	{"009", walk{"auth_failure auth example.com/dmarc dmarc-lua", "named 1", "", "unknown",
		"none: unsigned", "no: [event]"}, "User-Agent Lua/1.0, type auth-failure"},
	{"010", walk{"auth_failure auth netease/dmarc dmarc-netease", "none 0", "", "unknown",
		"none: unsigned", "no: [event]"}, "Return-Path is not in the original; nobody is named"},
	{"011", walk{"auth_failure auth example.net/dmarc dmarc-opendmarc", "none 0", "", "unknown",
		"none: unsigned", "no: [event]"}, "no Arrival-Date, and no host of whoever runs OpenDMARC is known: no date"},
	{"013", walk{"complaint fbl validity/rackspace returnpath2", "named 1", "", "unknown",
		"none: unsigned", "review: [unsigned]"}, "Source: Rackspace; the local part \"hashed\" is no digest; the original is the word REDACTED"},
	{"016", walk{"complaint fbl microsoft/jmrp jmrp", "named 1", "original_rcpt_to=original:X-HmXmrOriginalRecipient source_ip=outer:Subject", "unknown",
		"none: unsigned", "review: [unsigned]"}, "the subject names the source address"},
	{"055", walk{"complaint fbl amazonses/sns ses-json", "named 1", "feedback_type=json:complaint.complaintFeedbackType original=json:mail.headers original_mail_from=json:mail.source original_rcpt_to=json:complaint.complainedRecipients user_agent=json:complaint.userAgent", "unknown",
		"none: unsigned", "review: [unsigned]"}, "anybody's topic is signed so: never trusted; JSON that SNS sends; its simulator complains; no arrivalDate"},
	{"061", walk{"complaint fbl validity/comcast returnpath1", "hashed 1", "", "unknown",
		"unchecked: contradicted", "review: [hash_only contradicted]"}, "our amavisd says dkim=fail, body altered; the recipient is a digest"},
	{"077", walk{"complaint fbl yahoo/cfl yahoo", "named 1", "", "unknown",
		"pass arf.mail.yahoo.com by a-r, partial, trusted", "yes: [named]"}, "our amavisd says dkim=pass; Content-Type is not signed; the source address is ours"},
	{"079", walk{"complaint fbl zoho/fbl zoho", "none 0", "original_mail_from=original:Return-Path", "unknown",
		"none: unsigned", "review: [nobody unsigned]"}, "Delivered-To is there, and nobody is invented of it"},
	{"080", walk{"complaint fbl zoho/fbl zoho", "none 0", "original_mail_from=original:Return-Path", "unknown",
		"none: unsigned", "review: [nobody unsigned]"}, "the lower Return-Path, which Received-SPF confirms; the upper is Zoho's for its group"},
	{"081", walk{"complaint filter spamexperts/filter spamexperts", "named 1", "", "unknown",
		"none: unsigned", "no: [class]"}, "mx.google.com's spf is of a best guess, for an empty envelope sender"},
	{"089", walk{"complaint network blocklist.de/unknown xarf-blocklistde", "none 0", "source_ip=yaml:Source user_agent=yaml:User-Agent version=yaml:Version", "unknown",
		"none: unsigned", "no: [class]"}, "report.txt; its Date is of the attack, about no message"},
	{"213", walk{"opt_out fbl example.com/unknown rfc5965", "named 1", "original_rcpt_to=report:Removal-Recipient", "unknown",
		"none: unsigned", "review: [unsigned]"}, "type opt-out, Removal-Recipient"},
	{"216", walk{"complaint fbl aol/scomp aol", "none 0", "original_mail_from=original:Return-Path", "partial campaign by phplist of original:X-MessageID, message_id by aol of text",
		"none: unsigned", "review: [nobody unsigned]"}, "X-ListMember is blotted out; the text names the Message-ID"},
	{"217", walk{"complaint fbl microsoft/jmrp jmrp", "named 1", "arrival_date=original:Received[1] original_rcpt_to=original:X-HmXmrOriginalRecipient source_ip=original:Received[1]", "identified subscriber by phplist of original:X-ListMember, campaign by phplist of original:X-MessageID",
		"unchecked: dkim_off", "review: [dkim_off]"}, "the message itself: a host of Hotmail's took it from outside; the hops above were added later"},
	{"239", walk{"complaint fbl yahoo/cfl yahoo", "named 1", "", "identified subscriber by mailgun of report:Original-Mail-From",
		"none: unsigned", "review: [unsigned]"}, "no host of Yahoo's wrote a Received, and X-Originating-IP is not asked"},
	{"243", walk{"complaint fbl microsoft/jmrp jmrp", "named 1", "arrival_date=original:Received[4] original_rcpt_to=original:X-HmXmrOriginalRecipient source_ip=outer:Subject", "unknown",
		"unchecked: dkim_off", "review: [dkim_off]"}, "the fourth Received is the first that took it from outside; the subject has the same address as it; From is a template that nobody filled in"},
	{"250", walk{"complaint fbl example.com/unknown rfc5965", "named 1", "", "identified subscriber by kumoref of original:X-KumoRef",
		"none: unsigned", "review: [unsigned]"}, "the RFC's example with an X-KumoRef"},
	{"253", walk{"auth_failure auth microsoft/dmarc dmarc-hotmail", "token 0", "", "identified subscriber by sendgrid of original:Return-Path, tenant by sendgrid of original:Return-Path, message_id by sendgrid of original:X-SG-EID",
		"none: unsigned", "no: [event]"}, "through a Google group, which signs as sendgrid.com"},
	{"254", walk{"complaint fbl aol/scomp aol", "none 0", "original_mail_from=original:Return-Path", "partial message_id by aol of text",
		"none: unsigned", "review: [nobody unsigned]"}, "the bounce address is blotted out; the date has its zone in a comment too"},
	{"256", walk{"complaint fbl aol/scomp aol", "none 0", "original_mail_from=original:Return-Path", "partial message_id by aol of text",
		"none: unsigned", "review: [nobody unsigned]"}, "the original's Message-ID is blotted out, the one in the text is not"},
	{"258", walk{"complaint fbl yahoo/cfl yahoo", "named 1", "source_ip=original:Received[1]", "identified subscriber by list-unsubscribe of original:List-Unsubscribe",
		"unchecked: dkim_off", "review: [dkim_off]"}, "a host of Yahoo's took it from outside"},
	{"259", walk{"complaint fbl validity/fastmail returnpath1", "token 1", "", "identified subscriber by list-unsubscribe of original:List-Unsubscribe",
		"none: unsigned", "review: [unsigned]"}, "the recipient is a hash, the link of List-Unsubscribe is not; Original-Mail-From has a display name"},
	{"274", walk{"auth_failure auth netease/dmarc dmarc-netease", "token 0", "", "identified subscriber by sendgrid of report:Original-Mail-From, tenant by sendgrid of report:Original-Mail-From, message_id by sendgrid of original:Message-ID",
		"none: unsigned", "no: [event]"}, "base64, attached anew by Outlook"},
	{"277", walk{"auth_failure auth example.net/dmarc dmarc-plaintext", "none 0", "arrival_date=text:Received date arrival_date_raw=text:Received date reported_domain=text:Sender Domain source_ip=text:Sender IP Address", "unknown",
		"none: unsigned", "no: [event]"}, "no report part; labels in the text"},
	{"282", walk{"complaint filter spfbl/filter spfbl", "named 1", "", "unknown",
		"none: unsigned", "no: [class]"}, "passed on by a ticket system: its From says nothing, User-Agent SPFBL does"},
	{"286", walk{"complaint service spamcop/reports spamcop-plain", "none 0", "arrival_date=text:Email from arrival_date_raw=text:Email from source_ip=text:Email from", "unknown",
		"none: unsigned", "no: [class]"}, "the text has the address and the time"},
	{"297", walk{"complaint network cyscon.de/unknown xarf", "none 0", "user_agent=yaml:User-Agent", "unknown",
		"fail: doubled_field", "no: [class]"}, "Source is blotted out: it stays in the extensions"},
	{"313", walk{"complaint fbl microsoft/jmrp jmrp-arf2026", "none 0", "arrival_date=original:Received[1] original_mail_from=original:Return-Path source_ip=original:Received[1]", "unknown",
		"none: unsigned", "review: [nobody unsigned]"}, "three fields; Delivered-To and To name somebody, who is not taken"},
	{"317", walk{"complaint fbl example.com/unknown rfc5965", "none 0", "", "unknown",
		"none: unsigned", "review: [nobody unsigned]"}, "the RFC's least report"},
	{"321", walk{"not_spam fbl example.com/unknown rfc5965", "none 0", "", "unknown",
		"unchecked: dkim_off", "no: [event]"}, "type not-spam"},
	{"324", walk{"complaint cfbl mailbox.example/cfbl cfbl-arf", "none 0", "", "partial message_id by cfbl-feedback-id of original:CFBL-Feedback-ID",
		"none: unsigned", "review: [nobody unsigned]"}, "the third part is a CFBL-Feedback-ID alone"},
	{"326", walk{"complaint fbl example.org/sieve sieve-report", "none 0", "", "unknown",
		"none: unsigned", "review: [nobody unsigned]"}, "Auto-Submitted: auto-generated (report)"},
	{"327", walk{"complaint trap abusix/traps xarf-v3mail", "named 1", "arrival_date=json:Report.Date arrival_date_raw=json:Report.Date original_mail_from=json:Report.SmtpMailFromAddress original_rcpt_to=json:Report.SmtpRcptToAddress source_ip=json:Report.SourceIp source_port=json:Report.SourcePort", "unknown",
		"none: unsigned", "no: [class]"}, "ReportType Spam, ReportSubType Trap; the sample is the word mail"},
}

// corpusTrust is what the receivers of 077 and others would have configured.
var corpusTrust = trust.Config{
	AuthservIDs: []string{"correo.domain1.tld", "mail.domain.tld", "mx.google.com"},
	Hops:        []string{"localhost", ".domain1.tld", ".domain.tld"},
	Own:         trust.Own{Domains: []string{"domain3.tld", "example.com"}, IPs: []string{"10.17.18.25"}},
	DKIM:        new(false),
}

func TestCorpus(t *testing.T) {
	folder := os.Getenv("FBLWATCH_CORPUS")
	if folder == "" {
		t.Skip("FBLWATCH_CORPUS, the folder of published messages, is not set; TestWalkthrough has fixtures of the same shapes")
	}
	g := Rules{Identify: identifier(t, identify.Config{}), Trust: checker(t, corpusTrust)}
	for _, want := range corpus {
		files, _ := filepath.Glob(filepath.Join(folder, want.id+"-*.eml"))
		if len(files) != 1 {
			t.Fatalf("%s: %d messages", want.id, len(files))
		}
		message, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := walked(t, g, message, false); got != want.walk {
			t.Errorf("%s: %s\n%s", want.id, cmp.Diff(want.walk, got, cmp.AllowUnexported(walk{})), want.because)
		}
	}
}
