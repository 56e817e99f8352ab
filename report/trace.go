package report

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// derive fills what the report leaves out and the trace fields of the original
// say: where the mail came from, and when. Only what hosts of the provider
// wrote counts. X-Originating-IP is not the sending host, and what Delivered-To
// and "for" name is not who complained.
func (rec *Record) derive(r *Report, hosts []string) {
	needIP := rec.SourceIP == "" && r.extension("source-ip") == ""
	needDate := rec.ArrivalDate.IsZero() && rec.ArrivalDateRaw == ""
	if !needIP && !needDate || len(hosts) == 0 || r.Original == nil {
		return
	}
	trace := r.Header(FromOriginal)
	border, found := borderOf(trace.Values("Received"), hosts)
	derived := maps.Clone(rec.Derived)
	set := func(key, source string) {
		if derived == nil {
			derived = make(map[string]string, 2)
		}
		derived[key] = source
	}
	if needIP {
		if ip := clientIP(trace.Values("Received-SPF"), hosts); ip != "" {
			rec.SourceIP = ip
			set("source_ip", "original:Received-SPF")
		} else if found && border.ip != "" {
			rec.SourceIP = border.ip
			set("source_ip", border.name())
		}
	}
	if needDate && found && !border.date.IsZero() {
		rec.ArrivalDate = utc(border.date)
		set("arrival_date", border.name())
	}
	rec.Derived = derived
}

// hop is what one Received says (RFC 5321 section 4.4).
type hop struct {
	n        int // from 1, the latest
	from     []string
	by       string
	ip       string // of from
	date     time.Time
	received bool // it has a from
}

func (h *hop) name() string { return fmt.Sprintf("original:Received[%d]", h.n) }

// borderOf is the first hop at which a host of hosts took the mail from one
// that is none of them.
func borderOf(received []string, hosts []string) (hop, bool) {
	for i, value := range received {
		h := readHop(value)
		if !h.received || !within(h.by, hosts...) {
			continue
		}
		inner := false
		for _, name := range h.from {
			inner = inner || within(name, hosts...)
		}
		if !inner {
			h.n = i + 1
			return h, true
		}
	}
	return hop{}, false
}

// readHop reads a Received. The address of from is the last one before "by",
// for what stands first is what the host calls itself.
func readHop(value string) (h hop) {
	clauses, date := value, ""
	if i := strings.LastIndexByte(value, ';'); i >= 0 {
		clauses, date = value[:i], value[i+1:]
	}
	h.date, _ = parseDate(strings.TrimSpace(date))
	depth, behind := 0, ""
	for word := range strings.FieldsSeq(clauses) {
		switch {
		case depth == 0 && (strings.EqualFold(word, "from") || strings.EqualFold(word, "by")):
			if h.by != "" {
				return h
			}
			behind = strings.ToLower(word)
			h.received = h.received || behind == "from"
		case behind == "by":
			h.by = strings.TrimRight(word, ".,;")
			return h
		case behind == "from":
			for name := range strings.FieldsFuncSeq(word, func(c rune) bool { return strings.ContainsRune("()[],;@=", c) }) {
				if ip, _ := parseIP(name); ip != "" {
					h.ip = ip
				} else {
					h.from = append(h.from, strings.TrimSuffix(name, "."))
				}
			}
		}
		depth += strings.Count(word, "(") - strings.Count(word, ")")
	}
	return h
}

// clientIP is the client-ip of the first Received-SPF (RFC 7208 section 9.1)
// that one of hosts wrote: its comment begins with the host's name, or receiver
// is it.
func clientIP(values []string, hosts []string) string {
	for _, v := range values {
		host := ""
		if _, comment, found := strings.Cut(v, "("); found {
			host, _, _ = strings.Cut(comment, ":")
		}
		if !within(strings.TrimSpace(host), hosts...) && !within(spfKey(v, "receiver"), hosts...) {
			continue
		}
		ip, _ := parseIP(spfKey(v, "client-ip"))
		return ip
	}
	return ""
}

// spfKey is a key of a Received-SPF; some write a colon for the sign.
func spfKey(v, key string) string {
	if i := strings.LastIndexByte(v, ')'); i >= 0 {
		v = v[i+1:]
	}
	for word := range strings.FieldsFuncSeq(strings.ReplaceAll(strings.ReplaceAll(v, "= ", "="), ": ", "="), func(c rune) bool { return c == ';' || c == ' ' }) {
		if name, value, found := strings.Cut(word, "="); found && strings.EqualFold(name, key) {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}
