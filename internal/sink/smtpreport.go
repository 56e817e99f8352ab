package sink

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message/textproto"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

const (
	mostValue  = 2000 // octets of a value that is forwarded
	mostWord   = 900  // octets of it without a blank: a line has 998 at most
	mostValues = 20   // of one name
)

// message is the record as a report of ours (RFC 5965) without the complainant's
// address (RFC 6590). It is the same each time, octet by octet.
func (s *forwarder) message(item *delivery.Item, to string) ([]byte, error) {
	rec, err := item.Record()
	if err != nil {
		return nil, err
	}
	clear, err := s.write(item, rec, to)
	if err != nil {
		return nil, err
	}
	// The address may also be in a token, such as a VERP, that only a reader of the
	// reported message finds.
	tokens := process.Rules{Privacy: s.filter}.Tokens(report.Parse(clear))
	redacted := []report.Record{*rec}
	s.filter.Records(redacted, tokens...)
	return s.write(item, &redacted[0], to)
}

func (s *forwarder) write(item *delivery.Item, rec *report.Record, to string) ([]byte, error) {
	key := sha256.Sum256([]byte(item.Key()))
	digits := hex.EncodeToString(key[:16])
	from, err := plainAddress(s.config.Sender)
	if err != nil {
		return nil, err
	}
	m := report.Message{To: []string{to}, Text: forwardText(rec), Original: originalHeader(rec.Original), Boundary: "=_" + digits}
	r := &m.Report
	r.Outer = report.Outer{
		From: from.String(), Subject: "Feedback report from " + shownValue(rec.Provider),
		Date: item.At, MessageID: digits + "@" + message.DomainOf(from.Address),
	}
	r.FeedbackType, r.UserAgent, r.Version = feedbackType(rec), "fblwatch", "1"
	r.OriginalMailFrom = writable(rec.OriginalMailFrom)
	if rcpt := rec.OriginalRcptTo + rec.RcptHash; (rec.OriginalRcptTo == "" || rec.RcptHash == "") && message.IsAddress(rcpt) {
		r.OriginalRcptTo = []string{rcpt}
	}
	if r.OriginalMailFrom != "<>" && !message.IsAddress(r.OriginalMailFrom) {
		r.OriginalMailFrom = ""
	}
	r.OriginalEnvelopeID = writable(rec.OriginalEnvelopeID)
	r.ArrivalDate = rec.ArrivalDate
	r.SourceIP, r.SourcePort, r.Incidents = rec.SourceIP, rec.SourcePort, rec.Incidents
	if mta := rec.ReportingMTA; mta != nil && writable(mta.Name) != "" && writable(mta.Type) == mta.Type {
		r.ReportingMTA = mta
	}
	r.AuthenticationResults = writables(rec.AuthenticationResults)
	r.ReportedDomain = writables(rec.ReportedDomain)
	r.ReportedURI = writables(rec.ReportedURI)
	r.Extensions = map[string][]string{process.ForwardedField: {rec.ID}}

	var b bytes.Buffer
	var h textproto.Header
	h.Add(process.ForwardedField, rec.ID)
	h.Add("Auto-Submitted", "auto-generated") // RFC 3834
	if err := textproto.WriteHeader(&b, h); err != nil {
		return nil, err
	}
	b.Truncate(b.Len() - len("\r\n")) // the report's own header goes on
	if err := report.Write(&b, m); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// isForwarded reports whether a sink of this kind wrote the report.
func isForwarded(rec *report.Record) bool {
	return len(rec.Extensions[strings.ToLower(process.ForwardedField)]) > 0
}

// feedbackType is the type as sent, if it is a token of RFC 5965.
func feedbackType(rec *report.Record) string {
	if typ := strings.ToLower(rec.FeedbackType); typ != "" && strings.Trim(typ, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && len(typ) <= 40 {
		return typ
	}
	if rec.Event == report.OptOut {
		return "opt-out"
	}
	return "abuse"
}

// forwardText is the part for a person.
func forwardText(rec *report.Record) string {
	what := "reported a message of yours as unwanted"
	if rec.Event == report.OptOut {
		what = "wants no more messages of yours"
	}
	text := "A recipient at " + shownValue(rec.Provider) + " " + what + ". The report is attached.\n"
	if id := rec.Identity; id != nil && id.Campaign != "" {
		text += "Campaign: " + shownValue(id.Campaign) + "\n"
	}
	if id := rec.Identity; id != nil && id.Subscriber != "" {
		text += "Subscriber: " + shownValue(id.Subscriber) + "\n"
	}
	return text + "The recipient's address is replaced by a hash (RFC 6590). Please stop\nmail to this subscriber.\n"
}

// shownValue is a value for a person: on one line, and not long.
func shownValue(s string) string {
	return terminal.Printable(strings.ToValidUTF8(s[:min(len(s), 200)], ""))
}

// writable is a value for a field of ASCII; "" if it cannot be one.
func writable(v string) string {
	if len(v) > mostValue || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r >= 0x7f }) || longestWord(v) > mostWord {
		return ""
	}
	return v
}

func writables(values []string) (kept []string) {
	for _, v := range values {
		if v = writable(v); v != "" && len(kept) < mostValues {
			kept = append(kept, v)
		}
	}
	return kept
}

func longestWord(v string) (most int) {
	for word := range strings.SplitSeq(v, " ") {
		most = max(most, len(word))
	}
	return most
}

// originalHeader is the header of the reported message, as far as the record has it;
// empty: it has nothing.
func originalHeader(o *report.Original) []byte {
	if o == nil {
		return nil
	}
	var fields [][2]string
	add := func(name, value string) {
		value = strings.TrimSpace(strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' '
			}
			return r
		}, strings.ToValidUTF8(strings.ReplaceAll(value, "=?", "= ?"), "")))
		if value != "" && len(value) <= mostValue {
			fields = append(fields, [2]string{name, value})
		}
	}
	bracketed := func(name, value string) {
		if value != "" {
			add(name, "<"+strings.Trim(value, "<>")+">")
		}
	}
	bracketed("Return-Path", o.ReturnPath)
	add("From", o.From)
	add("To", strings.Join(o.To[:min(len(o.To), mostValues)], ", "))
	add("Subject", o.Subject)
	if !o.Date.IsZero() {
		add("Date", o.Date.UTC().Format(time.RFC1123Z))
	}
	bracketed("Message-ID", o.MessageID)
	add("List-Id", o.ListID)
	var unsubscribe []string
	for _, uri := range o.ListUnsubscribe[:min(len(o.ListUnsubscribe), mostValues)] {
		unsubscribe = append(unsubscribe, "<"+strings.Trim(uri, "<>")+">")
	}
	add("List-Unsubscribe", strings.Join(unsubscribe, ", "))
	add("List-Unsubscribe-Post", o.ListUnsubscribePost)
	add("Feedback-ID", o.FeedbackID)
	add("CFBL-Feedback-ID", o.CFBLFeedbackID)

	var h textproto.Header
	for _, f := range slices.Backward(fields) { // Add puts a field before the others
		value := mime.QEncoding.Encode("utf-8", f[1])
		if longestWord(value) <= mostWord {
			h.Add(f[0], value)
		}
	}
	if h.Len() == 0 {
		return nil
	}
	var b bytes.Buffer
	if err := textproto.WriteHeader(&b, h); err != nil {
		return nil
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\r\n"))
}
