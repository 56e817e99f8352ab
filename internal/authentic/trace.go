package authentic

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// TraceField is one field of a message's header that says how the message came,
// or what a server found: an Authentication-Results, a Received, an ARC-Seal or
// an ARC-Authentication-Results. Its texts are printable ASCII on one line.
type TraceField struct {
	Name    string      // Authentication-Results, Received, ...
	Says    string      // what it says, in short
	Counted bool        // the verdict goes by it
	Why     string      // why it counts, or does not
	Code    report.Code // of Why where a setting may mend it; else ""
}

const (
	maxTrace = 100 // fields of one trace
	maxShown = 60  // octets of one value that a message chose
)

// Trace gives the fields by which the sender of a message is judged, from the top
// of its header, 100 at most. r was read from mail, which is whole; account is the
// one that it was found in, received is when, as in Check. It takes no longer than
// Config.Timeout. A header that is malformed has no trace.
func (c *Checker) Trace(ctx context.Context, mail []byte, r *report.Report, account string, received time.Time) (trace []TraceField) {
	m, err := readMessage(mail)
	if err != nil {
		return nil
	}
	for _, f := range m.fields {
		if len(trace) == maxTrace {
			break
		}
		switch v := f.value(); f.name {
		case "received":
			trace = append(trace, TraceField{Name: "Received", Says: saysHop(v)})
		case "authentication-results":
			a := parseResults(v)
			trace = append(trace, TraceField{Name: "Authentication-Results", Says: a.says()})
		}
	}
	return trace
}

// saysHop is a Received in short.
func saysHop(v string) string {
	hop := report.ReadHop(v)
	words := []string{}
	if len(hop.From) > 0 {
		words = append(words, "from "+shown(hop.From[0]))
	}
	if hop.IP != "" {
		words = append(words, "("+shown(hop.IP)+")")
	}
	if hop.By != "" {
		words = append(words, "by "+shown(hop.By))
	}
	return strings.Join(words, " ")
}

// says is an Authentication-Results in short: its DKIM, SPF and DMARC.
func (a *authResults) says() string {
	words := []string{}
	for _, r := range a.results {
		if r.method != "dkim" && r.method != "spf" && r.method != "dmarc" {
			continue
		}
		if len(words) == 6 {
			words = append(words, "...")
			break
		}
		words = append(words, strings.TrimSpace(r.method+"="+shown(r.value)+" "+shown(r.domain())))
	}
	return fmt.Sprintf("%s: %s", shown(a.id), strings.Join(words, ", "))
}

// shown is a value that a message chose, as it may stand in a text for people.
func shown(v string) string {
	cut := v[:min(len(v), maxShown)]
	text := []byte(cut)
	for i, b := range text {
		if b < ' ' || b > '~' {
			text[i] = '?'
		}
	}
	if len(cut) < len(v) {
		return string(text) + "..."
	}
	return string(text)
}
