package trust

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/fblwatch/fblwatch/internal/pacetest"
	"github.com/fblwatch/fblwatch/report"
)

const (
	ownType = "multipart/report; report-type=feedback-report; boundary=\"outer\"" // of complaint
	victim  = "victim@example.org"
)

// retyped is a message with another Content-Type, which may be followed by other
// fields.
func retyped(t testing.TB, message, to string) string {
	t.Helper()
	before, after, found := strings.Cut(message, "Content-Type: "+ownType+"\r\n")
	if !found {
		t.Fatal("no Content-Type to replace")
	}
	return before + "Content-Type: " + to + "\r\n" + after
}

// within is a report about a message of ours, for the body of a reported message.
func within(boundary string) string {
	return "--" + boundary + "\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x\r\nVersion: 1\r\nSource-IP: 192.0.2.7\r\n" +
		"Original-Rcpt-To: <" + victim + ">\r\n\r\n--" + boundary + "\r\nContent-Type: message/rfc822\r\n\r\nFrom: news@example.com\r\nSubject: x\r\n\r\nx\r\n--" + boundary + "--\r\n"
}

// spellings are Content-Types by which the reader may be led to the boundary %s,
// and others to another one.
var spellings = []struct{ name, value string }{
	{"as it should be", `multipart/report; report-type=feedback-report; boundary="%s"`},
	{"unquoted", `multipart/report; report-type=feedback-report; boundary=%s`},
	{"capitals", `MULTIPART/Report; REPORT-TYPE=Feedback-Report; Boundary="%s"`},
	{"folded", "multipart/report;\r\n\treport-type=feedback-report;\r\n boundary=\"%s\""},
	{"no report-type", `multipart/report; boundary="%s"`},
	{"mixed", `multipart/mixed; boundary="%s"`},
	{"digest", `multipart/digest; boundary="%s"`},
	{"alternative", `multipart/alternative; boundary="%s"`},
	{"another type", `multipart/x; boundary="%s"`},
	{"twice", `multipart/report; report-type=feedback-report; boundary="%s"; boundary=outer`},
	{"twice, one in quotes", `multipart/report; report-type=feedback-report; x=";boundary=outer;"; boundary="%s"; boundary="%[1]s"`},
	{"in the quotes of another", `multipart/report; report-type=feedback-report; x="; boundary=outer"; boundary=%s`},
	{"in the quotes of another, escaped", `multipart/report; report-type=feedback-report; x="\"; boundary=%s; y="; boundary=outer; z="`},
	{"another parameter twice", `multipart/report; report-type=feedback-report; report-type=feedback-report; boundary=%s`},
	{"continued", `multipart/report; report-type=feedback-report; boundary*0=outer; boundary=%s`},
	{"continued behind", `multipart/report; report-type=feedback-report; boundary=%s; boundary*0=out; boundary*1=er`},
	{"extended", `multipart/report; report-type=feedback-report; boundary*=us-ascii''outer; boundary=%s`},
	{"extended piece", `multipart/report; report-type=feedback-report; boundary=%s; boundary*0*=us-ascii''out; boundary*1=er`},
	{"another parameter continued", `multipart/report; report-type=feedback-report; x*0=y; boundary=%s`},
	{"an open quote", `multipart/report; report-type=feedback-report; boundary="%s`},
	{"a quote that closes twice", `multipart/report; report-type=feedback-report; boundary="%s""outer"`},
	{"words behind the quotes", `multipart/report; report-type=feedback-report; boundary="%s" outer`},
	{"words behind", `multipart/report; report-type=feedback-report; boundary=%s outer`},
	{"a blank before the sign", `multipart/report; report-type=feedback-report; boundary =%s`},
	{"a blank behind the sign", `multipart/report; report-type=feedback-report; boundary= %s`},
	{"a blank before the semicolon", `multipart/report; report-type=feedback-report ;boundary=%s`},
	{"a comment before", `multipart/report; report-type=feedback-report; (boundary=outer;) boundary=%s`},
	{"a comment behind", `multipart/report; report-type=feedback-report; boundary=%s (; boundary=outer)`},
	{"a comment within", `multipart/report (; boundary=outer); report-type=feedback-report; boundary=%s`},
	{"a comma", `multipart/report, multipart/report; report-type=feedback-report; boundary=%s`},
	{"no type", `; report-type=feedback-report; boundary=%s`},
	{"an empty parameter", `multipart/report;; report-type=feedback-report; boundary=%s`},
	{"a control", "multipart/report; report-type=feedback-report; x=\x01; boundary=%s"},
	{"a letter that is none of ASCII", "multipart/report; report-type=feedback-report; x=\u00e9; boundary=%s"},
	{"a long parameter before", `multipart/report; report-type=feedback-report; x=` + strings.Repeat("y", 1000) + `; boundary=%s`},
	{"many parameters before", `multipart/report; report-type=feedback-report; ` + manyParams(99) + `boundary=%s`},
	{"many parameters, and another", `multipart/report; report-type=feedback-report; boundary=%s; ` + manyParams(120) + `boundary=outer`},
}

