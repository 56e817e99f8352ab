package process

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// walk is what the first record of a message says, and where in the message that is.
type walk struct {
	speaks      string // event, class, provider/feed, dialect
	complainant string // and how many are named
	derived     string // key=source
	identity    string // status, then each field by rule of source
	reporter    string // auth, domain by method, coverage, trusted: code
	suppress    string // verdict: codes
}

// walked reads a message; values: identity shows them too.
func walked(t *testing.T, g Rules, message []byte, values bool) walk {
	t.Helper()
	records, _ := g.Records(t.Context(), report.Parse(message), message, true, report.Envelope{})
	if len(records) == 0 {
		return walk{}
	}
	r := &records[0]
	var derived, identity []string
	for _, key := range slices.Sorted(maps.Keys(r.Derived)) {
		derived = append(derived, key+"="+r.Derived[key])
	}
	i := r.Identity
	for _, f := range []struct{ key, value string }{{"subscriber", i.Subscriber}, {"campaign", i.Campaign}, {"tenant", i.Tenant}, {"message_id", i.MessageID}} {
		if f.value == "" {
			continue
		}
		shown := f.key
		if values {
			shown += "=" + f.value
		}
		identity = append(identity, fmt.Sprintf("%s by %s of %s", shown, i.By[f.key].Rule, i.By[f.key].Source))
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
	return walk{
		speaks:      fmt.Sprintf("%s %s %s/%s %s", r.Event, r.Class, r.Provider, r.Feed, r.Dialect),
		complainant: fmt.Sprintf("%s %d", r.Complainant, r.Recipients),
		derived:     strings.Join(derived, " "),
		identity:    strings.TrimSpace(fmt.Sprintf("%s %s", i.Status, strings.Join(identity, ", "))),
		reporter:    reporter,
		suppress:    fmt.Sprintf("%s: %s", r.Suppress.Verdict, r.Suppress.Codes),
	}
}

// walkthrough is messages of report/testdata, each read against its text. above is put
// before the message, as the receiving server does; below comes first in the header
// of the reported message.
var walkthrough = []struct {
	file, above, below string
	walk
	because string
}{
	{"dialect-yahoo", "", "", walk{"complaint fbl yahoo/cfl yahoo", "named 1", "source_ip=original:Received[1]",
		"unknown", "unchecked: dkim_off", "review: [dkim_off]"},
		"no Source-IP; a host of Yahoo's took it from 192.0.2.10; X-Originating-IP is not asked; nobody looks at the signature"},
	{"dialect-yahoo", passed, "", walk{"complaint fbl yahoo/cfl yahoo", "named 1", "source_ip=original:Received[1]",
		"unknown", "pass arf.mail.yahoo.com by a-r, partial, trusted", "yes: [named]"},
		"our server says dkim=pass; Content-Type is not signed; 192.0.2.10 is ours"},
	{"dialect-yahoo", failed, "", walk{"complaint fbl yahoo/cfl yahoo", "named 1", "source_ip=original:Received[1]",
		"unknown", "unchecked: contradicted", "review: [contradicted]"},
		"our server says dkim=fail; signatures are not verified here"},
	{"dialect-yahoo", "", "X-ListMember: reader@example.com\nX-MessageID: 48\nX-Mailer: phplist v3\n", walk{"complaint fbl yahoo/cfl yahoo", "named 1", "source_ip=original:Received[1]",
		"identified subscriber=reader@example.com by phplist of original:X-ListMember, campaign=48 by phplist of original:X-MessageID",
		"unchecked: dkim_off", "review: [dkim_off]"}, "phpList names its subscriber and its campaign"},
	{"dialect-yahoo", "", "List-Unsubscribe: <https://example.com/u?email=reader%40example.com>\n", walk{"complaint fbl yahoo/cfl yahoo", "named 1", "source_ip=original:Received[1]",
		"identified subscriber=reader@example.com by list-unsubscribe of original:List-Unsubscribe", "unchecked: dkim_off", "review: [dkim_off]"},
		"the link of List-Unsubscribe has the address"},
	{"dialect-yahoo-ses", "", "", walk{"complaint fbl yahoo/cfl yahoo-ses", "named 1", "source_ip=original:Received[1]", july, "unchecked: dkim_off", "review: [dkim_off]"},
		"the same User-Agent, From is at email-abuse.amazonses.com"},
	{"dialect-aol", "", "", walk{"complaint fbl aol/scomp aol", "none 0", "original_mail_from=original:Return-Path",
		july + ", message_id=4711.42@news.example.net by aol of text", "none: unsigned", "review: [nobody unsigned]"},
		"AOL names nobody; its text has the Message-ID"},
	{"dialect-returnpath1", "", "", walk{"complaint fbl validity/cox returnpath1", "hashed 1", "", july, "none: unsigned", "review: [hash_only unsigned]"},
		"32 hex digits at cox.net"},
	{"dialect-jmrp-2026", "", "", walk{"complaint fbl microsoft/jmrp jmrp-arf2026", "none 0",
		"arrival_date=original:Received[2] original_mail_from=original:Return-Path source_ip=original:Received-SPF", "unknown", "none: unsigned", "review: [nobody unsigned]"},
		"three fields; To and Delivered-To are not taken"},
	{"jmrp-2026-recipient", "", "", walk{"complaint fbl microsoft/jmrp jmrp-arf2026", "named 1",
		"arrival_date=original:Received[1] original_rcpt_to=original:X-HmXmrOriginalRecipient source_ip=original:Received[1]", "unknown", "none: unsigned", "review: [unsigned]"},
		"X-HmXmrOriginalRecipient"},
	{"jmrp-attached", "", "", walk{"complaint fbl microsoft/jmrp jmrp", "named 1",
		"original_mail_from=original:Return-Path original_rcpt_to=original:X-HmXmrOriginalRecipient source_ip=outer:Subject", july, "none: unsigned", "review: [unsigned]"},
		"no report part; the subject names the source address"},
	{"jmrp-itself", "", "", walk{"complaint fbl microsoft/jmrp jmrp", "named 1",
		"original_mail_from=original:Return-Path original_rcpt_to=original:X-HmXmrOriginalRecipient", july, "unchecked: dkim_off", "review: [dkim_off]"},
		"the reported message itself, with our own signature"},
	{"dialect-zoho", "", "", walk{"complaint fbl zoho/fbl zoho", "none 0", "original_mail_from=original:Return-Path source_ip=original:Received-SPF", july, "none: unsigned", "review: [nobody unsigned]"},
		"nobody is named"},
	{"dialect-abusix", "", "", walk{"complaint trap abusix/traps abusix", "candidate 2", "", july, "none: unsigned", "no: [class]"}, "two recipients of a trap"},
	{"dialect-spamexperts", "", "", walk{"complaint filter spamexperts/filter spamexperts", "named 1", "", july, "none: unsigned", "no: [class]"}, "an outgoing filter"},
	{"dialect-dmarc-netease", "", "", walk{"auth_failure auth netease/dmarc dmarc-netease", "none 0", "", july, "none: unsigned", "no: [event]"}, "type auth-failure"},
	{"ses-complaint", "", "", walk{"complaint fbl amazonses/sns ses-json", "named 1",
		"arrival_date=json:complaint.arrivalDate arrival_date_raw=json:complaint.arrivalDate feedback_type=json:complaint.complaintFeedbackType original=json:mail.headers original_mail_from=json:mail.source original_rcpt_to=json:complaint.complainedRecipients user_agent=json:complaint.userAgent",
		july, "none: unsigned", "review: [unsigned]"}, "JSON that SNS sends"},
	{"ses-sns", "", "", walk{"complaint fbl amazonses/sns ses-json", "candidate 2",
		"original=json:mail.headers original_mail_from=json:mail.source original_rcpt_to=json:complaint.complainedRecipients", "unknown", "none: unsigned", "no: [suppression_list]"},
		"SES itself did not send it: its list of suppressed addresses had them"},
	{"cfbl-id-only", "", "", walk{"complaint cfbl example.com/cfbl cfbl-arf", "none 0", "",
		"partial message_id=111:222:333:4444 by cfbl-feedback-id of original:CFBL-Feedback-ID", "none: unsigned", "review: [nobody unsigned]"},
		"the third part is a CFBL-Feedback-ID alone"},
	{"opt-out-removal", "", "", walk{"opt_out fbl example.com/unknown rfc5965", "named 1", "original_mail_from=original:Return-Path original_rcpt_to=report:Removal-Recipient", july, "none: unsigned", "review: [unsigned]"},
		"type opt-out, Removal-Recipient"},
	{"not-spam", "", "", walk{"not_spam fbl example.com/unknown rfc5965", "none 0", "original_mail_from=original:Return-Path", july, "none: unsigned", "no: [event]"}, "type not-spam"},
	{"xarf-login", "", "", walk{"complaint network example.com/unknown xarf", "none 0", "source_ip=yaml:Source user_agent=yaml:User-Agent version=yaml:Version", "unknown", "none: unsigned", "no: [class]"},
		"report.txt; about no message"},
	{"xarf-v3-attachment", "", "", walk{"complaint trap example.org/unknown xarf-v3mail", "none 0",
		"arrival_date=json:Report.Date arrival_date_raw=json:Report.Date original=json:Report.Attachment source_ip=json:Report.Source.IP source_port=json:Report.Source.Port", "unknown", "none: unsigned", "no: [class]"},
		"JSON; spam that came to a trap"},
	{"kind-dsn", "", "", walk{}, "a bounce is no report"},
}

const (
	passed = "Authentication-Results: mx.example.net; dkim=pass header.d=arf.mail.yahoo.com\n"
	failed = "Authentication-Results: mx.example.net; dkim=fail header.d=arf.mail.yahoo.com\n"

	// july is what the Feedback-ID of many a fixture says.
	july = "partial campaign=july by feedback-id of original:Feedback-ID, tenant=4711 by feedback-id of original:Feedback-ID"
)

func TestWalkthrough(t *testing.T) {
	g := Rules{Identify: identifier(t, identify.Config{}), Trust: checker(t, trust.Config{
		AuthservIDs: []string{"mx.example.net"},
		Own:         trust.Own{Domains: []string{"example.net"}, IPs: []string{"192.0.2.10"}},
		DKIM:        new(false),
	})}
	for _, want := range walkthrough {
		message, err := os.ReadFile("../../report/testdata/" + want.file + ".eml")
		if err != nil {
			t.Fatal(err)
		}
		text := want.above + string(message)
		if want.below != "" {
			text = swap(t, text, "\nX-Apparently-To: ", "\n"+want.below+"X-Apparently-To: ")
		}
		if got := walked(t, g, []byte(text), true); got != want.walk {
			t.Errorf("%s: %s\n%s", want.file, cmp.Diff(want.walk, got, cmp.AllowUnexported(walk{})), want.because)
		}
	}
}
