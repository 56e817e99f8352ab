package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/fblwatch/fblwatch/internal/message"
)

// TestTruncated cuts every fixture at every octet. Nothing is invented: each
// value is one of the whole message's, or the start of one. Nothing is lost: a value
// of the whole message that was there stays, and a field of the report part is there
// once its line has ended. Something that is missing has a warning.
func TestTruncated(t *testing.T) {
	for _, f := range fixtures(t) {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			full := Parse(f.message)
			whole := valuesOf(full.Records(envelope))
			fields := fieldEnds(f.message, full)
			none := len(fields) == 0
			var before map[string][]string
			for cut := 0; cut <= len(f.message); cut++ {
				r := Parse(f.message[:cut:cut])
				records := r.Records(envelope)
				got := valuesOf(records)
				invents(t, f.name, cut, got, whole)
				for key, values := range before {
					for _, v := range values {
						if slices.Contains(whole[key], v) && !slices.Contains(got[key], v) && !(key == "source_ip" && bothJMRP[f.name]) {
							t.Fatalf("cut at %d of %d: %s: %q was there before, and is not in %q", cut, len(f.message), key, v, got[key])
						}
					}
				}
				if atBoundary(f.message, cut) {
					before = got
				}
				accused := r.Kind == KindUnparsed && r.Class == ClassNetwork // by its words alone: nothing is read yet
				for end, words := range fields {
					if cut >= end && len(records) > 0 && !accused {
						lost(t, cut, words, got)
						delete(fields, end) // from here on it must stay
					}
				}
				ours := ParsePrefix(f.message[:cut:cut], int64(len(f.message)))
				for _, problem := range ours.Problems {
					if problem.Text == "parts: no closing boundary" || strings.Contains(problem.Text, "cut") {
						t.Fatalf("cut at %d: our own cut is a problem: %v", cut, problem)
					}
				}
				if len(records) > 0 && cut < len(f.message)-2 && len(r.Problems) == 0 && !endless[f.name] && missing(got, whole) {
					t.Fatalf("cut at %d of %d: something is missing, and there is no warning", cut, len(f.message))
				}
			}
			if missing(before, whole) || len(fields) > 0 || none && f.name != "one-line" && strings.Contains(string(f.message), "\nFeedback-Type: ") && full.Kind == KindReport {
				t.Errorf("%d fields; %q, want %q", len(fields), before, whole)
			}
		})
	}
}

// atBoundary reports whether a line is whole before the cut, and goes on nowhere.
func atBoundary(message []byte, cut int) bool {
	return cut == len(message) || cut > 0 && (message[cut-1] == '\n' || message[cut-1] == '\r' && message[cut] != '\n') && message[cut] != ' ' && message[cut] != '\t'
}

// fieldEnds are the words of each field of the report part, by where in the message
// its last line ends; of a part in another encoding there are none.
func fieldEnds(sent []byte, r *Report) map[int][]string {
	ends := make(map[int][]string)
	lower := strings.ToLower(string(sent))
	for b := []byte(r.raw.report.headers.Raw); len(b) > 0; {
		f, rest, kind := message.ReadField(b)
		text := strings.ToLower(string(b[:len(b)-len(rest)]))
		if v := string(f.Value); kind == message.FieldLine && v != "" && f.Ended && !message.IsMIMEField(f.Name) && strings.Count(lower, "\n"+text) == 1 && !strings.EqualFold(v, "authentication result string is not available") {
			ends[strings.Index(lower, "\n"+text)+len(text)+1] = strings.FieldsFunc(v, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("<>[];,", r) })
		}
		b = rest
	}
	return ends
}

func lost(t *testing.T, cut int, words []string, got map[string][]string) {
	var all strings.Builder
	for _, values := range got {
		all.WriteString(strings.Join(values, "\n") + "\n")
	}
	for _, word := range words {
		if !says(all.String(), strings.ToValidUTF8(word, "\ufffd")) {
			t.Fatalf("cut at %d: %q of a whole field is not in %q", cut, word, all.String())
		}
	}
}

func invents(t *testing.T, name string, cut int, got, whole map[string][]string) {
	for key, values := range got {
		for _, v := range values {
			if ofTwo[name][key] == v {
				continue // of two the last counts, as far as the message goes
			}
			if !isOf(key, v, whole) {
				t.Fatalf("cut at %d: %s: %q is invented, the whole mail has %q", cut, key, v, whole[key])
			}
		}
	}
}

// ofTwo is what the first of two fields says.
var ofTwo = map[string]map[string]string{
	"original-charsets": {"original.message_id": "envelope@mx.example.com"},
	"two-return-paths":  {"original.return_path": "zmgrbounces+4711@zoho.com", "original_mail_from": "zmgrbounces+4711@zoho.com"},
}

// bothJMRP are reports of 2026 with the subject of the messages before, which names
// the source: they are read as such until their report part comes.
var bothJMRP = map[string]bool{"dialect-jmrp-2026": true, "forwarded-jmrp-2026": true}

// endless are the reports that are no part of anything: cut between two lines,
// there is no boundary that could be missing.
var endless = map[string]bool{"top-level-report": true, "spamcop-text": true, "spamcop-site": true, "flattened": true}

// missing reports whether a value of whole is not in got.
func missing(got, whole map[string][]string) bool {
	for key := range whole {
		if len(got[key]) < len(whole[key]) {
			return true
		}
	}
	return false
}

// isOf reports whether the whole message says v under key, or begins with it.
func isOf(key, v string, whole map[string][]string) bool {
	v, _, _ = strings.Cut(v, "\ufffd") // cut within a character, or before its charset was named
	if strings.HasPrefix(key, "extensions.") {
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
var prefixed = map[string]bool{"authentication_results": true, "dkim_canonicalized_header": true, "original.cfbl_feedback_id": true, "original.subject": true}

// valuesOf is all that records say, by key. What depends on the message as a whole
// is left out: its identity, who speaks, how well it was read, and what follows
// from that.
func valuesOf(records []Record) map[string][]string {
	m := make(map[string][]string)
	for _, rec := range records {
		var v map[string]any
		if err := json.Unmarshal(rec.AppendJSON(nil), &v); err != nil {
			panic(err)
		}
		for _, key := range []string{"schema", "id", "revision", "report_id", "fingerprint", "received_at", "processed_at", "reported_at", "reporter",
			"class", "provider", "feed", "dialect", "recipients", "complainant", "mailbox", "parse", "suppress", "identity", "derived"} {
			delete(v, key)
		}
		if rec.Event == Unparsed {
			delete(v, "event")
		}
		addValues(m, "", v)
	}
	return m
}

func addValues(m map[string][]string, key string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, below := range v {
			addValues(m, strings.TrimPrefix(key+"."+name, "."), below)
		}
	case []any:
		for _, member := range v {
			addValues(m, key, member)
		}
	default:
		if s := fmt.Sprint(v); !slices.Contains(m[key], s) {
			m[key] = append(m[key], s)
		}
	}
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
		r := Parse([]byte(head + fields[:cut]))
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
