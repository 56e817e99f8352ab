package report

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestTruncated cuts every fixture at every octet. Nothing is invented: each
// value is one of the whole mail's, or the start of one; and a value that was
// whole stays.
func TestTruncated(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.name, func(t *testing.T) {
			whole := valuesOf(Parse(f.mail, 0).Records(envelope))
			for cut := len(f.mail); cut >= 0; cut-- {
				r := Parse(f.mail[:cut:cut], 0)
				got := valuesOf(r.Records(envelope))
				for key, values := range got {
					for _, v := range values {
						if f.name == "original-charsets" && v == "envelope@mx.example.com" {
							continue // of two Message-IDs the last counts, as far as the mail goes
						}
						if !isOf(key, v, whole) {
							t.Fatalf("cut at %d of %d: %s: %q is invented, the whole mail has %q", cut, len(f.mail), key, v, whole[key])
						}
					}
				}
				ours := Parse(f.mail[:cut:cut], int64(len(f.mail)))
				for _, problem := range ours.Problems {
					if problem.Text == "parts: no closing boundary" || strings.Contains(problem.Text, "cut") {
						t.Fatalf("cut at %d: our own cut is a problem: %v", cut, problem)
					}
				}
				if lost := len(r.Records(envelope)) > 0 && cut < len(f.mail)-2 && len(r.Problems) == 0; lost && !endless[f.name] && missing(got, whole) {
					t.Fatalf("cut at %d of %d: something is missing, and there is no warning", cut, len(f.mail))
				}
			}
		})
	}
}

// endless are the reports that are no part of anything: cut between two lines,
// there is no boundary that could be missing.
var endless = map[string]bool{"top-level-report": true, "spamcop-text": true, "spamcop-site": true}

// missing reports whether a value of whole is not in got.
func missing(got, whole map[string][]string) bool {
	for key := range whole {
		if len(got[key]) < len(whole[key]) && key != "warning" {
			return true
		}
	}
	return false
}

// isOf reports whether the whole mail says v under key, or begins with it.
func isOf(key, v string, whole map[string][]string) bool {
	v, _, _ = strings.Cut(v, "\ufffd") // cut within a character, or before its charset was named
	if strings.HasPrefix(key, "ext:") {
		// A field that the cut runs through stands raw in the extensions.
		for _, values := range whole {
			if slices.ContainsFunc(values, func(w string) bool { return strings.HasPrefix(plain(w), plain(v)) || strings.HasPrefix(v, w+" ") }) {
				return true
			}
		}
		return v == "" || isStart(v)
	}
	return slices.ContainsFunc(whole[key], func(w string) bool {
		return w == v || strings.HasPrefix(w, v) && prefixed[key]
	})
}

// isStart allows the raw start of what the record says in another form.
func isStart(v string) bool {
	for _, whole := range []string{"<", "[IPv6:2001:DB8::25]", "2001:DB8::25", "::ffff:192.0.2.10", "dns; mx.example.com", "//fbl.example.com/s/1", "authentication result string is not available"} {
		if strings.HasPrefix(whole, v) || strings.HasPrefix(v, whole) {
			return true
		}
	}
	return false
}

// prefixed are the values that folding lets go on behind a line break: a cut
// there leaves a start of them that nobody can tell from the whole.
var prefixed = map[string]bool{"authentication_results": true, "dkim_canonicalized_header": true, "cfbl_feedback_id": true, "subject": true}

func valuesOf(records []Record) map[string][]string {
	m := make(map[string][]string)
	add := func(key string, values ...string) {
		for _, v := range values {
			if v != "" {
				m[key] = append(m[key], v)
			}
		}
	}
	date := func(key string, t time.Time) {
		if !t.IsZero() {
			add(key, t.Format(time.RFC3339))
		}
	}
	for i, r := range records {
		if r.Event != Unparsed {
			add("event", r.Event)
		}
		add("original_rcpt_to", r.OriginalRcptTo)
		add("rcpt_hash", r.RcptHash)
		if i > 0 {
			continue
		}
		add("feedback_type", r.FeedbackType)
		add("user_agent", r.UserAgent)
		add("version", r.Version)
		add("source_ip", r.SourceIP)
		add("original_mail_from", r.OriginalMailFrom)
		add("original_envelope_id", r.OriginalEnvelopeID)
		add("arrival_date_raw", r.ArrivalDateRaw)
		date("arrival_date", r.ArrivalDate)
		add("authentication_results", r.AuthenticationResults...)
		add("reported_domain", r.ReportedDomain...)
		add("reported_uri", r.ReportedURI...)
		add("auth_failure", r.AuthFailure.AuthFailure)
		add("delivery_result", r.DeliveryResult)
		add("dkim_domain", r.DKIMDomain)
		add("dkim_canonicalized_header", r.DKIMCanonicalizedHeader)
		add("spf_dns", r.SPFDNS...)
		for key, n := range map[string]int{"source_port": r.SourcePort, "incidents": r.Incidents} {
			if n > 0 {
				add(key, strconv.Itoa(n))
			}
		}
		if r.ReportingMTA != nil {
			add("reporting_mta", r.ReportingMTA.Name, r.ReportingMTA.Type)
		}
		add("identity_alignment", r.IdentityAlignment)
		add("dkim_identity", r.DKIMIdentity)
		add("dkim_selector", r.DKIMSelector)
		add("dkim_selector_dns", r.DKIMSelectorDNS)
		add("dkim_adsp_dns", r.DKIMADSPDNS)
		add("dkim_canonicalized_body", r.DKIMCanonicalizedBody)
		for name, values := range r.Extensions {
			add("ext:"+name, values...)
		}
		if o := r.Original; o != nil {
			add("message_id", o.MessageID)
			date("date", o.Date)
			add("from", o.From)
			add("subject", o.Subject)
			add("return_path", o.ReturnPath)
			add("to", o.To...)
			add("list_unsubscribe", o.ListUnsubscribe...)
			add("feedback_id", o.FeedbackID)
			add("cfbl_feedback_id", o.CFBLFeedbackID)
			if o.HeadersOnly {
				add("headers_only", "true")
			}
		}
	}
	return m
}

// TestCutBehindField: a field that is whole before the cut is not lost.
func TestCutBehindField(t *testing.T) {
	const head = "From: fbl@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\n"
	const fields = "Feedback-Type: abuse\nSource-IP: 192.0.2.1\n"
	for cut, want := range map[int]string{
		len(fields):     "192.0.2.1",
		len(fields) - 1: "", // 192.0.2.1 may go on: 192.0.2.100
		len(fields) - 5: "",
	} {
		r := Parse([]byte(head+fields[:cut]), 0)
		if r.SourceIP != want || r.FeedbackType != "abuse" {
			t.Errorf("cut at %d: %q %q", cut, r.FeedbackType, r.SourceIP)
		}
		if raw := r.Extensions["source-ip"]; want == "" && (len(raw) != 1 || !strings.HasPrefix("192.0.2.1", raw[0])) {
			t.Errorf("cut at %d: %q", cut, raw)
		}
		if len(r.Problems) == 0 {
			t.Errorf("cut at %d: no problem", cut)
		}
	}
}
