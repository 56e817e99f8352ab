package report

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the record as one line of JSON without a line break. It
// is inert on a terminal and in a log: control characters, line separators,
// bidirectional controls and what is not UTF-8 are escaped; a NUL becomes U+FFFD.
// Times have milliseconds at most. The line has MaxLine octets at most: values of a
// record that is longer are left out, and its warnings say how many.
func (r *Record) AppendJSON(dst []byte) []byte {
	start := len(dst)
	if dst = r.appendJSON(dst); len(dst)-start > MaxLine {
		fitting := r.fit(MaxLine)
		dst = fitting.appendJSON(dst[:start])
	}
	return dst
}

func (r *Record) appendJSON(dst []byte) []byte {
	j := object(dst)
	j.number("schema", int64(r.Schema))
	j.must("id", r.ID)
	j.number("revision", int64(r.Revision))
	j.string("report_id", r.ReportID)
	j.string("fingerprint", r.Fingerprint)
	j.strings("supersedes", r.Supersedes)
	j.must("event", string(r.Event))
	j.must("class", string(r.Class))
	j.must("provider", r.Provider)
	j.must("feed", r.Feed)
	j.must("dialect", r.Dialect)
	j.time("received_at", r.ReceivedAt)
	j.time("reported_at", r.ReportedAt)
	j.time("processed_at", r.ProcessedAt)
	j.string("feedback_type", r.FeedbackType)
	j.string("user_agent", r.UserAgent)
	j.string("version", r.Version)
	j.time("arrival_date", r.ArrivalDate)
	j.string("arrival_date_raw", r.ArrivalDateRaw)
	j.string("source_ip", r.SourceIP)
	j.count("source_port", int64(r.SourcePort))
	j.string("original_mail_from", r.OriginalMailFrom)
	j.string("original_rcpt_to", r.OriginalRcptTo)
	j.string("original_envelope_id", r.OriginalEnvelopeID)
	if m := r.ReportingMTA; m != nil {
		o := j.object("reporting_mta")
		o.string("type", m.Type)
		o.must("name", m.Name)
		j.close(o)
	}
	if j.string("complainant", string(r.Complainant)); r.Complainant != "" {
		j.number("recipients", int64(r.Recipients))
	}
	j.count("incidents", int64(r.Incidents))
	j.string("rcpt_hash", r.RcptHash)
	j.strings("authentication_results", r.AuthenticationResults)
	j.strings("reported_domain", r.ReportedDomain)
	j.strings("reported_uri", r.ReportedURI)
	j.authFailure(&r.AuthFailure)
	j.strings("tags", r.Tags)
	if len(r.Extensions) > 0 {
		o := j.object("extensions")
		sorted(r.Extensions, func(name string, values []string) {
			o.named(name)
			list(&o, values)
		})
		j.close(o)
	}
	j.original(r.Original)
	j.identity(r.Identity)
	if len(r.Derived) > 0 {
		o := j.object("derived")
		sorted(r.Derived, func(key, source string) {
			o.named(key)
			o.value(source)
		})
		j.close(o)
	}
	j.reporter(r.Reporter)
	if s := r.Suppress; s != nil {
		o := j.object("suppress")
		o.must("verdict", string(s.Verdict))
		if len(s.Codes) > 0 {
			o.key("codes")
			list(&o, s.Codes)
		}
		o.strings("reasons", s.Reasons)
		o.time("decided_at", s.DecidedAt)
		j.close(o)
	}
	if s := r.Source; s != nil {
		o := j.object("source")
		o.string("reverse_dns", s.ReverseDNS)
		o.string("country", s.Country)
		o.count("asn", int64(s.ASN))
		o.string("as_name", s.ASName)
		j.close(o)
	}
	j.mailbox(r.Mailbox)
	warnings := r.Parse.Warnings
	for _, text := range warnings {
		j.nul = j.nul || strings.IndexByte(text, 0) >= 0
	}
	if j.nul && !slices.Contains(warnings, nulText) { // it came after Parse
		warnings = append(slices.Clip(warnings), nulText)
	}
	o := j.object("parse")
	o.must("status", string(r.Parse.Status))
	o.strings("warnings", warnings)
	j.close(o)
	return j.end()
}

