package main

import (
	"bytes"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"mime"
	"regexp"
	"strings"
)

// mailPart is one part of a message, in the order of its parts.
type messagePart struct {
	Depth    int    `json:"depth"`
	Type     string `json:"type"`
	Encoding string `json:"encoding,omitempty"`
	Name     string `json:"name,omitempty"`
	Octets   int    `json:"octets"` // of its body, encoded
}

const (
	maxShownParts = 100
	maxShownDepth = 10
	maxShownHead  = 64 << 10 // octets
)

// partsOf lists the parts as the boundaries declare them, for the eye; the
// reader of reports takes more than that.
func partsOf(message []byte) (parts []messagePart) {
	if bytes.HasPrefix(message, []byte("From ")) { // of an mbox
		_, message, _ = bytes.Cut(message, []byte("\n"))
	}
	addParts(&parts, message, 0)
	return parts
}

func addParts(parts *[]messagePart, entity []byte, depth int) {
	if len(*parts) == maxShownParts || depth > maxShownDepth {
		return
	}
	head, body := entity, []byte(nil)
	if at := emptyLine.FindIndex(entity); at != nil {
		head, body = entity[:at[0]], entity[at[1]:]
	}
	head = head[:min(len(head), maxShownHead)]
	value := firstValue(typeField, head)
	typ, params, err := mime.ParseMediaType(value)
	if err != nil {
		typ, _, _ = strings.Cut(strings.ToLower(value), ";")
		params = map[string]string{}
		if found := looseBoundary.FindStringSubmatch(value); found != nil {
			params["boundary"] = found[1]
		}
	}
	if typ = strings.TrimSpace(typ); typ == "" {
		typ = "text/plain"
	}
	name := params["name"]
	if _, params, err := mime.ParseMediaType(firstValue(nameField, head)); err == nil && params["filename"] != "" {
		name = params["filename"]
	}
	*parts = append(*parts, messagePart{depth, terminal.Printable(typ), terminal.Printable(strings.ToLower(firstValue(encodingField, head))), terminal.Printable(name), len(body)})

	switch boundary := params["boundary"]; {
	case strings.HasPrefix(typ, "multipart/") && boundary != "":
		for _, part := range splitAt(body, boundary) {
			addParts(parts, part, depth+1)
		}
	case typ == "message/rfc822":
		addParts(parts, body, depth+1)
	}
}

var (
	emptyLine     = regexp.MustCompile(`(?:^|\r?\n)\r?\n`)
	typeField     = fieldNamed("content-type")
	encodingField = fieldNamed("content-transfer-encoding")
	nameField     = fieldNamed("content-disposition")
	looseBoundary = regexp.MustCompile(`(?i)boundary="?([^";\s]+)`)
)

func fieldNamed(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?mi)^` + name + `:((?:[^\r\n]|\r?\n[ \t])*)`)
}

// firstValue is the value of the first such field, whatever stands around it.
func firstValue(field *regexp.Regexp, head []byte) string {
	if found := field.FindSubmatch(head); found != nil {
		return strings.TrimSpace(string(found[1]))
	}
	return ""
}

// splitAt is what stands between the lines that are the boundary.
func splitAt(body []byte, boundary string) (parts [][]byte) {
	start := -1
	for at := 0; at < len(body); {
		end := len(body)
		if i := bytes.IndexByte(body[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		rest, found := bytes.CutPrefix(bytes.TrimRight(body[at:end], " \t\r\n"), []byte("--"+boundary))
		if found && (len(rest) == 0 || string(rest) == "--") {
			if start >= 0 {
				parts = append(parts, bytes.TrimSuffix(bytes.TrimSuffix(body[start:at], []byte("\n")), []byte("\r")))
			}
			if start = end; len(rest) > 0 {
				return parts
			}
		}
		at = end
	}
	if start >= 0 {
		parts = append(parts, body[start:])
	}
	return parts
}
