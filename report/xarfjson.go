package report

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
)

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
		if !named && !isPlain(typ) {
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
	if o := p.r.Original; p.r.Class == ClassService && (p.r.cfbl || o != nil && o.CFBLFeedbackID != "") {
		p.r.Class, p.r.Dialect = ClassCFBL, "cfbl-xarf" // RFC 9477 section 3.1: report=xarf
	}
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
	for _, name := range []string{"SourceIp", "Source.IP"} {
		if r.SourceIP == "" {
			p.xarfAddress(value(name))
		}
	}
	for _, name := range []string{"SourcePort", "Source.Port"} {
		p.xarfPort(value(name))
	}
	p.xarfMailFrom(value("SmtpMailFromAddress"))
	p.xarfRecipients(t, "report.smtprcpttoaddress", "json:Report.SmtpRcptToAddress")
	for _, name := range []string{"SourceUri", "SourceUrl", "Source.URL", "Url"} {
		if v, source := value(name); v != "" && !slices.Contains(r.ReportedURI, v) {
			p.fillURI(v, source)
		}
	}
	if isSpamType(report) {
		p.xarfDate(value("Date"))
	}
	for _, name := range []string{"report.sample", "report.samples"} {
		for _, sample := range t.trees(name) {
			p.xarfSample(sample, "contenttype", !strings.EqualFold(textAt(sample, "base64encoded"), "false"), "json:Report.Samples")
		}
	}
	return report, by
}

func (p *parser) xarf4(t tree) (report, by string) {
	value := func(name string) (v, source string) { return t.one(name), "json:" + name }
	report, by = textAt(t, "type"), textAt(t, "evidence_source")
	if report != "" && strings.EqualFold(textAt(t, "category"), "messaging") {
		report = "spam" // by any other name
	}
	if v, source := value("xarf_version"); !p.fill(&p.r.Version, "version", v, source) {
		p.extend("xarf_version", v)
	}
	p.xarfAddress(value("source_identifier"))
	p.xarfPort(value("source_port"))
	p.xarfMailFrom(value("smtp_from"))
	p.xarfRecipients(t, "smtp_to", "json:smtp_to")
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

func (p *parser) xarfRecipients(t tree, path, source string) {
	for _, value := range t.take(path) {
		if !p.fillRecipients(value, source) {
			p.extend("original-rcpt-to", value)
		}
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