// MarshalJSON is AppendJSON.
func (r Record) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil), nil }

func (j *encoder) authFailure(a *AuthFailure) {
	j.string("auth_failure", a.AuthFailure)
	j.string("delivery_result", a.DeliveryResult)
	j.string("identity_alignment", a.IdentityAlignment)
	j.string("dkim_domain", a.DKIMDomain)
	j.string("dkim_identity", a.DKIMIdentity)
	j.string("dkim_selector", a.DKIMSelector)
	j.string("dkim_selector_dns", a.DKIMSelectorDNS)
	j.string("dkim_canonicalized_header", a.DKIMCanonicalizedHeader)
	j.string("dkim_canonicalized_body", a.DKIMCanonicalizedBody)
	j.string("dkim_adsp_dns", a.DKIMADSPDNS)
	j.strings("spf_dns", a.SPFDNS)
}

func (j *encoder) original(r *Original) {
	if r == nil {
		return
	}
	o := j.object("original")
	o.string("message_id", r.MessageID)
	o.time("date", r.Date)
	o.string("from", r.From)
	o.string("from_domain", r.FromDomain)
	o.strings("to", r.To)
	o.string("subject", r.Subject)
	o.string("return_path", r.ReturnPath)
	o.string("list_id", r.ListID)
	o.strings("list_unsubscribe", r.ListUnsubscribe)
	o.string("list_unsubscribe_post", r.ListUnsubscribePost)
	o.string("feedback_id", r.FeedbackID)
	o.string("cfbl_feedback_id", r.CFBLFeedbackID)
	o.strings("dkim_domains", r.DKIMDomains)
	o.bool("headers_only", r.HeadersOnly)
	o.count("size", r.Size)
	j.close(o)
}

func (j *encoder) identity(r *Identity) {
	if r == nil {
		return
	}
	o := j.object("identity")
	o.must("status", string(r.Status))
	o.string("subscriber", r.Subscriber)
	o.string("campaign", r.Campaign)
	o.string("tenant", r.Tenant)
	o.string("message_id", r.MessageID)
	if len(r.By) > 0 {
		by := o.object("by")
		sorted(r.By, func(field string, rule Rule) {
			by.named(field)
			one := object(by.b)
			one.must("rule", rule.Rule)
			one.must("source", rule.Source)
			by.close(one)
		})
		o.close(by)
	}
	j.close(o)
}

func (j *encoder) reporter(r *Reporter) {
	if r == nil {
		return
	}
	o := j.object("reporter")
	o.string("from", r.From)
	o.string("from_domain", r.FromDomain)
	o.must("auth", string(r.Auth))
	o.string("auth_domain", r.AuthDomain)
	o.string("auth_method", r.AuthMethod)
	o.string("coverage", r.Coverage)
	o.key("trusted")
	o.b = strconv.AppendBool(o.b, r.Trusted)
	o.b = append(o.b, ',')
	o.string("code", string(r.Code))
	o.string("reason", r.Reason)
	j.close(o)
}

func (j *encoder) mailbox(m *Mailbox) {
	if m == nil {
		return
	}
	o := j.object("mailbox")
	o.string("account", m.Account)
	o.string("folder", m.Folder)
	o.count("uid", int64(m.UID))
	o.unsigned("uidvalidity", m.UIDValidity)
	o.count("size", m.Size)
	o.string("message_id", m.MessageID)
	j.close(o)
}

// encoder writes the members of one object, each with a comma behind it.
type encoder struct {
	b   []byte
	nul bool // a text held one
}

func object(dst []byte) encoder { return encoder{b: append(dst, '{')} }

// object begins a member that is an object itself; close ends it.
func (j *encoder) object(key string) encoder {
	j.key(key)
	return object(j.b)
}

func (j *encoder) close(o encoder) {
	j.b = append(o.end(), ',')
	j.nul = j.nul || o.nul
}

