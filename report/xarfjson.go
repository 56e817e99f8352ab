package report

import (
	"bytes"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/jsontree"
	"github.com/fblwatch/fblwatch/internal/message"
)

// X-ARF 1 to 4 are JSON objects, beside a report part of type xarf or
// alone.

func isXARFJSON(m *message.Message) bool { return len(xarfJSON(m)) > 0 }

// xarfJSON are the parts that hold an object.
func xarfJSON(m *message.Message) (found []*message.Part) {
	parts := m.Parts()
	for i := range parts {
		q := &parts[i]
		named := bytes.HasSuffix(bytes.ToLower(m.Name(i)), []byte(".json"))
		typ := message.MediaType(q.ContentType)
		if !named && !message.IsPlain(typ) {
			continue
		}
		start := *q
		start.Body = q.Body[:min(len(q.Body), idBody)]
		b := start.Decoded()
		if at := jsontree.ObjectAt(b); at >= 0 {
			lower := bytes.ToLower(b[at:])
			if bytes.Contains(lower, []byte(`"xarf_version"`)) || bytes.Contains(lower, []byte(`"reporterinfo"`)) || message.Is(m.Name(i), "xarf.json") {
				if found = append(found, q); len(found) == maxBatched {
					break
				}
			}
		}
	}
	return found
}

// attachedXARF reads the JSON beside a report part of type xarf.
func (p *parser) attachedXARF() {
	p.r.Dialect, p.r.Class, p.r.Event = "xarf", ClassNetwork, Complaint
	m := p.letter()
	if !isXARFJSON(m) {
		p.loss("xarf.json: missing")
	} else if p.readXARFJSON(m) == KindUnparsed {
		p.loss("xarf.json: cannot be read")
	}
}

// readXARFJSON reads the objects of the letter: each makes a report, with what a
// report part says of all.
func (p *parser) readXARFJSON(m *message.Message) Kind {
	common := *p.r
	var trees []jsontree.Tree
	cut := false
	for _, q := range xarfJSON(m) {
		p.uses.of(q.Body, UseText)
		b := q.Decoded()
		p.budget.Spend(4 * min(len(b), message.MaxDecoded))
		more, whole := jsontree.ReadAll(b, maxBatched-len(trees))
		trees, cut = append(trees, more...), cut || !whole
	}
	read := false
	for i, t := range trees {
		q := p
		if i > 0 {
			q = p.another()
			q.report, q.reportRaw, q.known = p.report, p.reportRaw, p.known
			*q.r = common
			q.r.Extensions, q.r.Derived, q.r.Problems = cloneLists(common.Extensions), maps.Clone(common.Derived), slices.Clip(common.Problems)
			q.r.ReportedDomain = slices.Clip(common.ReportedDomain)
			q.r.ReportedURI = slices.Clip(common.ReportedURI)
		}
		kind := q.readXARFObject(t)
		switch {
		case i == 0:
			read = kind == KindReport
		case kind != KindReport:
			p.loss(notAllObjects)
			p.extendFrom(q.r.Extensions, common.Extensions)
		case !read:
			read = true
			unread := p.r.Extensions
			p.become(q)
			p.loss(notAllObjects)
			p.extendFrom(unread, common.Extensions)
		default:
			q.r.Kind = KindReport
			q.derive()
			p.follow(q)
		}
	}
	if cut {
		p.cutShort("json: not whole")
	}
	if !read {
		p.loss("report type: missing")
		return KindUnparsed
	}
	return KindReport
}

const notAllObjects = "json: not all objects are reports that can be read"

// extendFrom keeps the values that an object without a report of its own has more
// than is common to all.
func (p *parser) extendFrom(own, common map[string][]string) {
	for name, values := range own {
		for _, v := range values[len(common[name]):] {
			p.extend(name, v)
		}
	}
}

func cloneLists(m map[string][]string) map[string][]string {
	m = maps.Clone(m)
	for name, list := range m {
		m[name] = slices.Clip(list)
	}
	return m
}

// readXARFObject reads one object.
func (p *parser) readXARFObject(t jsontree.Tree) Kind {
	report, by := "", ""
	switch {
	case t["report"] != nil || t["reporterinfo"] != nil:
		p.r.Dialect = "xarf-v3mail"
		report, by = p.xarf3(t)
	case t["xarf_version"] != nil:
		p.r.Dialect = "xarf-v4mail"
		report, by = p.xarf4(t)
	}
	p.extendTree(t)
	if report == "" {
		return KindUnparsed
	}
	p.xarfClass(report, by)
	if o := p.r.Original; p.r.Class == ClassService && (p.r.cfbl || o != nil && o.CFBLFeedbackID != "") {
		p.r.Class, p.r.Dialect = ClassCFBL, "cfbl-xarf" // RFC 9477 section 3.1: report=xarf
	}
	return KindReport
}

