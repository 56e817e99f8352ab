package report

import (
	"bytes"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// X-ARF 0.1 and 0.2 are messages with a text part of "Name: value" lines, in YAML.
// They are read line by line, as a report part is: a YAML reader loses all of
// it for one value that is no YAML ("SIRT#1", "http: //", a colon), reads
// numbers and dates as something else, and follows anchors.

func isXARF(m *message.Message) bool { return len(xarfLeaves(m, 1)) > 0 }

// xarfLeaves are the parts with fields, at most n. In a message that calls itself
// X-ARF the first with one field will do, where no part has more.
func xarfLeaves(m *message.Message, n int) (leaves []*message.Part) {
	marked := m.Field("x-xarf") != "" || m.Field("x-arf") != ""
	var weak *message.Part
	parts := m.Parts()
	for i := range parts {
		if m.Whole.Budget.Spent() {
			break
		}
		q := &parts[i]
		start := *q
		start.Body = q.Body[:min(len(q.Body), idBody)]
		names := xarfNames(xarfText(&start))
		if names >= 5 || names >= 3 && (marked || message.Is(m.Name(i), "report.txt")) {
			if leaves = append(leaves, q); len(leaves) == n {
				return leaves
			}
		} else if weak == nil && names > 0 && marked {
			weak = q
		}
	}
	if len(leaves) == 0 && weak != nil {
		return []*message.Part{weak}
	}
	return leaves
}

// xarfText is the text of a part from its first field on, after the head of a
// PGP signature and the "---" of YAML.
func xarfText(q *message.Part) []byte {
	b := message.SkipEnvelope(q.Text(), true)
	if bytes.HasPrefix(b, []byte("-----BEGIN PGP SIGNED")) {
		if _, rest, found := bytes.Cut(b, []byte("\n\n")); found {
			b = rest
		}
	}
	return skipYAML(b)
}

// xarfNames counts the fields of X-ARF at the start of b.
func xarfNames(b []byte) (n int) {
	for range 20 {
		f, rest, kind := message.ReadField(b)
		if kind != message.FieldLine {
			break
		}
		for _, name := range [...]string{"reported-from", "category", "report-type", "report-id", "source", "source-type", "schema-url", "attachment"} {
			if message.Is(f.Name, name) {
				n++
			}
		}
		b = rest
	}
	return n
}

func (p *parser) readXARF(m *message.Message) Kind {
	r := p.r
	if d := xarfDialects[registrable(r.Outer.FromDomain)]; d != "" {
		r.Dialect = d
	}
	leaves, report := xarfLeaves(m, maxBatched), ""
	if len(leaves) > 1 { // one record is made; the values of the others are kept with its own
		p.loss("report part: more than one")
	}
	for _, q := range leaves {
		p.uses.of(q.Body, UseText)
		b, fields, sources, ends := xarfText(q), 0, 0, false
		p.budget.Spend(len(b))
		for n := 0; n < message.MaxFields; n++ {
			f, rest, kind := message.ReadField(b)
			if kind == message.EndOfData || !f.Ended && !q.Closed {
				break
			}
			ends = ends || fields > 0 && kind == message.OtherLine && bytes.HasPrefix(f.Value, []byte("---"))
			if kind == message.FieldLine {
				if fields++; ends { // of another YAML document
					p.loss("report part: more than one")
				} else if message.Is(f.Name, "source") {
					if sources++; sources > 1 {
						p.deviation("source: more than once")
					}
				}
				value := yamlValue(f.Value)
				if p.xarfField(string(f.Name), value); report == "" && message.Is(f.Name, "report-type") {
					report = value
				}
			}
			b = rest
		}
		if !q.Closed {
			p.cutShort("report part: cut short")
		}
	}
	if report == "" {
		p.loss("report-type: missing")
		return KindUnparsed
	}
	p.xarfClass(report, "")
	if inner := m.Within(); inner != nil {
		p.readReported(inner)
	}
	return KindReport
}

// xarfDialects are the well-known writers of X-ARF, by their domains.
var xarfDialects = map[string]string{"netcraft.com": "xarf-netcraft", "blocklist.de": "xarf-blocklistde", "clean-mx.de": "xarf-cleanmx"}

// xarfField reads a field that has a key; the others, and what a key cannot
// hold, go to the extensions.
func (p *parser) xarfField(name, value string) {
	r, typed := p.r, false
	source := "yaml:" + name
	switch name = strings.ToLower(name); name {
	case "version":
		typed = p.fill(&r.Version, "version", value, source)
	case "user-agent":
		typed = p.fill(&r.UserAgent, "user_agent", value, source)
	case "source":
		if typed = p.fillIP(value, source); !typed {
			typed = strings.Contains(value, "://") && p.fillURI(value, source)
		}
		if !typed && r.SourceIP == "" && len(r.ReportedURI) == 0 {
			p.loss("source: cannot be read")
		}
	case "domain":
		r.ReportedDomain = append(r.ReportedDomain, value)
		p.from("reported_domain", source)
		typed = true
	}
	if !typed && value != "" {
		p.extend(name, value)
	}
}

func (p *parser) fillURI(value, source string) bool {
	p.r.ReportedURI = append(p.r.ReportedURI, value)
	p.from("reported_uri", source)
	return true
}

// yamlValue is a scalar without its quotes; a block's lines become one.
func yamlValue(v []byte) string {
	s := message.Unfold(v)
	switch mark, rest, _ := strings.Cut(s, " "); mark {
	case "|", "|-", ">", ">-":
		s = rest
	}
	if n := len(s); n > 1 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		s = s[1 : n-1]
	}
	return s
}

// xarfClass says who speaks: a network's watchman, but for a report of spam,
// which a trap, a filter or a service makes.
func (p *parser) xarfClass(report, by string) {
	r := p.r
	r.Class, r.Event = ClassNetwork, Complaint
	report, by = strings.ToLower(report), strings.ToLower(by)
	if !strings.Contains(report, "spam") || strings.Contains(report, "spamvert") {
		return
	}
	switch {
	case strings.Contains(by, "trap"), strings.Contains(report, "trap"):
		r.Class = ClassTrap
	case strings.Contains(by, "filter"):
		r.Class = ClassFilter
	default:
		r.Class = ClassService
	}
}
