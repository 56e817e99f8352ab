package report

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
)

// framed is a multipart message taken to pieces; line ends are LF.
type framed struct {
	head     string // of the message, without its Content-Type
	typ      string // value of Content-Type, without the boundary
	boundary string
	preamble string
	parts    []framedPart
	epilogue string
	end      string // the closing boundary, "" for none
}

type framedPart struct{ head, body string } // head without its last line break

func (p *framedPart) isReport() bool {
	return strings.Contains(p.head, "message/feedback-report")
}

func (p *framedPart) isOriginal() bool { return strings.Contains(p.head, "rfc822") }

// take takes a message to pieces, false: it is of another form.
func take(message string) (f framed, ok bool) {
	if strings.Contains(message, "\r") {
		return f, false
	}
	typ := regexp.MustCompile(`(?m)^Content-Type: (multipart/(?:report|mixed)[^\n]*)\n`).FindStringSubmatchIndex(message)
	end := strings.Index(message, "\n\n")
	if typ == nil || end < 0 || typ[0] > end {
		return f, false
	}
	value := message[typ[2]:typ[3]]
	boundary := regexp.MustCompile(`; *boundary="?([^";\n]+)"?;?`).FindStringSubmatch(value)
	if boundary == nil {
		return f, false
	}
	f.boundary, f.end = boundary[1], "--"+boundary[1]+"--\n"
	f.typ = strings.Replace(value, boundary[0], "", 1)
	f.head = message[:typ[0]] + message[typ[1]:end+1]
	pieces := strings.Split(message[end+1:], "\n--"+f.boundary)
	if last := pieces[len(pieces)-1]; !strings.HasPrefix(last, "--") {
		return f, false
	}
	for _, piece := range pieces[1 : len(pieces)-1] {
		head, body, found := strings.Cut(strings.TrimPrefix(piece, "\n"), "\n\n")
		if !found {
			return f, false
		}
		f.parts = append(f.parts, framedPart{head, body})
	}
	return f, true
}

func (f framed) String() string {
	typ := f.typ + "; boundary=\"" + f.boundary + "\""
	if strings.Contains(f.typ, "BOUNDARY") {
		typ = strings.Replace(f.typ, "BOUNDARY", f.boundary, 1)
	}
	return f.head + "Content-Type: " + typ + "\n\n" + f.body()
}

func (f framed) body() string {
	var b strings.Builder
	b.WriteString(f.preamble)
	for _, part := range f.parts {
		b.WriteString("--" + f.boundary + "\n" + part.head + "\n\n" + part.body + "\n")
	}
	b.WriteString(f.end + f.epilogue)
	return b.String()
}

// each changes the parts that are chosen.
func (f framed) each(of func(*framedPart) bool, change func(*framedPart)) framed {
	f.parts = slices.Clone(f.parts)
	for i := range f.parts {
		if of(&f.parts[i]) {
			change(&f.parts[i])
		}
	}
	return f
}

func anyPart(*framedPart) bool { return true }

// encoded says whether a part has an encoding already.
func (p *framedPart) encoded() bool {
	return strings.Contains(strings.ToLower(p.head), "content-transfer-encoding: base64") || strings.Contains(strings.ToLower(p.head), "quoted-printable")
}

func base64Lines(s string) string {
	text, out := base64.StdEncoding.EncodeToString([]byte(s)), ""
	for len(text) > 76 {
		out, text = out+text[:76]+"\n", text[76:]
	}
	return out + text
}

// fieldsChanged changes the fields of the report part, each with its folding.
func (f framed) fieldsChanged(change func(fields []string) []string) framed {
	return f.each((*framedPart).isReport, func(p *framedPart) {
		if p.encoded() {
			return
		}
		var fields []string
		for line := range strings.Lines(strings.TrimRight(p.body, "\n") + "\n") {
			if (line[0] == ' ' || line[0] == '\t') && len(fields) > 0 {
				fields[len(fields)-1] += line
			} else {
				fields = append(fields, line)
			}
		}
		p.body = strings.Join(change(fields), "")
	})
}