func (p *parser) xarf3(t jsontree.Tree) (report, by string) {
	r := p.r
	value := func(name string) (v, source string) {
		return t.One("report." + strings.ToLower(name)), "json:Report." + name
	}
	for _, reports := range t.Trees("report") {
		report, by = textAt(reports, "reporttype"), textAt(reports, "reportsubtype")+" "+textAt(reports, "detectionmethod")
		for _, more := range reports.Trees("additionalinfo") {
			by += " " + textAt(more, "detectionmethod")
		}
	}
	if v := t.One("version"); !p.fill(&r.Version, "version", v, "json:Version") && v != "" {
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
		for _, sample := range t.Trees(name) {
			p.xarfSample(sample, "payload", "contenttype", !strings.EqualFold(textAt(sample, "base64encoded"), "false"), "json:Report.Samples")
		}
	}
	for _, name := range []string{"report.attachment", "report.attachments"} {
		for _, attachment := range t.Trees(name) {
			p.xarfSample(attachment, "data", "contenttype", true, "json:Report.Attachment")
		}
	}
	return report, by
}

func (p *parser) xarf4(t jsontree.Tree) (report, by string) {
	value := func(name string) (v, source string) { return t.One(name), "json:" + name }
	report, by = textAt(t, "type"), textAt(t, "evidence_source")+" "+textAt(t, "detection_method")
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
		p.xarfDomain(v, source)
	}
	if isSpamType(report) {
		p.xarfDate(value("timestamp"))
	}
	for _, evidence := range t.Trees("evidence") {
		p.xarfSample(evidence, "payload", "content_type", true, "json:evidence")
	}
	return report, by
}

func isSpamType(report string) bool { return strings.Contains(strings.ToLower(report), "spam") }

// textAt is a text that stays in the tree.
func textAt(t jsontree.Tree, name string) string {
	s, _ := jsontree.Scalar(t[name])
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
	case message.DomainOf("x@"+value) != "" && strings.Contains(value, ".") && !strings.ContainsAny(value, " :/"):
		p.xarfDomain(value, source)
	default:
		p.loss("source-ip: cannot be read")
		p.extend("source-ip", value)
	}
}

// xarfDomain notes a domain once, in whatever case.
func (p *parser) xarfDomain(value, source string) {
	if !message.ContainsFold(p.r.ReportedDomain, strings.TrimSuffix(value, ".")) {
		p.r.ReportedDomain = append(p.r.ReportedDomain, strings.TrimSuffix(value, "."))
		p.from("reported_domain", source)
	}
}

func (p *parser) xarfPort(value, source string) {
	if n := message.Number(value); n > 0 && n <= 65535 && p.r.SourcePort == 0 {
		p.r.SourcePort = n
		p.from("source_port", source)
	} else if value != "" {
		p.extend("source-port", value)
	}
}

func (p *parser) xarfMailFrom(value, source string) {
	if addr, _ := message.Address(value); (message.IsAddress(addr) || addr == "<>") && p.fill(&p.r.OriginalMailFrom, "original_mail_from", addr, source) {
		return
	}
	if value != "" {
		p.extend("original-mail-from", value)
	}
}

func (p *parser) xarfRecipients(t jsontree.Tree, path, source string) {
	for _, value := range t.Take(path) {
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

// xarfSample reads the reported message, if the sample is one and there is none
// yet. A payload, under the name payload, is no field: it goes where attachments
// go.
func (p *parser) xarfSample(t jsontree.Tree, under, name string, encoded bool, source string) {
	payload, typ := t.One(under), textAt(t, name)
	if typ != "" && !message.IsOriginalType([]byte(typ)) {
		return
	}
	if p.r.Original != nil || payload == "" {
		return
	}
	b := []byte(payload)
	if encoded && !message.LooksLikeHeader(b) {
		if _, data, found := strings.Cut(payload, ";base64,"); found { // a data URI
			payload = data
		}
		payload = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(strings.Join(strings.Fields(payload), ""), "="))
		var err error
		if b, err = base64.RawStdEncoding.DecodeString(payload); err != nil {
			p.loss("original: its base64 cannot be read")
			return
		}
	}
	if p.readOriginal(&message.Part{Body: b, Closed: true, Found: true, Budget: p.budget}); p.r.Original != nil {
		p.from("original", source)
	}
}
