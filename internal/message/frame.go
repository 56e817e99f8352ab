package message

import (
	"bytes"
	"strings"
)

// Frame says how Walk splits the body of a message that has one Content-Type.
type Frame struct {
	// Boundary is the declared boundary, if the body has a delimiter of it. If it is "",
	// Walk takes another boundary, or the body has no parts.
	Boundary string

	// Unencoded reports whether Walk reads the body as it is, with or without the
	// Content-Transfer-Encoding. A multipart or a message has none (RFC 2045 section
	// 6.4), but Walk decodes it if it finds no delimiter otherwise.
	Unencoded bool

	// Plain reports whether every reader splits the body by this boundary. The type is
	// multipart/report or multipart/mixed. Each parameter occurs once, in one piece,
	// and has one reading. The boundary has at most 70 octets (RFC 2046 section 5.1.1)
	// and no blank. The encoding is none, 7bit, 8bit or binary. Before the first
	// delimiter there is nothing, or a preamble with "MIME" in its first line and no
	// other line that begins with "--".
	Plain bool
}

// FrameOf returns the frame of a body by the values of Content-Type and
// Content-Transfer-Encoding, "" if there is none. It looks for a delimiter in the first
// 256 KiB of the body.
func FrameOf(contentType, encoding string, body []byte) Frame {
	body = body[:min(len(body), LookMixed)]
	p := Part{ContentType: Trim([]byte(contentType)), Encoding: Trim([]byte(encoding)), Body: body}
	identity := len(p.Encoding) == 0
	for _, known := range [...]string{"7bit", "8bit", "binary"} {
		identity = identity || Is(p.Encoding, known)
	}
	typ := MediaType(p.ContentType)
	if !HasPrefixFold(typ, "multipart/") {
		return Frame{Unencoded: identity && HasPrefixFold(typ, "message/")}
	}
	var space [128]byte
	decoded, delim, first, found, guessed := p.delimiters(space[:0])
	if !found || guessed || len(decoded) != len(body) { // decoded, it has fewer octets
		return Frame{}
	}
	boundary := string(delim[2:])
	return Frame{
		Boundary:  boundary,
		Unencoded: true,
		Plain: identity && !first.last && isPreamble(body[:first.start]) &&
			plainBoundary(string(p.ContentType)) == boundary,
	}
}

// isPreamble reports whether b may precede the first delimiter, and is no text into
// which somebody else wrote a delimiter.
func isPreamble(b []byte) bool {
	if bytes.HasPrefix(b, []byte("--")) || bytes.Contains(b, []byte("\n--")) {
		return false
	}
	line, _, _ := CutLine(Trim(b))
	return len(line) == 0 || bytes.Contains(line, []byte("MIME"))
}

const maxPlain = 998 // octets of a Content-Type: those of a line (RFC 5322 section 2.1.1)

// plainBoundary is the boundary of a Content-Type with one possible reading; "" if it
// has more. White space is allowed only after a ";". A ";" may be the last octet.
func plainBoundary(v string) string {
	typ, rest, more := strings.Cut(v, ";")
	if len(v) > maxPlain || !strings.EqualFold(typ, "multipart/report") && !strings.EqualFold(typ, "multipart/mixed") {
		return ""
	}
	params := make(map[string]string)
	for more {
		if rest = strings.TrimLeft(rest, " \t\r\n"); rest == "" {
			break
		}
		name, value, found := strings.Cut(rest, "=")
		if quoted, is := strings.CutPrefix(value, `"`); is {
			value, rest, found = strings.Cut(quoted, `"`)
		} else {
			end := strings.IndexByte(value+";", ';')
			value, rest = value[:end], value[end:]
		}
		if !found || !consists(name, attribute) || !consists(value, attribute+"'+_,./:=?") {
			return ""
		}
		if name = strings.ToLower(name); params[name] != "" {
			return ""
		}
		params[name] = value
		if rest, more = strings.CutPrefix(rest, ";"); rest != "" && !more {
			return ""
		}
	}
	if boundary := params["boundary"]; len(boundary) <= maxDeclared {
		return boundary
	}
	return ""
}

const maxDeclared = 70 // octets of a boundary (RFC 2046 section 5.1.1)

// attribute has the octets of the name of a parameter, without those by which RFC 2231
// continues and extends it. Boundaries have some more (RFC 2046 section 5.1.1).
const attribute = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

func consists(s, of string) bool { return s != "" && strings.Trim(s, of) == "" }
