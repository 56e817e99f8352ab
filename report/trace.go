package report

import (
	"fmt"
	"maps"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// deriveByHosts fills what the report leaves out and the trace fields of the original
// say: where the message came from, and when. Only what hosts of the provider
// wrote counts. X-Originating-IP is not the sending host, and what Delivered-To
// and "for" name is not who complained.
func (rec *Record) deriveByHosts(r *Report, hosts []string) {
	needIP := rec.SourceIP == "" && r.extension("source-ip") == ""
	needDate := rec.ArrivalDate.IsZero() && rec.ArrivalDateRaw == ""
	if !needIP && !needDate || len(hosts) == 0 || r.Original == nil {
		return
	}
	spf, border, n, found := arrival(r.Header(FromOriginal), hosts)
	name := ""
	if found {
		name = fmt.Sprintf("original:Received[%d]", n)
	}
	derived := maps.Clone(rec.Derived)
	set := func(key, source string) {
		if derived == nil {
			derived = make(map[string]string, 2)
		}
		derived[key] = source
	}
	if needIP {
		if spf != "" {
			rec.SourceIP = spf
			set("source_ip", "original:Received-SPF")
		} else if found && border.IP != "" {
			rec.SourceIP = border.IP
			set("source_ip", name)
		}
	}
	if needDate && found && !border.Date.IsZero() {
		rec.ArrivalDate = utc(border.Date)
		set("arrival_date", name)
	}
	rec.Derived = derived
}

// arrival reads how hosts, which are domains, took a message in: the address by
// their own Received-SPF, and the first hop at which it came from none of them, the
// n-th Received.
// What stands below that came with the message; so does all that stands below a
// hop in doubt.
func arrival(trace *Header, hosts []string) (spf string, border message.Hop, n int, found bool) {
	inner, checked := false, false
	for name, value := range trace.Fields() {
		switch name {
		case "received-spf":
			if ip, ours := clientIP(value, hosts); ours && !checked {
				spf, checked = ip, true
			}
		case "received":
			n++
			h := message.ReadHop(value)
			if h.Doubt && h.By == "" {
				return "", message.Hop{}, 0, false
			}
			if h.Queue || !message.Within(h.By, hosts...) && !(inner && message.IsPrivate(h.By)) {
				continue
			}
			inside, known := h.IsWithin(hosts)
			if !known {
				return spf, message.Hop{}, 0, false
			}
			if inner = inside; !inner {
				if message.IsPrivate(h.IP) {
					h.IP = "" // a host in between took it in
				}
				return spf, h, n, true
			}
		}
	}
	return "", message.Hop{}, 0, false
}

// clientIP is the client-ip of a Received-SPF (RFC 7208 section 9.1): "pass
// (comment) key=value; key=value", where some write a colon for the sign. ours:
// one of hosts wrote it: its comment begins with the host's name, or receiver is
// it.
//
// HELO and the envelope are the client's words, and may look like anything. So
// there must be one comment and one client-ip, no quotation mark, and no word of
// the client in front of it but within the comment.
func clientIP(v string, hosts []string) (ip string, ours bool) {
	tail, host := v, ""
	if start := strings.IndexByte(v, '('); start >= 0 {
		end := closing(v, start)
		tail = v[end:]
		host, _, _ = strings.Cut(v[start+1:end], ":")
		ours = !strings.ContainsFunc(host, message.IsBlank) && message.Within(host, hosts...)
	}
	once := strings.Count(strings.ToLower(v), "client-ip") == 1
	if tail == "" || strings.ContainsAny(strings.TrimPrefix(tail, ")"), `()"\`) || strings.ContainsAny(v, `"\`) || !once {
		return "", ours
	}
	joined := strings.NewReplacer("= ", "=", ": ", "=").Replace(tail[1:])
	for word := range strings.FieldsFuncSeq(joined, func(c rune) bool { return c == ';' || message.IsBlank(c) }) {
		switch key, value, _ := strings.Cut(word, "="); strings.ToLower(key) {
		case "client-ip":
			ip, _ = message.ParseIP(value)
		case "receiver":
			ours = ours || message.Within(value, hosts...)
		case "helo", "envelope-from", "mailfrom":
			return ip, ours
		}
	}
	return ip, ours
}

// closing is where the parenthesis at start is closed; the end: nowhere.
func closing(v string, start int) int {
	depth := 0
	for i := start; i < len(v); i++ {
		if v[i] == '(' {
			depth++
		} else if v[i] == ')' {
			depth--
		}
		if depth == 0 {
			return i
		}
	}
	return len(v)
}