func manyParams(n int) string {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "x%d=y; ", i)
	}
	return s.String()
}

// plainSpellings are those of them, by name, that partial coverage may rest on.
var plainSpellings = []string{"as it should be", "unquoted", "capitals", "folded", "no report-type", "mixed"}

// TestReframed: a provider signs From, To, Subject and Date of a report about
// somebody else's message, which holds a report about a message of ours. However
// the Content-Type is spelled, and the body encoded, that one is never believed.
// Where the provider itself signs such a Content-Type, it is.
func TestReframed(t *testing.T) {
	dns := publish(t, reporter)
	lookup := func(name string) ([]string, error) { return dns.LookupTXT(context.Background(), name) }
	byResults := config
	byResults.Hops, byResults.DKIM = nil, new(false)
	verified, led := 0, 0
	never := func(name, message string) {
		t.Helper()
		for _, message := range []string{message, strings.ReplaceAll(message, "\r\n", "\n")} {
			r := report.Parse([]byte(message))
			if slices.Contains(r.OriginalRcptTo, victim) {
				led++
			}
			if got := check(t, config, dns, message, true, time.Time{}, false); got.Trusted {
				t.Errorf("%s: trusted: %+v", name, got)
			}
			found, err := dkim.VerifyWithOptions(strings.NewReader(strings.ReplaceAll(strings.ReplaceAll(message, "\r\n", "\n"), "\n", "\r\n")), &dkim.VerifyOptions{LookupTXT: lookup})
			if err != nil || len(found) != 1 || found[0].Err != nil {
				t.Fatalf("%s: the signature is broken: %v, %+v", name, err, found)
			}
			verified++
			message = results("mx.example.com", dkimPass(reporter)) + receivedOurs + message
			if got := check(t, byResults, nil, message, true, time.Time{}, false); got.Trusted {
				t.Errorf("%s: trusted by authentication-results: %+v", name, got)
			}
		}
	}
	theirs := func(body string) string {
		return sign(t, complaint("feedback@"+reporter, original{ip: "203.0.113.9", from: "x@evil.example", body: body}), reporter, yahooFields)
	}

	// Boundaries that are none of RFC 2046, or that are found by those only who decode.
	long, longer, longest := strings.Repeat("i", 71), strings.Repeat("i", 252), strings.Repeat("i", 300)
	for _, b := range []string{"inner", `in"ner`, "in ner", "in\\ner", "in(n)er", "in=ner", "outer-", "outer--", "-", "--", long, longer, longest} {
		base := theirs(within(b))
		for _, s := range spellings {
			never(fmt.Sprintf("%s, %.80q", s.name, b), retyped(t, base, fmt.Sprintf(s.value, b)))
		}
	}
	hidden := strings.NewReplacer("--inner", "--in=6Eer", "Feedback-Type", "Feedback=2DType", "Content-Type", "Content=2DType").Replace(within("inner"))
	for _, body := range []string{within("inner"), hidden} {
		base := theirs(body)
		for _, encoding := range []string{"7bit", "8bit", "binary", "quoted-printable", "Quoted-Printable; x", "base64", "base64 (x)", "(x) base64", "7bit\r\n ,base64", "x-unknown", ""} {
			for _, typ := range []string{ownType, `multipart/report; report-type=feedback-report; boundary="inner"`, "multipart/mixed; boundary=inner", "multipart/mixed; boundary=nowhere", "text/plain", "message/rfc822", "message/feedback-report"} {
				never(fmt.Sprintf("%q of %s", encoding, typ), retyped(t, base, typ+"\r\nContent-Transfer-Encoding: "+encoding))
			}
		}
	}
	for _, s := range spellings {
		never(s.name+", quoted-printable", retyped(t, theirs(hidden), fmt.Sprintf(s.value, "inner")+"\r\nContent-Transfer-Encoding: quoted-printable"))
	}
	for _, typ := range []string{"text/plain", "text/html", "message/rfc822", "message/global", "message/feedback-report", "application/octet-stream", "multipart/report", "multipart", "x", ""} {
		never(typ, retyped(t, theirs(within("inner")), typ))
	}
	if verified < 1000 || led < 400 {
		t.Errorf("%d signatures are good, and the reader was led astray %d times: the tricks are none", verified, led)
	}

	// The genuine ones.
	ours := complaint("feedback@"+reporter, oursOriginal)
	for _, s := range spellings {
		typ := fmt.Sprintf(s.value, "outer")
		r := report.Parse([]byte(retyped(t, ours, typ)))
		if !slices.Equal(r.OriginalRcptTo, []string{"reader@example.org"}) {
			t.Errorf("%s: not read", s.name)
		}
		if !r.FirstHand() {
			continue // its fields stand in a text
		}
		got := check(t, config, dns, sign(t, retyped(t, ours, typ), reporter, append(slices.Clone(allFields), "Content-Transfer-Encoding")), true, time.Time{}, false)
		if !got.Trusted || got.Coverage != "full" {
			t.Errorf("%s, signed: %+v", s.name, got)
		}
		for _, message := range []string{sign(t, retyped(t, ours, typ), reporter, yahooFields), retyped(t, sign(t, ours, reporter, yahooFields), typ)} {
			plain := slices.Contains(plainSpellings, s.name)
			if got := check(t, config, dns, message, true, time.Time{}, false); got.Trusted != plain || got.Coverage != "partial" {
				t.Errorf("%s, not signed: %+v", s.name, got)
			}
			message = results("mx.example.com", dkimPass(reporter)) + receivedOurs + message
			if got := check(t, byResults, nil, message, true, time.Time{}, false); got.Trusted != plain {
				t.Errorf("%s, not signed, by authentication-results: %+v", s.name, got)
			}
		}
	}
}

