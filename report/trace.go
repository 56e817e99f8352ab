package report

import (
	"fmt"
	"maps"
	"net/netip"
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
		} else if found && border.IP != "" {
			rec.SourceIP = border.IP
			set("source_ip", border.name())
		}
	}
	if needDate && found && !border.Date.IsZero() {
		rec.ArrivalDate = utc(border.Date)
		set("arrival_date", border.name())
	}
	rec.Derived = derived
}

// Hop is what one Received says (RFC 5321 section 4.4).
type Hop struct {
	From    []string // the names that its sender has, or gives itself
	IP      string   // of its sender, canonical; "": not told
	By      string   // who wrote it
	Date    time.Time
	Relayed bool // it came from another host

	n int // from 1, the latest
}

func (h *Hop) name() string { return fmt.Sprintf("original:Received[%d]", h.n) }

// borderOf is the first hop at which a host of hosts took the mail from one
// that is none of them.
func borderOf(received []string, hosts []string) (Hop, bool) {
	inner := false
	for i, value := range received {
		h := ReadHop(value)
		if !h.Relayed || !within(h.By, hosts...) && !(inner && IsPrivate(h.By)) {
			continue
		}
		if inner = h.IsWithin(hosts); !inner {
			if h.n = i + 1; IsPrivate(h.IP) {
				h.IP = "" // a host in between took it in
			}
			return h, true
		}
	}
	return Hop{}, false
}

// IsWithin reports whether the sender of the hop is one of hosts, which are
// domains, by its own word; or has no name and a private address, which a host
// of another network cannot have.
func (h *Hop) IsWithin(hosts []string) bool {
	named := false
	for _, name := range h.From {
		if within(name, hosts...) {
			return true
		}
		named = named || strings.Contains(name, ".")
	}
	return !named && IsPrivate(h.IP)
}

// IsPrivate reports whether ip is an address that is no host's in the Internet:
// a private, a loopback or a link-local one.
func IsPrivate(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	return err == nil && (!addr.IsGlobalUnicast() || addr.IsPrivate())
}

// ReadHop reads a Received. The address of from is the last one before "by",
// for what stands first is what the host calls itself.
func ReadHop(value string) (h Hop) {
	clauses, date := value, ""
	if i := strings.LastIndexByte(value, ';'); i >= 0 {
		clauses, date = value[:i], value[i+1:]
	}
	h.Date, _ = parseDate(strings.TrimSpace(date))
	depth, behind, greeting := 0, "", false
	for word := range strings.FieldsSeq(clauses) {
		switch {
		case depth == 0 && (strings.EqualFold(word, "from") || strings.EqualFold(word, "by")):
			if h.By != "" {
				return h
			}
			behind = strings.ToLower(word)
			h.Relayed = h.Relayed || behind == "from"
		case behind == "by":
			h.By = strings.TrimRight(word, ".,;")
			return h
		case behind == "from":
			for name := range strings.FieldsFuncSeq(word, func(c rune) bool { return strings.ContainsRune("()[],;@=", c) }) {
				if ip, _ := parseIP(name); ip != "" && !greeting {
					h.IP = ip
				} else if ip == "" {
					h.From = append(h.From, strings.TrimSuffix(name, "."))
				}
				greeting = containsFold([]string{"helo", "ehlo", "lhlo", "ident"}, name) // what follows is the host's own word
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
