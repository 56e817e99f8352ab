package imapclient

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

var utf7Base64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,").WithPadding(base64.NoPadding)

// decodeUTF7 reads a mailbox name in modified UTF-7 (RFC 3501 section 5.1.3).
// A name in another form is returned unchanged. go-imap exports no decoder or
// encoder.
func decodeUTF7(s string) string {
	var out strings.Builder
	for rest := s; rest != ""; {
		plain, shifted, found := strings.Cut(rest, "&")
		out.WriteString(plain)
		if !found {
			break
		}
		code, after, found := strings.Cut(shifted, "-")
		if !found {
			return s
		}
		rest = after
		if code == "" {
			out.WriteByte('&')
			continue
		}
		b, err := utf7Base64.DecodeString(code)
		if err != nil || len(b)%2 != 0 {
			return s
		}
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
		}
		runes := utf16.Decode(units)
		if slices.Contains(runes, utf8.RuneError) && !slices.Contains(units, utf8.RuneError) {
			return s // half a surrogate: no character
		}
		out.WriteString(string(runes))
	}
	return out.String()
}

// encodeUTF7 is the reverse of decodeUTF7.
func encodeUTF7(s string) string {
	var out strings.Builder
	var units []uint16 // not yet written, none of them ASCII
	flush := func() {
		if len(units) == 0 {
			return
		}
		b := make([]byte, 0, 2*len(units))
		for _, u := range units {
			b = append(b, byte(u>>8), byte(u))
		}
		out.WriteString("&" + utf7Base64.EncodeToString(b) + "-")
		units = units[:0]
	}
	for _, r := range s {
		if r < ' ' || r > '~' {
			units = utf16.AppendRune(units, r)
			continue
		}
		flush()
		out.WriteRune(r)
		if r == '&' {
			out.WriteByte('-')
		}
	}
	flush()
	return out.String()
}

// mailboxArg is a mailbox name or pattern as an argument of a command.
func mailboxArg(name string) string { return string(quote([]byte(encodeUTF7(name)))) }