func (j *encoder) end() []byte {
	if last := len(j.b) - 1; j.b[last] == ',' {
		j.b = j.b[:last]
	}
	return append(j.b, '}')
}

// key writes a key that is ours, named one that somebody else chose.
func (j *encoder) key(key string) {
	b := append(j.b, '"')
	b = append(b, key...)
	j.b = append(b, '"', ':')
}

func (j *encoder) named(key string) {
	j.text(key)
	j.b = append(j.b, ':')
}

func (j *encoder) value(v string) {
	j.text(v)
	j.b = append(j.b, ',')
}

func (j *encoder) text(v string) {
	b, nul := appendString(j.b, v)
	j.b, j.nul = b, j.nul || nul
}

func (j *encoder) must(key, v string) {
	j.key(key)
	j.value(v)
}

func (j *encoder) string(key, v string) {
	if v != "" {
		j.must(key, v)
	}
}

func (j *encoder) strings(key string, v []string) {
	if len(v) > 0 {
		j.key(key)
		list(j, v)
	}
}

func list[T ~string](j *encoder, v []T) {
	j.b = append(j.b, '[')
	for i, s := range v {
		if i > 0 {
			j.b = append(j.b, ',')
		}
		j.text(string(s))
	}
	j.b = append(j.b, "],"...)
}

func (j *encoder) number(key string, n int64) {
	j.key(key)
	j.b = append(strconv.AppendInt(j.b, n, 10), ',')
}

func (j *encoder) count(key string, n int64) {
	if n != 0 {
		j.number(key, n)
	}
}

func (j *encoder) unsigned(key string, n uint64) {
	if n != 0 {
		j.key(key)
		j.b = append(strconv.AppendUint(j.b, n, 10), ',')
	}
}

func (j *encoder) bool(key string, v bool) {
	if v {
		j.key(key)
		j.b = append(j.b, "true,"...)
	}
}

func (j *encoder) time(key string, t time.Time) {
	if !t.IsZero() {
		j.key(key)
		j.b = append(j.b, '"')
		j.b = t.UTC().AppendFormat(j.b, "2006-01-02T15:04:05.999Z07:00")
		j.b = append(j.b, `",`...)
	}
}

// sorted calls f with each member of m, by key.
func sorted[V any](m map[string]V, f func(string, V)) {
	var space [16]string
	keys := space[:0]
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		f(key, m[key])
	}
}

const hexDigits = "0123456789abcdef"

// literal has the octets that stand for themselves in a string.
var literal = func() (table [256]bool) {
	for c := byte(' '); c < 0x7f; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

// inert is how many octets at the start of s stand for themselves. It looks at
// eight at a time: a high bit is set where one of them is not literal.
func inert(s string) (n int) {
	const each = 0x0101010101010101
	for ; n+8 <= len(s); n += 8 {
		b := s[n : n+8]
		x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		if (x|(x-each*' ')|(x+each)|((x^each*'"')-each)|((x^each*'\\')-each))&(each<<7) != 0 {
			break
		}
	}
	for n < len(s) && literal[s[n]] {
		n++
	}
	return n
}

// appendString appends s as JSON, a NUL of it as U+FFFD; nul: there was one.
func appendString(dst []byte, s string) (_ []byte, nul bool) {
	dst = append(dst, '"')
	for {
		n := inert(s)
		dst = append(dst, s[:n]...)
		if s = s[n:]; s == "" {
			return append(dst, '"'), nul
		}
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', s[0])
		case r == 0:
			dst, nul = append(dst, "\ufffd"...), true
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r > 0x7f && !isActive(r) && (r != utf8.RuneError || size > 1):
			dst = append(dst, s[:size]...)
		default:
			dst = append(dst, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		}
		s = s[size:]
	}
}

// isActive knows the characters beyond ASCII that steer a terminal or the
// order of a text: C1, line separators, bidirectional controls.
func isActive(r rune) bool {
	switch {
	case 0x80 <= r && r <= 0x9f, r == 0x061c, r == 0x200e, r == 0x200f,
		0x2028 <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069:
		return true
	}
	return false
}
