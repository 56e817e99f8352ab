package report

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// AppendJSON appends the record as one line of JSON (RFC 8259), without a line break. The
// line is safe on a terminal and in a log: control characters, line separators,
// bidirectional controls and octets that are not UTF-8 are escaped, and a NUL becomes
// U+FFFD. Times have at most milliseconds. The line has at most [MaxLine] octets:
// AppendJSON leaves values of a longer record out and adds a warning with their
// number.
func (r *Record) AppendJSON(dst []byte) []byte {
	start := len(dst)
	if dst = r.appendJSON(dst); len(dst)-start > MaxLine {
		fitting := r.fit(MaxLine)
		dst = fitting.appendJSON(dst[:start])
	}
	return dst
}

func (r *Record) appendJSON(dst []byte) []byte {
	j := encoder{b: append(dst, '{')}
	j.putNumber("schema", int64(r.Schema))
	j.put("id", r.ID)
	j.putNumber("revision", int64(r.Revision))
	j.putText("report_id", r.ReportID)
	j.putText("fingerprint", r.Fingerprint)
	j.putTexts("supersedes", r.Supersedes)
	j.put("event", string(r.Event))
	j.put("class", string(r.Class))
	j.put("provider", r.Provider)
	j.put("feed", r.Feed)
	j.put("dialect", r.Dialect)
	j.putTime("received_at", r.ReceivedAt)
	j.putTime("reported_at", r.ReportedAt)
	j.putTime("processed_at", r.ProcessedAt)
	j.putText("feedback_type", r.FeedbackType)
	j.putText("user_agent", r.UserAgent)
	j.putText("version", r.Version)
	j.putTime("arrival_date", r.ArrivalDate)
	j.putText("arrival_date_raw", r.ArrivalDateRaw)
	j.putText("source_ip", r.SourceIP)
	j.putCount("source_port", int64(r.SourcePort))
	j.putText("original_mail_from", r.OriginalMailFrom)
	j.putText("original_rcpt_to", r.OriginalRcptTo)
	j.putText("original_envelope_id", r.OriginalEnvelopeID)
	if m := r.ReportingMTA; m != nil {
		j.open("reporting_mta")
		j.putText("type", m.Type)
		j.put("name", m.Name)
		j.close()
	}
	if j.putText("complainant", string(r.Complainant)); r.Complainant != "" {
		j.putNumber("recipients", int64(r.Recipients))
	}
	j.putCount("incidents", int64(r.Incidents))
	j.putText("rcpt_hash", r.RcptHash)
	j.putTexts("authentication_results", r.AuthenticationResults)
	j.putTexts("reported_domain", r.ReportedDomain)
	j.putTexts("reported_uri", r.ReportedURI)
	j.authFailure(&r.AuthFailure)
	if len(r.Extensions) > 0 {
		j.open("extensions")
		sorted(r.Extensions, func(name string, values []string) {
			j.putName(name)
			putList(&j, values)
		})
		j.close()
	}
	j.original(r.Original)
	j.identity(r.Identity)
	if len(r.Derived) > 0 {
		j.open("derived")
		sorted(r.Derived, func(key, source string) {
			j.putName(key)
			j.putValue(source)
		})
		j.close()
	}
	j.reporter(r.Reporter)
	if s := r.Suppress; s != nil {
		j.open("suppress")
		j.put("verdict", string(s.Verdict))
		if len(s.Codes) > 0 {
			j.putKey("codes")
			putList(&j, s.Codes)
		}
		j.putTexts("reasons", s.Reasons)
		j.putTime("decided_at", s.DecidedAt)
		j.close()
	}
	if s := r.Source; s != nil {
		j.open("source")
		j.putText("reverse_dns", s.ReverseDNS)
		j.putText("country", s.Country)
		j.putCount("asn", int64(s.ASN))
		j.putText("as_name", s.ASName)
		j.close()
	}
	j.mailbox(r.Mailbox)
	warnings := r.Parse.Warnings
	for _, text := range warnings {
		j.nul = j.nul || strings.IndexByte(text, 0) >= 0
	}
	if j.nul && !slices.Contains(warnings, nulText) { // it came after Parse
		warnings = append(slices.Clip(warnings), nulText)
	}
	j.open("parse")
	j.put("status", string(r.Parse.Status))
	j.putTexts("warnings", warnings)
	j.close()
	return append(bytes.TrimSuffix(j.b, []byte(",")), '}')
}

