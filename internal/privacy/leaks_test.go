package privacy_test

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"io"
	"mime"
	"regexp"
	"slices"
	"strings"
)

var (
	digits   = regexp.MustCompile(`[A-Za-z0-9+/_-]{8,}`)
	percents = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	equals   = regexp.MustCompile(`=[0-9A-Fa-f]{2}`)
	hexes    = regexp.MustCompile(`[0-9A-Fa-f]{10,}`)
	escapes  = regexp.MustCompile(`\\u00[0-9A-Fa-f]{2}`)
)

// leaks looks for an address by other means than the filter's: everything is
// decoded, and again.
func leaks(text, local, domain string) bool {
	layer, seen := []string{text}, map[string]bool{}
	for depth := 0; len(layer) > 0 && depth < 3; depth++ {
		var next []string
		for _, s := range layer {
			joined := strings.NewReplacer("=\r\n", "", "=\n", "", `\r\n`, "", `\n`, "", `\t`, "").Replace(s)
			for _, mark := range []*regexp.Regexp{percents, percents, equals, equals, escapes} {
				joined = mark.ReplaceAllStringFunc(joined, func(h string) string {
					c, _ := hex.DecodeString(h[len(h)-2:])
					return string(c)
				})
			}
			words, _ := (&mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil }}).DecodeHeader(strings.NewReplacer(`\r\n`, "\r\n", `\t`, "\t").Replace(s))
			if words != s && !seen[words] {
				seen[words] = true
				next = append(next, words)
			}
			for _, plain := range []string{s, joined, html.UnescapeString(s)} {
				plain = strings.ToLower(plain)
				for _, at := range []string{"@", "=", "+", "%", "#", "--at--", "_at_", " at ", "(at)"} {
					if strings.Contains(plain, strings.ToLower(local+at+domain)) {
						return true
					}
				}
				if strings.Contains(plain, strings.ToLower("="+domain+"="+local+"@")) {
					return true
				}
			}
			for _, found := range hexes.FindAllString(s, -1) {
				for offset := range 2 {
					if b, err := hex.DecodeString(found[offset : len(found)-(len(found)-offset)%2]); err == nil && !seen[string(b)] {
						seen[string(b)] = true
						next = append(next, string(b))
					}
				}
			}
			squeezed := strings.NewReplacer(" ", "", "\r", "", "\n", "", "\t", "").Replace(joined)
			for _, found := range digits.FindAllString(s, -1) {
				back := []byte(strings.NewReplacer("-", "+", "_", "/").Replace(found))
				slices.Reverse(back)
				if b, err := base64.RawStdEncoding.DecodeString(string(back)); err == nil {
					if slices.Reverse(b); !seen[string(b)] {
						seen[string(b)] = true
						next = append(next, string(b))
					}
				}
			}
			for _, found := range append(digits.FindAllString(s, -1), digits.FindAllString(squeezed, -1)...) {
				found = strings.NewReplacer("-", "+", "_", "/").Replace(found)
				for offset := range min(4, len(found)) {
					part := found[offset:]
					if len(part)%4 == 1 {
						part = part[:len(part)-1]
					}
					if b, err := base64.RawStdEncoding.DecodeString(part); err == nil && !seen[string(b)] {
						seen[string(b)] = true
						next = append(next, string(b))
					}
				}
			}
		}
		layer = next
	}
	return false
}
