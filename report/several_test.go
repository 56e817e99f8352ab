package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// several is a message with those parts, each with its own header.
func several(typ string, parts ...string) string {
	b := "From: desk@example.com\nSubject: reports\nMessage-ID: <1@example.com>\nDate: Mon, 02 Mar 2026 06:00:00 +0000\nContent-Type: " + typ + "; boundary=b\n\n"
	for _, part := range parts {
		b += "--b\n" + part + "\n"
	}
	return b + "--b--\n"
}

func attach(message string) string { return "Content-Type: message/rfc822\n\n" + message }

// arfOf is a report on a message to rcpt.
func arfOf(rcpt, boundary string) string {
	return "From: fbl@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=" + boundary + "\n\n--" + boundary +
		"\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nOriginal-Rcpt-To: " + rcpt + "\n--" + boundary +
		"\nContent-Type: message/rfc822\n\nFrom: news@example.net\nSubject: July\nMessage-ID: <" + rcpt + ">\nX-Listmonk-Subscriber: 00000000-0000-4000-8000-" + fmt.Sprintf("%012x", rcpt[0]) + "\n\nHello\n--" + boundary + "--\n"
}

func jmrpOf(rcpt string) string {
	return "X-HmXmrOriginalRecipient: " + rcpt + "\nFrom: news@example.net\nMessage-ID: <" + rcpt + ">\n\nx\n"
}

