package report

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// X-ARF 0.1 and 0.2 are mails with a text part of "Name: value" lines, in YAML.
// They are read line by line, as a report part is: a YAML reader loses all of
// it for one value that is no YAML ("SIRT#1", "http: //", a colon), reads
// numbers and dates as something else, and follows anchors.

func isXARF(m *letter) bool { return m.xarfLeaf() != nil }

// xarfLeaf is the part with the fields.
func (m *letter) xarfLeaf() *part {
	marked := m.field("x-xarf") != "" || m.field("x-arf") != ""
	parts := m.parts()
	for i := range parts {
		q := &parts[i]
		start := *q
		start.body = q.body[:min(len(q.body), idBody)]
		if n := xarfNames(xarfText(&start)); n >= 5 || n > 0 && (marked || n >= 3 && is(q.name(), "report.txt")) {
			return q
		}
	}
	return nil
}

// xarfText is the text of a part from its first field on: behind the head of a
// PGP signature and the "---" of YAML.
func xarfText(q *part) []byte {
	b := skipEnvelope(q.text(), true)
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
		f, rest, kind := readField(b)
		if kind != fieldLine {
			break
		}
		for _, name := range [...]string{"reported-from", "category", "report-type", "report-id", "source", "source-type", "schema-url", "attachment"} {
			if is(f.name, name) {
				n++
			}
		}
		b = rest
	}
	return n
}