// MarshalJSON returns what AppendJSON appends. The error is always nil.
func (r Record) MarshalJSON() ([]byte, error) { return r.AppendJSON(nil), nil }

func (j *encoder) authFailure(a *AuthFailure) {
	j.putText("auth_failure", a.AuthFailure)
	j.putText("delivery_result", a.DeliveryResult)
	j.putText("identity_alignment", a.IdentityAlignment)
	j.putText("dkim_domain", a.DKIMDomain)
	j.putText("dkim_identity", a.DKIMIdentity)
	j.putText("dkim_selector", a.DKIMSelector)
	j.putText("dkim_selector_dns", a.DKIMSelectorDNS)
	j.putText("dkim_canonicalized_header", a.DKIMCanonicalizedHeader)
	j.putText("dkim_canonicalized_body", a.DKIMCanonicalizedBody)
	j.putText("dkim_adsp_dns", a.DKIMADSPDNS)
	j.putTexts("spf_dns", a.SPFDNS)
}

func (j *encoder) original(r *Original) {
	if r == nil {
		return
	}
	j.open("original")
	j.putText("message_id", r.MessageID)
	j.putTime("date", r.Date)
	j.putText("from", r.From)
	j.putText("from_domain", r.FromDomain)
	j.putTexts("to", r.To)
	j.putText("subject", r.Subject)
	j.putText("return_path", r.ReturnPath)
	j.putText("list_id", r.ListID)
	j.putTexts("list_unsubscribe", r.ListUnsubscribe)
	j.putText("list_unsubscribe_post", r.ListUnsubscribePost)
	j.putText("feedback_id", r.FeedbackID)
	j.putText("cfbl_feedback_id", r.CFBLFeedbackID)
	j.putTexts("dkim_domains", r.DKIMDomains)
	j.putTrue("headers_only", r.HeadersOnly)
	j.putCount("size", r.Size)
	j.close()
}

func (j *encoder) identity(r *Identity) {
	if r == nil {
		return
	}
	j.open("identity")
	j.put("status", string(r.Status))
	j.putText("subscriber", r.Subscriber)
	j.putText("campaign", r.Campaign)
	j.putText("tenant", r.Tenant)
	j.putText("message_id", r.MessageID)
	if len(r.By) > 0 {
		j.open("by")
		sorted(r.By, func(field string, rule Rule) {
			j.putName(field)
			j.b = append(j.b, '{')
			j.put("rule", rule.Rule)
			j.put("source", rule.Source)
			j.close()
		})
		j.close()
	}
	j.close()
}

func (j *encoder) reporter(r *Reporter) {
	if r == nil {
		return
	}
	j.open("reporter")
	j.putText("from", r.From)
	j.putText("from_domain", r.FromDomain)
	j.put("auth", string(r.Auth))
	j.putText("auth_domain", r.AuthDomain)
	j.putText("auth_method", r.AuthMethod)
	j.putText("coverage", r.Coverage)
	j.putKey("trusted")
	j.b = append(strconv.AppendBool(j.b, r.Trusted), ',')
	j.putText("code", string(r.Code))
	j.putText("reason", r.Reason)
	j.close()
}

func (j *encoder) mailbox(m *Mailbox) {
	if m == nil {
		return
	}
	j.open("mailbox")
	j.putText("account", m.Account)
	j.putText("folder", m.Folder)
	j.putCount("uid", int64(m.UID))
	j.putUnsigned("uidvalidity", m.UIDValidity)
	j.putCount("size", m.Size)
	j.putText("message_id", m.MessageID)
	j.close()
}

// MaxLine is the limit of the line of a record, in octets, without its line break. Many
// programs read lines, or blocks, of at most a mebibyte.
const MaxLine = 1_000_000