// TestSeveralAttached: each report that is attached to a message makes its own
// records, with their own values; what else is attached is said to be there.
func TestSeveralAttached(t *testing.T) {
	arf := func(rcpt string) string { return attach(arfOf(rcpt, "of"+rcpt[:1])) }
	jmrp := func(rcpt string) string { return attach(jmrpOf(rcpt)) }
	note := "Content-Type: text/plain\n\nSee these, please.\n"
	human := attach("From: jo@example.com\nSubject: hello\n\nHello!\n")
	broken := attach(strings.Replace(arfOf("z@example.com", "ofz"), "Feedback-Type: abuse\n", "", 1))
	delivered := attach("From: no-reply@sns.amazonaws.com\nSubject: AWS Notification Message\n\n{\"notificationType\":\"Delivery\",\"mail\":{\"source\":\"news@example.net\",\"messageId\":\"1\"}," +
		"\"delivery\":{\"recipients\":[\"z@example.com\"]}}\n")
	for name, c := range map[string]struct {
		message string
		want    string // recipients of the records in their order
		loss    bool
	}{
		"two":                {several("multipart/mixed", note, arf("a@example.com"), arf("b@example.com")), "a@example.com b@example.com", false},
		"a digest":           {several("multipart/digest", arf("a@example.com"), arf("b@example.com"), arf("c@example.com")), "a@example.com b@example.com c@example.com", false},
		"two of Microsoft's": {several("multipart/mixed", jmrp("a@example.com"), jmrp("b@example.com")), "a@example.com b@example.com", false},
		"of two dialects":    {several("multipart/mixed", note, jmrp("a@example.com"), arf("b@example.com")), "a@example.com b@example.com", false},
		"one names two":      {several("multipart/mixed", arf("a@example.com, b@example.com"), arf("c@example.com")), "a@example.com b@example.com c@example.com", false},
		"one names nobody":   {several("multipart/mixed", arf("redacted@example.com"), arf("b@example.com")), " b@example.com", false},
		"a forward of several": {several("multipart/mixed", note, attach(strings.NewReplacer("boundary=b\n", "boundary=in\n", "--b\n", "--in\n", "--b--", "--in--").
			Replace(several("multipart/mixed", arf("a@example.com"), arf("b@example.com")))), arf("c@example.com")), "a@example.com b@example.com c@example.com", false},
		"two forwards of several": {several("multipart/mixed", arf("a@example.com"), attach(strings.NewReplacer("boundary=b\n", "boundary=in\n", "--b\n", "--in\n", "--b--", "--in--").
			Replace(several("multipart/mixed", arf("b@example.com"), arf("c@example.com")))), arf("d@example.com")), "a@example.com b@example.com c@example.com d@example.com", false},
		"the first has no type":         {several("multipart/mixed", note, broken, arf("a@example.com"), jmrp("b@example.com")), "a@example.com b@example.com", true},
		"the first is no complaint":     {several("multipart/mixed", delivered, arf("a@example.com"), jmrp("b@example.com")), "a@example.com b@example.com", true},
		"another mail behind the first": {several("multipart/mixed", arf("a@example.com"), human, arf("b@example.com")), "a@example.com b@example.com", true},
		"another mail comes first":      {several("multipart/mixed", note, human, arf("a@example.com"), arf("b@example.com")), "a@example.com b@example.com", true},
		"two in one of Microsoft's":     {strings.Replace(several("multipart/mixed", jmrp("a@example.com"), jmrp("b@example.com")), "Subject: reports", "Subject: complaint about message from 192.0.2.7", 1), "a@example.com b@example.com", false},
		"nothing of the second":         {several("multipart/mixed", arf("a@example.com"), attach("junk")), "a@example.com", true},
	} {
		r := Parse([]byte(c.message))
		records := r.Records(Envelope{})
		var got []string
		for i, rec := range records {
			got = append(got, rec.OriginalRcptTo)
			if want := fmt.Sprintf("%s.%d", r.ID, i+1); rec.ID != want {
				t.Errorf("%s: record %d has the id %s, want %s", name, i, rec.ID, want)
			}
			if rec.Original == nil || !strings.Contains(rec.Original.MessageID, rec.OriginalRcptTo) {
				t.Errorf("%s: %s came with the mail %+v", name, rec.OriginalRcptTo, rec.Original)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if loss := slices.Contains(r.Problems, Problem{notAllReports, true}); loss != c.loss {
			t.Errorf("%s: %v", name, r.Problems)
		}
		if missing := ParsePrefix([]byte(c.message[:len(c.message)-20]), int64(len(c.message))).Need(); missing == 0 {
			t.Errorf("%s: no more is wanted of a mail whose end may hold another report", name)
		}
		n := 0
		for one, own := range r.Split(records) {
			n += len(own)
			for _, rec := range own {
				if rec.Original != one.Original {
					t.Errorf("%s: %s goes to another report", name, rec.ID)
				}
			}
		}
		if n != len(records) {
			t.Errorf("%s: %d of %d records belong to a report", name, n, len(records))
		}
	}
}

// TestSeveralForwarded: of messages that a person calls spam each is a complaint.
func TestSeveralForwarded(t *testing.T) {
	spam := func(subject string) string {
		return attach("From: news@example.net\nSubject: " + subject + "\nMessage-ID: <" + subject + "@example.net>\n\nBuy!\n")
	}
	r := Parse([]byte(strings.Replace(several("multipart/mixed", "Content-Type: text/plain\n\nThis is spam.\n", spam("one"), spam("two"), "Content-Type: image/png\n\nx\n", spam("three")),
		"Subject: reports", "Subject: spam again", 1)))
	var got []string
	for _, rec := range r.Records(Envelope{}) {
		got = append(got, rec.Original.Subject+" "+rec.Dialect+" "+string(rec.Class)+" "+string(rec.Suppress.Verdict))
	}
	if want := []string{"one forward service no", "two forward service no", "three forward service no"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// More than fifty are not read, and that is said.
func TestTooManyAttached(t *testing.T) {
	var parts []string
	for i := range 60 {
		parts = append(parts, attach(jmrpOf(fmt.Sprintf("u%d@example.com", i))))
	}
	r := Parse([]byte(several("multipart/mixed", parts...)))
	if n := len(r.Records(Envelope{})); n != maxAttached || !slices.Contains(r.Problems, Problem{"attached mails: more than 50", true}) {
		t.Errorf("%d records, %v", n, r.Problems)
	}
}

// TestTwoReportParts: where two report parts stand in one multipart, nobody
// knows what belongs together: the first is read, and that there is another is said.
func TestTwoReportParts(t *testing.T) {
	inner := func(message string) string { // its parts, for another multipart
		_, body, _ := strings.Cut(message, "\n\n--in\n")
		return strings.ReplaceAll(strings.TrimSuffix(body, "--in--\n"), "--in\n", "--b\n")
	}
	r := Parse([]byte(several("multipart/mixed", inner(arfOf("a@example.com", "in")), inner(arfOf("b@example.com", "in")))))
	records := r.Records(Envelope{})
	if len(records) != 1 || records[0].OriginalRcptTo != "a@example.com" || records[0].Parse.Status != "partial" || !slices.Contains(r.Problems, Problem{"report part: more than one", true}) {
		t.Errorf("%s %v %+v", r.Kind, r.Problems, records)
	}
}

// TestLimitSeveral: what holds for the records of a message holds for those of all
// reports that are attached to it.
func TestLimitSeveral(t *testing.T) {
	const most = 40 << 20 // each report has sixteen records, whatever is left
	long := "Version: 1\nX-Long: " + strings.Repeat("x", 20<<10) + "\n"
	var parts []string
	for i := range 8 {
		var to []string
		for n := range 400 {
			to = append(to, fmt.Sprintf("u%d@%d.example", n, i))
		}
		parts = append(parts, attach(strings.Replace(arfOf(strings.Join(to, ", "), fmt.Sprint("of", i)), "Version: 1\n", long, 1)))
	}
	r := Parse([]byte(several("multipart/mixed", parts...)))
	size := 0
	records := r.Records(Envelope{})
	for _, rec := range records {
		size += len(rec.AppendJSON(nil))
	}
	last := r.More[len(r.More)-1]
	if size > most || len(last.OriginalRcptTo) != 16 || len(last.Extensions["original-rcpt-to"]) != 400-16 {
		t.Errorf("%d reports, %d records, %d octets; the last has %d", 1+len(r.More), len(records), size, len(last.OriginalRcptTo))
	}
}

func TestLimitSeveralRecipients(t *testing.T) {
	var parts []string
	for i := range 20 {
		var to []string
		for n := range 500 {
			to = append(to, fmt.Sprintf("u%d@%d.example", n, i))
		}
		parts = append(parts, attach("X-HmXmrOriginalRecipient: "+strings.Join(to, ", ")+"\nFrom: news@example.net\nMessage-ID: <1@example.net>\n\nx\n"))
	}
	r := Parse([]byte(several("multipart/mixed", parts...)))
	if n := len(r.Records(Envelope{})); len(r.More) != 19 || n != maxRecipients+18*16 {
		t.Errorf("%d reports, %d records", 1+len(r.More), n)
	}
}