func (p *parser) readXARF(m *letter) Kind {
	r := p.r
	if d := xarfDialects[registrable(r.Outer.FromDomain)]; d != "" {
		r.Dialect = d
	}
	q := m.xarfLeaf()
	b, report := xarfText(q), ""
	for n := 0; n < maxFields; n++ {
		f, rest, kind := readField(b)
		if kind == endOfData || !f.ended && !q.closed {
			break
		}
		if kind == fieldLine {
			value := yamlValue(f.value)
			if p.xarfField(string(f.name), value); is(f.name, "report-type") {
				report = value
			}
		}
		b = rest
	}
	if !q.closed {
		p.cutShort("report part: cut short")
	}
	if report == "" {
		p.loss("report-type: missing")
		return KindUnparsed
	}
	p.xarfClass(report, "")
	if inner := m.within(); inner != nil {
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
	s := unfold(v)
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
	r.Class, r.Event = "network", Complaint
	report, by = strings.ToLower(report), strings.ToLower(by)
	if !strings.Contains(report, "spam") || strings.Contains(report, "spamvert") {
		return
	}
	switch {
	case strings.Contains(by, "trap"), strings.Contains(report, "trap"):
		r.Class = "trap"
	case strings.Contains(by, "filter"):
		r.Class = "filter"
	default:
		r.Class = "service"
	}
}

// X-ARF 1 to 4 are JSON objects, beside a report part of type xarf as the
// mail-borne form has it, or alone.

func isXARFJSON(m *letter) bool {
	q, _ := m.xarfJSON()
	return q != nil
}

// xarfJSON is the part that holds the object, and the object's start.
func (m *letter) xarfJSON() (*part, []byte) {
	parts := m.parts()
	for i := range parts {
		q := &parts[i]
		named := bytes.HasSuffix(bytes.ToLower(q.name()), []byte(".json"))
		typ := mediaType(q.contentType)
		if !named && !is(typ, "application/json") && !isPlain(typ) {
			continue
		}
		start := *q
		start.body = q.body[:min(len(q.body), idBody)]
		b := start.decoded()
		if at := objectAt(b); at >= 0 {
			lower := bytes.ToLower(b[at:])
			if bytes.Contains(lower, []byte(`"xarf_version"`)) || bytes.Contains(lower, []byte(`"reporterinfo"`)) || is(q.name(), "xarf.json") {
				return q, b[at:]
			}
		}
	}
	return nil, nil
}

// attachedXARF reads the JSON that stands beside a report part of type xarf.
func (p *parser) attachedXARF() {
	p.r.Dialect, p.r.Class, p.r.Event = "xarf", "network", Complaint
	m := p.letter()
	if q, _ := m.xarfJSON(); q == nil {
		p.loss("xarf.json: missing")
	} else if p.readXARFJSON(m) == KindUnparsed {
		p.loss("xarf.json: cannot be read")
	}
}

func (p *parser) readXARFJSON(m *letter) Kind {
	q, _ := m.xarfJSON()
	b := q.decoded()
	t, whole := readJSON(b[max(0, objectAt(b)):])
	if !whole {
		p.cutShort("json: not whole")
	}
	report, by := "", ""
	switch {
	case t["report"] != nil || t["reporterinfo"] != nil:
		p.r.Dialect = "xarf-v3mail"
		report, by = p.xarf3(t)
	case t["xarf_version"] != nil:
		p.r.Dialect = "xarf-v4mail"
		report, by = p.xarf4(t)
	}
	if t != nil {
		p.extendTree(t)
	}
	if report == "" {
		p.loss("report type: missing")
		return KindUnparsed
	}
	p.xarfClass(report, by)
	return KindReport
}

func (p *parser) xarf3(t tree) (report, by string) {
	r := p.r
	value := func(name string) (v, source string) {
		return t.one("report." + strings.ToLower(name)), "json:Report." + name
	}
	for _, reports := range t.trees("report") {
		report, by = textAt(reports, "reporttype"), textAt(reports, "reportsubtype")
	}
	if v := t.one("version"); !p.fill(&r.Version, "version", v, "json:Version") && v != "" {
		p.extend("version", v)
	}
	p.xarfAddress(value("SourceIp"))
	p.xarfPort(value("SourcePort"))
	p.xarfMailFrom(value("SmtpMailFromAddress"))
	p.xarfRecipient(value("SmtpRcptToAddress"))
	for _, name := range []string{"SourceUri", "SourceUrl"} {
		if v, source := value(name); v != "" {
			p.fillURI(v, source)
		}
	}
	if isSpamType(report) {
		p.xarfDate(value("Date"))
	}
	for _, name := range []string{"report.sample", "report.samples"} {
		for _, sample := range t.trees(name) {
			p.xarfSample(sample, "contenttype", !strings.EqualFold(sample.one("base64encoded"), "false"), "json:Report.Samples")
		}
	}
	return report, by
}

func (p *parser) xarf4(t tree) (report, by string) {
	value := func(name string) (v, source string) { return t.one(name), "json:" + name }
	report, by = textAt(t, "type"), textAt(t, "evidence_source")
	if v, source := value("xarf_version"); !p.fill(&p.r.Version, "version", v, source) {
		p.extend("xarf_version", v)
	}
	p.xarfAddress(value("source_identifier"))
	p.xarfPort(value("source_port"))
	p.xarfMailFrom(value("smtp_from"))
	p.xarfRecipient(value("smtp_to"))
	if v, source := value("url"); v != "" {
		p.fillURI(v, source)
	}
	if v, source := value("domain"); v != "" {
		p.r.ReportedDomain = append(p.r.ReportedDomain, v)
		p.from("reported_domain", source)
	}
	if isSpamType(report) {
		p.xarfDate(value("timestamp"))
	}
	for _, evidence := range t.trees("evidence") {
		p.xarfSample(evidence, "content_type", true, "json:evidence")
	}
	return report, by
}

func isSpamType(report string) bool { return strings.Contains(strings.ToLower(report), "spam") }

// textAt is a text that stays in the tree.
func textAt(t tree, name string) string {
	s, _ := scalar(t[name])
	return s
}

func (p *parser) xarfAddress(value, source string) {
	if value == "" {
		return
	}
	if had := p.r.SourceIP != ""; p.fillIP(value, source) || had {
		return
	}
	switch {
	case strings.Contains(value, "://"):
		p.fillURI(value, source)
	case domainOf("x@"+value) != "" && strings.Contains(value, ".") && !strings.ContainsAny(value, " :/"):
		p.r.ReportedDomain = append(p.r.ReportedDomain, value)
		p.from("reported_domain", source)
	default:
		p.loss("source-ip: cannot be read")
		p.extend("source-ip", value)
	}
}

func (p *parser) xarfPort(value, source string) {
	if n := number(value); n > 0 && n <= 65535 && p.r.SourcePort == 0 {
		p.r.SourcePort = n
		p.from("source_port", source)
	} else if value != "" {
		p.extend("source-port", value)
	}
}

func (p *parser) xarfMailFrom(value, source string) {
	if addr, _ := address(value); (isAddress(addr) || addr == "<>") && p.fill(&p.r.OriginalMailFrom, "original_mail_from", addr, source) {
		return
	}
	if value != "" {
		p.extend("original-mail-from", value)
	}
}

func (p *parser) xarfRecipient(value, source string) {
	if value != "" && !p.fillRecipients(value, source) {
		p.extend("original-rcpt-to", value)
	}
}

func (p *parser) xarfDate(value, source string) {
	if value != "" && !p.fillDate(value, source) {
		p.extend("arrival-date", value)
	}
}

// xarfSample reads the reported mail, if the sample is one and there is none
// yet. A payload is no field: it goes where attachments go.
func (p *parser) xarfSample(t tree, name string, encoded bool, source string) {
	payload, typ := t.one("payload"), textAt(t, name)
	if typ != "" && !isOriginalType([]byte(typ)) {
		return
	}
	if p.r.Original != nil || payload == "" {
		return
	}
	b := []byte(payload)
	if encoded {
		var err error
		if b, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(payload), "")); err != nil {
			p.loss("original: its base64 cannot be read")
			return
		}
	}
	if p.readOriginal(&part{body: b, closed: true, found: true}); p.r.Original != nil {
		p.from("original", source)
	}
}