// TestSealed: a seal vouches for what it covers, all of it.
func TestSealed(t *testing.T) {
	found, withSignature := "x; "+dkimPass(reporter), append([]string{"DKIM-Signature"}, allFields...)
	byARC := config
	byARC.DKIM = new(false)
	never := func(name, message string) {
		t.Helper()
		if got := check(t, byARC, publish(t, reporter, sealer), message, true, time.Time{}, false); got.Trusted {
			t.Errorf("%s: trusted: %+v", name, got)
		}
	}
	always := func(name, message, coverage string) {
		t.Helper()
		if got := check(t, byARC, publish(t, reporter, sealer), message, true, time.Time{}, false); !got.Trusted || got.Coverage != coverage || got.AuthMethod != "arc" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	ours := complaint("feedback@"+reporter, oursOriginal)
	_, body, _ := strings.Cut(ours, "\r\n\r\n")
	signed, yahoo := sign(t, ours, reporter, allFields), sign(t, ours, reporter, yahooFields)
	always("all", seal(t, signed, sealer, found, "none", withSignature), "full")
	always("all, by l=", sealLength(t, signed, sealer, sealer, found, "none", fmt.Sprintf("l=%d; ", len(body)), withSignature, len(body)), "full")
	always("what the provider signed", seal(t, yahoo, sealer, found, "none", withSignature), "partial")
	always("as little as the provider signed", seal(t, yahoo, sealer, found, "none", yahooFields), "partial")

	// A body whose end the seal leaves open, whoever wrote it.
	for name, fields := range map[string][]string{"full": allFields, "partial": yahooFields} {
		for _, length := range []int{0, strings.Index(body, "--outer\r\nContent-Type: message/feedback"), strings.Index(body, "--outer\r\nContent-Type: message/rfc822"), len(body) - 1} {
			start, end := body[:length], strings.ReplaceAll(body[length:], "reader@example.org", victim)
			message := sealLength(t, sign(t, ours, reporter, fields), sealer, sealer, found, "none", fmt.Sprintf("l=%d; ", length), withSignature, length)
			never(fmt.Sprintf("%s, l=%d", name, length), strings.Replace(message, body, start+end, 1))
		}
		message := sealLength(t, sign(t, ours, reporter, fields), sealer, sealer, found, "none", fmt.Sprintf("l=%d; ", len(body)), withSignature, len(body))
		never(name+", more behind the end", message+"more\r\n")
	}

	// A report that was framed anew before it was sealed, and to which a signature
	// was added since that calls the frame signed.
	reframed := seal(t, reframed(t, yahooFields), sealer, found, "none", allFields)
	claims := sign(t, ours, reporter, allFields)
	claims = claims[:strings.Index(claims, "\r\nFrom:")+2]
	never("re-framed", reframed)
	never("re-framed, with another signature", claims+reframed)
	never("re-framed, with another signature for the provider's", claims+strings.Replace(reframed, "DKIM-Signature:", "X-Signature:", 1))
}

// TestPreamble: what stands before the first delimiter is the signer's, unless it is
// a text to somebody.
func TestPreamble(t *testing.T) {
	dns := publish(t, reporter)
	ours := complaint("feedback@"+reporter, oursOriginal)
	for preamble, want := range map[string]bool{
		"":            true,
		"\r\n \t\r\n": true,
		"This is a multi-part message in MIME format.\r\n\r\n":                                                            true,
		"> This message is in MIME format. Since your mail reader does not understand\r\nthis format, it is not for you.": true,
		"Thank you for your message. You wrote:\r\n\r\n":                                                                  false,
		"You wrote:\r\nThis is a multi-part message in MIME format.\r\n":                                                  false,
		"--inner\r\n\r\n": false,
		"This is a multi-part message in MIME format.\r\n--inner\r\n": false,
		"-- \r\n": false,
		"This is a multi-part message in MIME format.\r\n" + strings.Repeat("x\r\n", 100<<10): false, // too far
	} {
		message := strings.Replace(ours, "\r\n\r\n", "\r\n\r\n"+strings.TrimSuffix(preamble, "\r\n")+"\r\n", 1)
		if got := check(t, config, dns, sign(t, message, reporter, yahooFields), true, time.Time{}, false); got.Trusted != want {
			t.Errorf("%.100q: %+v", preamble, got)
		}
		if got := check(t, config, dns, sign(t, message, reporter, allFields), true, time.Time{}, false); len(preamble) < 1000 && !got.Trusted {
			t.Errorf("%.100q, signed: %+v", preamble, got)
		}
	}
}

// TestStart: where Content-Type is not signed, the start of a message tells enough if
// its first delimiter is there.
func TestStart(t *testing.T) {
	conf := config
	conf.DKIM = new(false)
	c, err := New(conf, nil, table)
	if err != nil {
		t.Fatal(err)
	}
	message := results("mx.example.com", dkimPass(reporter)) + receivedOurs + sign(t, complaint("feedback@"+reporter, oursOriginal), reporter, yahooFields)
	size := int64(len(message))
	records := report.ParsePrefix([]byte(message), size).Records(report.Envelope{Providers: table})
	const delimiter = "\r\n--outer\r\n"
	for n := strings.Index(message, "\r\n\r\n"); n < len(message); n++ {
		start := []byte(message[:n])
		more := c.Check(t.Context(), start, report.ParsePrefix(start, size), records, time.Time{}, false)
		if want := n < strings.Index(message, delimiter)+len(delimiter)-2; more != want || records[0].Reporter.Auth != pass && !more {
			t.Fatalf("of %q more is wanted: %v; %+v", start[max(0, n-20):], more, *records[0].Reporter)
		}
	}
}

// TestDashes: what the reported message holds says nothing of how the report is to
// be read, and costs nothing.
func TestDashes(t *testing.T) {
	dns := publish(t, reporter)
	for name, body := range map[string]string{
		"an answer":              "-----Original Message-----\r\nFrom: x\r\n\r\n--\r\nx\r\n",
		"another report":         within("inner"),
		"33 lines of dashes":     dashes(33),
		"1000 lines of dashes":   dashes(1000),
		"parts of a multipart":   strings.ReplaceAll(dashes(1000), "\r\n", "\r\nContent-Type: text/plain\r\n\r\n"),
		"100000 lines of dashes": dashes(100_000),
	} {
		o := oursOriginal
		o.body = body
		message := sign(t, complaint("feedback@"+reporter, o), reporter, yahooFields)
		message = retyped(t, message, `multipart/report; boundary="outer"; report-type="feedback-report"`)
		if got := check(t, config, dns, message, true, time.Time{}, false); !got.Trusted || got.Coverage != "partial" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	c, err := New(config, dns, table)
	if err != nil {
		t.Fatal(err)
	}
	checking := func(lines int) func() {
		o := oursOriginal
		o.body = dashes(lines)
		message := []byte(sign(t, complaint("feedback@"+reporter, o), reporter, yahooFields))
		r := report.Parse(message)
		records := r.Records(report.Envelope{Providers: table})
		return func() { c.Check(t.Context(), message, r, records, time.Time{}, false) }
	}
	pacetest.Linear(t, "lines of dashes", 60*time.Millisecond, 8, checking(5_000), checking(40_000))
}

// dashes are lines of dashes of which no two are the same.
func dashes(lines int) string {
	var s strings.Builder
	for i := range lines {
		fmt.Fprintf(&s, "-----%d-----\r\n", i)
	}
	return s.String()
}

// TestWhiteSpace: relaxed canonicalization leaves white space open (RFC 6376 section
// 3.4.4). What stands in the body of the reported message is no header of it, and no
// part of the report, whatever of it anybody changes.
func TestWhiteSpace(t *testing.T) {
	dns := publish(t, reporter)
	c, err := New(config, dns, hosted)
	if err != nil {
		t.Fatal(err)
	}
	// The reporter says where a message came from by its trace alone.
	told := func(header, body string) string {
		message := complaint("feedback@"+reporter, original{})
		start, _, _ := strings.Cut(message, "From: <>\r\n")
		start = strings.NewReplacer("Source-IP: \r\n", "").Replace(start)
		return start + crlfs(header+"\n"+body+"\n--outer--\n")
	}
	judge := func(message string) report.Reporter {
		r := report.Parse([]byte(message))
		records := r.Records(report.Envelope{Providers: hosted})
		if len(records) == 0 {
			return report.Reporter{}
		}
		c.Check(t.Context(), []byte(message), r, records, time.Time{}, false)
		return *records[0].Reporter
	}
	forged := fromOurs + fromUs + token + "Subject: x\n\nx\n"
	theirs := map[string]string{
		"a message":             told(fromEvil+"From: x@evil.example\nSubject: x\n", forged),
		"a message, in parts":   told(fromEvil+"From: x@evil.example\nSubject: x\nContent-Type: multipart/mixed; boundary=zz\n", "--zz\nContent-Type: message/rfc822\n\n"+forged+"--zz--\n"),
		"a report, in parts":    told(fromEvil+"From: x@evil.example\nSubject: x\nContent-Type: multipart/mixed; boundary=inner\n", strings.ReplaceAll(within("inner"), "\r\n", "\n")),
		"a part that is hidden": told(fromEvil+"From: x@evil.example\nSubject: x\nContent-Type: message/rfc822\n", forged),
		"no text":               strings.Replace(told(fromEvil+"From: x@evil.example\nSubject: x\nContent-Type: multipart/mixed; boundary=zz\n", "--zz\nContent-Type: message/rfc822\n\n"+forged+"--zz--\n"), "--outer\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n\r\n", "", 1),
	}
	changes := map[string]func(line string) string{
		"a blank":          func(string) string { return " " },
		"blanks":           func(string) string { return " \t " },
		"a blank behind":   func(line string) string { return line + " " },
		"a tab behind":     func(line string) string { return line + "\t" },
		"more between":     func(line string) string { return strings.ReplaceAll(line, " ", " \t ") },
		"a tab, not blank": func(line string) string { return strings.ReplaceAll(line, " ", "\t") },
	}
	for name, message := range theirs {
		for coverage, fields := range map[string][]string{"full": allFields, "partial": yahooFields} {
			signed := sign(t, message, reporter, fields)
			header, body, _ := strings.Cut(signed, "\r\n\r\n")
			lines := strings.Split(body, "\r\n")
			for what, change := range changes {
				try := func(which func(i int) bool) {
					changed := slices.Clone(lines)
					for i, line := range lines[:len(lines)-1] {
						if which(i) && (line == "" || !strings.HasPrefix(what, "a blank") && what != "blanks" || what == "a blank behind") {
							changed[i] = change(line)
						}
					}
					got := judge(header + "\r\n\r\n" + strings.Join(changed, "\r\n"))
					if got.Auth != pass || got.Coverage != coverage {
						t.Fatalf("%s, %s: the signature is broken: %+v", name, what, got)
					}
					if got.Trusted {
						t.Errorf("%s, %s, %s: trusted: %+v", name, coverage, what, got)
					}
				}
				try(func(int) bool { return true })
				for n := range lines {
					try(func(i int) bool { return i == n })
				}
			}
			ours := sign(t, told(fromOurs+fromUs+"Subject: x\n", "x\n"), reporter, fields)
			header, body, _ = strings.Cut(ours, "\r\n\r\n")
			if got := judge(header + "\r\n\r\n" + strings.ReplaceAll(body, "\r\n", " \t\r\n")); !got.Trusted || got.Coverage != coverage {
				t.Errorf("genuine, %s: %+v", coverage, got)
			}
		}
	}
}
