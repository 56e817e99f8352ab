package authentic

import (
	"bytes"
	"context"
	"mime"
	"strings"

	"github.com/fblwatch/fblwatch/report"
)

// Limits of the search for other boundaries.
const (
	maxBoundaries = 64       // different ones
	maxFramed     = 64 << 20 // octets read in all
)

// frame is how the body of a mail is read.
type frame struct {
	boundary string // that the mail declares
	sole     bool   // it is the only one that makes a report of the body
	ends     [2]int // where it closes the canonical body, simple and relaxed; 0: not looked for, -1: nowhere
}

// soleFrame tells whether the boundary that the mail declares is the only one
// that makes a report of its body. Where Content-Type is not signed, the body
// of a genuine report can be made to speak with the voice of a mail within it.
func (m *message) soleFrame() *frame {
	if m.frame == nil {
		m.frame = &frame{}
		if types := m.named("content-type"); len(types) == 1 {
			m.frame.boundary = boundaryOf(types[0].value())
			m.frame.sole = m.isSole(m.frame.boundary)
		}
	}
	return m.frame
}

func (m *message) isSole(boundary string) (found bool) {
	candidates, ok := boundaries(m.body)
	if !ok || len(candidates)*len(m.body) > maxFramed && len(candidates) > 1 {
		return false
	}
	for _, candidate := range candidates {
		switch frames := framesReport(m.stop, candidate, m.body); {
		case !frames:
		case candidate != boundary:
			return false
		default:
			found = true
		}
	}
	return found
}

// framesReport reports whether the boundary makes a report of body. When stop is
// done it does not matter any more.
func framesReport(stop context.Context, boundary string, body []byte) bool {
	head := "Content-Type: multipart/report; report-type=feedback-report; boundary=\"" + boundary + "\"\r\n\r\n"
	mail := append([]byte(head), body...)
	r, err := report.ParseContext(stop, mail, int64(len(mail)))
	return err == nil && r.Kind == report.KindReport
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