const (
	spareLine = 100_000 // of MaxLine, for what a record gets after it was made
	maxSingle = 16_000  // octets, as JSON, of a single text in a record that is too long
)

// fit is the record without the values that its line has no room for: single texts
// of more than maxSingle octets, then the ends of lists. Its warnings say how many were
// left out. A record that fits is returned as it is.
func (r *Record) fit(limit int) Record {
	if len(r.appendJSON(nil)) <= limit {
		return *r
	}
	f := fitting{Record: *r}
	f.shorten(reflect.ValueOf(&f.Record).Elem())
	f.Derived = maps.Clone(r.Derived)
	maps.DeleteFunc(f.Derived, func(_, source string) bool { return f.isLong(source) })
	lists := []*[]string{&f.Supersedes, &f.Parse.Warnings}
	if s := f.Suppress; s != nil {
		lists = append(lists, &s.Reasons)
	}
	lists = append(lists, &f.AuthenticationResults, &f.ReportedDomain, &f.ReportedURI, &f.AuthFailure.SPFDNS)
	if o := f.Original; o != nil {
		lists = append(lists, &o.DKIMDomains, &o.ListUnsubscribe, &o.To)
	}
	full := make([][]string, len(lists))
	for i, list := range lists {
		full[i], *list = *list, nil
	}
	f.Extensions = nil

	const warning = 200 // octets of the warning, and of a list's key
	f.room = limit - len(f.appendJSON(nil)) - warning*(len(lists)+1)
	for i, list := range lists {
		*list = f.take(full[i])
	}
	f.takeExtensions(r.Extensions)
	if f.left > 0 {
		if limit == MaxLine-spareLine {
			limit = MaxLine
		}
		f.warn(fmt.Sprintf("record: longer than %d octets, %d values left out", limit, f.left))
	}
	return f.Record
}

// fitting is a record that is made shorter.
type fitting struct {
	Record
	room int // octets that its lists may still take
	left int // values that were left out
}

// isLong reports whether a single text is left out, and counts it.
func (f *fitting) isLong(s string) bool {
	long := len(s) > maxSingle/6 && len(appended(s)) > maxSingle
	if long {
		f.left++
	}
	return long
}

// shorten leaves out the long texts of v, and copies what v points to.
func (f *fitting) shorten(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if f.isLong(v.String()) {
			v.SetString("")
		}
	case reflect.Pointer:
		if !v.IsNil() {
			own := reflect.New(v.Type().Elem())
			own.Elem().Set(v.Elem())
			f.shorten(own.Elem())
			v.Set(own)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Field(i); field.CanSet() { // those of a time cannot be
				f.shorten(field)
			}
		}
	}
}

// take is what there is room for, of a list.
func (f *fitting) take(values []string) (kept []string) {
	for _, v := range values {
		n := len(v) + 3 // in JSON it is no shorter
		if n <= f.room {
			n = len(appended(v)) + 1
		}
		if n > f.room {
			f.left++
			continue
		}
		f.room -= n
		kept = append(kept, v)
	}
	return kept
}

func (f *fitting) takeExtensions(all map[string][]string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		key := len(appended(name)) + 4
		if key > f.room {
			f.left += len(all[name])
			continue
		}
		f.room -= key
		kept := f.take(all[name])
		if kept == nil {
			f.room += key
			continue
		}
		if f.Extensions == nil {
			f.Extensions = make(map[string][]string)
		}
		f.Extensions[name] = kept
	}
}

// warn adds a warning: something is missing.
func (rec *Record) warn(text string) {
	rec.Parse.Warnings = append(slices.Clip(rec.Parse.Warnings), text)
	if rec.Parse.Status == ParseOK {
		rec.Parse.Status = ParsePartial
	}
}

func copied[T any](v *T) *T {
	if v == nil {
		return nil
	}
	w := *v
	return &w
}

// appended is a text as JSON.
func appended(s string) []byte {
	b, _ := appendString(nil, s)
	return b
}
