package sample

import (
	"encoding/base64"
	"slices"
	"strings"
)

// Dialect is one form of a report.
type Dialect struct {
	Name  string // the value of a record's dialect, or a variant of it
	About string // one line for a person

	template string
	encoded  bool // every part is in base64
}

// Dialects lists every dialect that the package writes.
func Dialects() []Dialect { return slices.Concat(arfDialects(), otherDialects()) }

// Message writes a complaint in the dialect. Equal complaints give equal bytes.
func (d Dialect) Message(c Complaint) []byte {
	message := c.expand(d.template)
	if d.encoded {
		return encodeParts(message, "\r\n--=_"+c.ID)
	}
	return message
}

// encodeParts encodes the body of each part in base64.
func encodeParts(message []byte, boundary string) []byte {
	parts := strings.Split(string(message), boundary)
	for i, part := range parts {
		head, body, found := strings.Cut(part, "\r\n\r\n")
		if i == 0 || !found {
			continue
		}
		lines := base64.StdEncoding.EncodeToString([]byte(body))
		for at := 76; at < len(lines); at += 78 {
			lines = lines[:at] + "\r\n" + lines[at:]
		}
		parts[i] = strings.Replace(head, "Transfer-Encoding: 7bit", "Transfer-Encoding: base64", 1) + "\r\n\r\n" + lines
	}
	return []byte(strings.Join(parts, boundary))
}
