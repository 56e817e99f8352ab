package trust

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// TraceField is one field of a message's header that says how the message came,
// or what a server found: an Authentication-Results, a Received, a field of ARC; or
// a DKIM-Signature. Its texts are printable ASCII on one line.
type TraceField struct {
	Name    string      // Authentication-Results, Received, ...
	Says    string      // what it says, in short
	Counted bool        // the verdict goes by it
	Why     string      // why it counts, or does not
	Code    report.Code // of Why, if a setting may mend it; else ""
}

const (
	maxTrace = 100 // fields of one trace
	maxShown = 60  // octets of one value that a message chose
)

// Trace gives the fields by which the sender of a message is judged, from the top of
// its header, 100 at most; then the DKIM-Signatures, 5 at most, those that may speak for
// its From first. r was read from message, which is whole; account is that of its mailbox,
// and received is when it came, as in Check. It takes no longer than Config.Timeout. A
// header that is malformed has no trace.
func (c *Checker) Trace(ctx context.Context, message []byte, r *report.Report, account string, received time.Time) (trace []TraceField) {
	ctx, cancel := context.WithTimeout(ctx, c.config.timeout())
	defer cancel()
	if received.IsZero() {
		received = c.now()
	}
	c = c.about(r, r.Dialect)
	v, t := c.check(ctx, message, true, r, received, account)
	if t == nil {
		return nil
	}
	newest := 0
	for i := range t.steps {
		if f := t.steps[i].field; f.name == "arc-seal" {
			newest = max(newest, arcInstance(f))
		}
	}
	for i := range t.steps[:min(len(t.steps), maxTrace)] {
		s := &t.steps[i]
		f := TraceField{Counted: s.counted, Why: s.why.Text, Code: s.why.Code}
		switch s.field.name {
		case "received":
			f.Name, f.Says = "Received", saysHop(s.field.value())
		case "authentication-results":
			f.Name, f.Says = "Authentication-Results", s.read().says()
		case "authentication-results-original":
			f.Name, f.Says = "Authentication-Results-Original", s.read().says()
		case "arc-seal":
			tags, _ := readTags(s.field.value())
			f.Name, f.Says = "ARC-Seal", fmt.Sprintf("i=%d d=%s cv=%s", arcInstance(s.field), shown(tags["d"]), shown(tags["cv"]))
		case "arc-message-signature":
			tags, _ := readTags(s.field.value())
			f.Name, f.Says = "ARC-Message-Signature", fmt.Sprintf("i=%d d=%s s=%s", arcInstance(s.field), shown(tags["d"]), shown(tags["s"]))
		case "arc-authentication-results":
			_, found, _ := strings.Cut(s.field.value(), ";")
			a := parseResults(found)
			f.Name, f.Says = "ARC-Authentication-Results", fmt.Sprintf("i=%d %s", arcInstance(s.field), a.says())
		}
		if n := arcInstance(s.field); strings.HasPrefix(s.field.name, "arc-") {
			f.Counted = t.sealed && n == newest
			switch f.Why, f.Code = t.seal.Text, t.seal.Code; {
			case n != newest:
				f.Why, f.Code = "below the newest seal, which vouches for it", ""
			case t.seal == report.Reason{}:
				f.Why = "not asked: something else decided"
			}
		}
		trace = append(trace, f)
	}
	if m, err := readMessage(message); err == nil {
		trace = append(trace, c.traceSignatures(ctx, m, canonical(r.Outer.FromDomain), v, received)...)
	}
	return trace
}

// traceSignatures gives the DKIM-Signatures, as many as are verified of one message, in
// the order in which they are.
func (c *Checker) traceSignatures(ctx context.Context, m *signable, from string, v verdict, received time.Time) (trace []TraceField) {
	sigs, err := m.signatures()
	if err != nil {
		return nil // the verdict says so
	}
	relevant := c.relevant(sigs, from)
	others := slices.DeleteFunc(slices.Clone(sigs), func(s signature) bool { return c.aligned(s.domain, from) })
	sigs = slices.Concat(relevant, others)
	for i := range sigs[:min(len(sigs), maxSignatures)] {
		s, why := &sigs[i], report.Reason{Text: "verifies"}
		said := fmt.Sprintf("d=%s s=%s", shown(s.domain), shown(s.selector))
		switch {
		case s.domain == "":
			said, why.Text = "", "cannot be read"
		case i >= len(relevant):
			why = report.Reason{Code: report.CodeUnsigned, Text: "may not speak for " + shown(from) + ", the domain of From"}
		case !c.config.Verifies():
			why = report.Reason{Code: report.CodeDKIMOff, Text: "not verified: trust.dkim is off"}
		default:
			if err := c.verify(ctx, m, s, received); err != nil {
				why = report.Reason{Code: codeOf(err), Text: err.Error()}
			} else if signed := m.vouched("dkim", s.domain, sigs[i:i+1], true); signed.auth != report.AuthPass {
				why = signed.reason
			}
		}
		counted := why.Code == "" && v.auth == report.AuthPass && v.method == "dkim" && v.domain == s.domain
		trace = append(trace, TraceField{Name: "DKIM-Signature", Says: said, Counted: counted, Why: why.Text, Code: why.Code})
	}
	return trace
}

// saysHop is a Received in short.
func saysHop(v string) string {
	hop := message.ReadHop(v)
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
	var words []string
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
	said := strings.Join(words, ", ")
	switch {
	case a.broken:
		said = "cannot be read"
	case said == "":
		said = "no result of DKIM, SPF or DMARC"
	}
	if a.id == "" {
		return said
	}
	return shown(a.id) + ": " + said
}

// shown is a value of a message in a form that is safe in a text for people.
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
