package authentic

import (
	"bytes"
	"mime"
	"strings"

	"github.com/fblwatch/fblwatch/report"
)

// Limits of the search for other boundaries.
const (
	maxBoundaries = 64       // different ones
	maxFramed     = 64 << 20 // octets read in all
)

// soleFrame reports whether the boundary that the mail declares is the only one
// that makes a report of its body. Where Content-Type is not signed, the body
// of a genuine report can be made to speak with the voice of a mail within it.
func (m *message) soleFrame() (boundary string, sole bool) {
	types := m.named("content-type")
	if len(types) != 1 {
		return "", false
	}
	boundary = boundaryOf(types[0].value())
	found := false
	candidates, ok := boundaries(m.body)
	if !ok || len(candidates)*len(m.body) > maxFramed && len(candidates) > 1 {
		return boundary, false
	}
	for _, candidate := range candidates {
		if !framesReport(candidate, m.body) {
			continue
		}
		if candidate != boundary {
			return boundary, false
		}
		found = true
	}
	return boundary, found
}

// framesReport reports whether the boundary makes a report of body.
func framesReport(boundary string, body []byte) bool {
	head := "Content-Type: multipart/report; report-type=feedback-report; boundary=\"" + boundary + "\"\r\n\r\n"
	mail := append([]byte(head), body...)
	return report.Parse(mail, int64(len(mail))).Kind == report.KindReport
}

// boundaries gives every boundary that a line of the body could belong to; not
// ok: there are too many.
func boundaries(body []byte) (all []string, ok bool) {
	seen := make(map[string]bool)
	add := func(b string) {
		if b != "" && len(b) <= 250 && !seen[b] && !strings.Contains(b, `"`) {
			seen[b] = true
			all = append(all, b)
		}
	}
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		if !bytes.HasPrefix(line, []byte("--")) {
			continue
		}
		b := strings.TrimRight(string(line[2:min(len(line), 300)]), " \t\r")
		add(b)
		add(strings.TrimSuffix(b, "--"))
		if len(all) > maxBoundaries {
			return nil, false
		}
	}
	return all, true
}

// boundaryOf is the boundary of a Content-Type, also where it stands unquoted
// and should not.
func boundaryOf(v string) string {
	v = strings.Join(strings.FieldsFunc(v, isBlank), " ")
	if typ, params, err := mime.ParseMediaType(v); err == nil && strings.HasPrefix(typ, "multipart/") {
		return params["boundary"]
	}
	if !strings.HasPrefix(strings.ToLower(v), "multipart/") {
		return ""
	}
	for param := range strings.SplitSeq(v, ";") {
		if name, value, _ := strings.Cut(param, "="); strings.EqualFold(strings.TrimSpace(name), "boundary") {
			return strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
	return ""
}
