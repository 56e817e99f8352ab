package message

import (
	"bytes"
	"strings"
)

// Frame is how Parse splits the body of a message that has one Content-Type, and
// what that hangs on.
type Frame struct {
	// Boundary is the one that Content-Type declares, if the body has a delimiter
	// of it; "": Parse takes another, or the body has no parts.
	Boundary string

	// Unencoded: Parse reads the body as it stands, with or without the
	// Content-Transfer-Encoding. A multipart or a message has none (RFC 2045
	// section 6.4), but Parse decodes what it cannot read otherwise.
	Unencoded bool

	// Plain: any reader splits the body by this boundary. The type is multipart/report
	// or multipart/mixed. Each parameter stands once and in one piece, and nothing in
	// it can be read in two ways; the boundary has 70 octets at most (RFC 2046 section
	// 5.1.1) and no blank. The encoding is none, 7bit, 8bit or binary. Before the
	// first delimiter stands nothing, or a preamble that says "MIME" in its first
	// line, and no other line that begins with "--".
	Plain bool
}

// FrameOf reads the values of a Content-Type and a Content-Transfer-Encoding, ""
// if there is none, and a body, of which the start is enough: a delimiter that does
// not stand in the first 256 KiB is none.
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
	if !found || guessed || len(decoded) != len(body) { // what is decoded has fewer octets
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

// isPreamble reports whether b may stand before the first delimiter, and is not a
// text that somebody else wrote a delimiter into.
func isPreamble(b []byte) bool {
	if bytes.HasPrefix(b, []byte("--")) || bytes.Contains(b, []byte("\n--")) {
		return false
	}
	line, _, _ := CutLine(Trim(b))
	return len(line) == 0 || bytes.Contains(line, []byte("MIME"))
}

const maxPlain = 998 // octets of a Content-Type; RFC 5322 section 2.1.1 has as many for a line

// plainBoundary is the boundary of a Content-Type that can be read in one way only;
// "": it cannot. White space stands only behind a ";", which may be the last.
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

// attribute has the octets of a parameter's name, but for those by which RFC 2231
// continues and extends it; the boundaries of RFC 2046 section 5.1.1 have some more.
const attribute = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"

func consists(s, of string) bool { return s != "" && strings.Trim(s, of) == "" }
