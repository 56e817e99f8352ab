package trust

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/message"
)

// signature is the tags of a DKIM-Signature (RFC 6376 section 3.5), an
// ARC-Message-Signature or an ARC-Seal (RFC 8617 section 4.1).
type signature struct {
	field            headerField
	tags             map[string]string // without white space (FWS)
	domain, selector string
	signed           []string // names of h=, in lower case
	length           int      // of l=; -1: the whole body
	expires          time.Time
}

const (
	maxSignature = 16 << 10 // octets of one signature field
	maxSigned    = 200      // names in its h=
)

var (
	errLimits    = errors.New("signature: beyond what is checked")
	errMalformed = errors.New("signature: malformed")
	errBody      = errors.New("signature: the body is not as it was signed")
	errAltered   = errors.New("signature: the header is not as it was signed, or another key signed it")
)

func readSignature(f headerField) (signature, error) {
	s := signature{field: f, length: -1}
	if len(f.raw) > maxSignature {
		return s, errLimits
	}
	tags, ok := readTags(f.value())
	if !ok || tags["d"] == "" || tags["s"] == "" || tags["b"] == "" {
		return s, errMalformed
	}
	s.tags, s.domain, s.selector = tags, canonical(tags["d"]), tags["s"]
	if s.signed = strings.Split(lower(tags["h"]), ":"); len(s.signed) > maxSigned {
		return s, errLimits
	}
	if l, there := tags["l"]; there {
		n, err := strconv.ParseUint(l, 10, 31)
		if err != nil {
			return s, errMalformed
		}
		s.length = int(n)
	}
	if x, there := tags["x"]; there {
		n, err := strconv.ParseUint(x, 10, 63)
		if err != nil {
			return s, errMalformed
		}
		s.expires = time.Unix(int64(n), 0)
	}
	return s, nil
}

// keyName is where the DNS has its key (RFC 6376 section 3.6.2.1).
func (s *signature) keyName() string { return canonical(s.selector) + "._domainkey." + s.domain }

// readTags reads a list of tags (RFC 6376 section 3.2); a doubled one makes it
// invalid. All white space in a value is left out: no tag that is
// read needs any.
func readTags(v string) (map[string]string, bool) {
	tags := make(map[string]string)
	for tag := range strings.SplitSeq(v, ";") {
		name, value, found := strings.Cut(tag, "=")
		if name = strings.TrimFunc(name, message.IsBlank); !found {
			if name != "" {
				return nil, false
			}
			continue
		}
		if _, twice := tags[name]; twice || name == "" {
			return nil, false
		}
		if value = message.Trim(value); strings.ContainsAny(value, " \t\r\n") {
			value = string(appendWords(make([]byte, 0, len(value)), value, ""))
		}
		tags[name] = value
	}
	return tags, true
}

// covers reports whether the field of that name is signed, or that there is none;
// there is one at most, see doubled.
func (s *signature) covers(name string) bool { return s.count(name) > 0 }

// count is how many fields of that name are signed, from the lowest on.
func (s *signature) count(name string) (n int) {
	for _, signed := range s.signed {
		if signed == name {
			n++
		}
	}
	return n
}

// short reports whether l= leaves some of the body unsigned.
func (s *signature) short(m *signable) bool {
	return s.length >= 0 && s.length < len(m.canonicalBody(s.relaxedBody(), -1))
}

// full reports whether all is signed that says how the message is to be read. An
// encoding that is not signed, and that somebody may have removed, must have no effect.
func (s *signature) full(m *signable) bool {
	return s.covers("content-type") && !s.short(m) && (s.covers("content-transfer-encoding") || m.frame().Unencoded)
}

func (s *signature) relaxedHeader() bool {
	header, _ := s.canonicalizations()
	return header == "relaxed"
}

func (s *signature) relaxedBody() bool {
	_, body := s.canonicalizations()
	return body == "relaxed"
}

// canonicalizations are those of c=; a body's that is left out is simple.
func (s *signature) canonicalizations() (header, body string) {
	c, there := s.tags["c"]
	if !there {
		return "simple", "simple"
	}
	header, body, both := strings.Cut(c, "/")
	if !both {
		body = "simple"
	}
	return header, body
}

// valid is what a DKIM-Signature must have, whatever its key is (RFC 6376
// sections 3.5 and 6.1.1).
func (s *signature) valid() error {
	if s.tags["v"] != "1" || !s.covers("from") {
		return errMalformed
	}
	if q, there := s.tags["q"]; there && !slices.Contains(strings.Split(q, ":"), "dns/txt") {
		return errMalformed
	}
	if i, there := s.tags["i"]; there && (!strings.Contains(i, "@") || !below(domainOf(i), s.domain)) {
		return errMalformed
	}
	if t, there := s.tags["t"]; there {
		if n, err := strconv.ParseUint(t, 10, 63); err != nil || !s.expires.IsZero() && s.expires.Unix() <= int64(n) {
			return errMalformed
		}
	}
	return nil
}

// verifyMessage verifies a DKIM-Signature or an ARC-Message-Signature over header
// and body (RFC 6376 section 6.1.3), by one of keys.
func (s *signature) verifyMessage(m *signable, keys []publicKey) error {
	header, body := s.canonicalizations()
	for _, name := range []string{header, body} {
		if name != "simple" && name != "relaxed" {
			return errMalformed
		}
	}
	if s.length > len(m.canonicalBody(s.relaxedBody(), -1)) {
		return errBody
	}
	hash := sha256.Sum256(m.canonicalBody(s.relaxedBody(), s.length))
	if want, err := base64.StdEncoding.DecodeString(s.tags["bh"]); err != nil || !bytes.Equal(hash[:], want) {
		return errBody
	}
	data := make([]byte, 0, 2048)
	left := make(map[string][]headerField) // of a name; the lowest is taken next
	for _, name := range s.signed {
		fields, known := left[name]
		if !known {
			fields = m.named(name)
		}
		if n := len(fields); n > 0 {
			data = appendField(data, fields[n-1].raw, s.relaxedHeader())
			fields = fields[:n-1]
		}
		left[name] = fields
	}
	return s.verify(s.appendUnsigned(data, s.relaxedHeader()), keys)
}

// appendUnsigned appends the signature's own field as it was when it was signed.
func (s *signature) appendUnsigned(dst []byte, relaxed bool) []byte {
	name, value, _ := strings.Cut(s.field.raw, ":")
	tags := strings.Split(value, ";")
	for i, tag := range tags {
		if tagName, _, _ := strings.Cut(tag, "="); strings.TrimFunc(tagName, message.IsBlank) == "b" {
			tags[i] = tagName + "="
		}
	}
	own := appendField(nil, name+":"+strings.Join(tags, ";"), relaxed)
	return append(dst, bytes.TrimRight(own, "\r\n")...)
}

// verify verifies b= over data by one of keys.
func (s *signature) verify(data []byte, keys []publicKey) error {
	sig, err := base64.StdEncoding.DecodeString(s.tags["b"])
	if err != nil {
		return errMalformed
	}
	hash := sha256.Sum256(data)
	for _, key := range keys {
		if s.tags["a"] == "ed25519-sha256" && key.ed25519 != nil && ed25519.Verify(key.ed25519, hash[:], sig) ||
			s.tags["a"] == "rsa-sha256" && key.rsa != nil && rsa.VerifyPKCS1v15(key.rsa, crypto.SHA256, hash[:], sig) == nil {
			return nil
		}
	}
	return errAltered
}

// appendField appends a field as RFC 6376 sections 3.4.1 and 3.4.2 have it.
func appendField(dst []byte, raw string, relaxed bool) []byte {
	if !relaxed {
		return append(dst, raw...)
	}
	name, value, _ := strings.Cut(raw, ":")
	dst = append(dst, lower(message.Trim(name))...)
	dst = append(dst, ':')
	dst = appendWords(dst, value, " ")
	return append(dst, "\r\n"...)
}

// appendWords appends the words of v, which white space separates, with sep in its
// place.
func appendWords(dst []byte, v, sep string) []byte {
	for first := true; ; first = false {
		for len(v) > 0 && message.IsSpace(v[0]) {
			v = v[1:]
		}
		if v == "" {
			return dst
		}
		if !first {
			dst = append(dst, sep...)
		}
		end := 0
		for end < len(v) && !message.IsSpace(v[end]) {
			end++
		}
		dst, v = append(dst, v[:end]...), v[end:]
	}
}

// canonicalBody is RFC 6376 sections 3.4.3 and 3.4.4, of which the first length
// octets count; -1: all. It is made once: a message can have many signatures.
func (m *signable) canonicalBody(relaxed bool, length int) []byte {
	way := 0
	if relaxed {
		way = 1
	}
	if m.canonical[way] == nil {
		m.canonical[way] = canonicalBody(m.body, relaxed)
	}
	body := m.canonical[way]
	if length >= 0 && length < len(body) {
		body = body[:length]
	}
	return body
}

func canonicalBody(body []byte, relaxed bool) []byte {
	if relaxed {
		body = relaxedLines(body)
	}
	end := len(body)
	for bytes.HasSuffix(body[:end], []byte("\r\n")) {
		end -= 2
	}
	switch {
	case end == 0 && relaxed:
		return []byte{}
	case end < len(body):
		return body[:end+2]
	}
	return append(body[:end:end], '\r', '\n')
}

// relaxedLines makes one blank of each run of them, and none at the end of a line.
func relaxedLines(body []byte) []byte {
	if bytes.IndexByte(body, '\t') < 0 && !bytes.Contains(body, []byte("  ")) && !bytes.Contains(body, []byte(" \r")) && !bytes.HasSuffix(body, []byte(" ")) {
		return body
	}
	out := make([]byte, 0, len(body)+2)
	same := 0 // octets at the start of body that stay as they are
	for same < len(body) {
		line, rest, ended := bytes.Cut(body[same:], []byte("\r\n"))
		plain := trimBlanks(line)
		doubled := bytes.IndexByte(plain, '\t') >= 0 || bytes.Contains(plain, []byte("  "))
		if ended && !doubled && len(plain) == len(line) {
			same += len(line) + 2
			continue
		}
		out, same = append(out, body[:same]...), 0
		if doubled {
			out = appendWithoutRuns(out, plain)
		} else {
			out = append(out, plain...)
		}
		out, body = append(out, '\r', '\n'), rest
	}
	return append(out, body...)
}

// trimBlanks takes the blanks off the end of a line.
func trimBlanks(line []byte) []byte {
	for len(line) > 0 && (line[len(line)-1] == ' ' || line[len(line)-1] == '\t') {
		line = line[:len(line)-1]
	}
	return line
}

// appendWithoutRuns appends a line, which does not end in a blank, with one blank for each
// run of them.
func appendWithoutRuns(dst, line []byte) []byte {
	word, blank := 0, false // where the last word begins, unless there is a blank
	for i, c := range line {
		switch isBlank := c == ' ' || c == '\t'; {
		case isBlank && !blank:
			dst, blank = append(dst, line[word:i]...), true
		case !isBlank && blank:
			dst, word, blank = append(dst, ' '), i, false
		}
	}
	return append(dst, line[word:]...)
}

// closes reports whether the signed part of the body holds the end of its parts.
func (s *signature) closes(m *signable) bool {
	way := 0
	if s.relaxedBody() {
		way = 1
	}
	if m.ends[way] == 0 {
		m.ends[way] = -1
		delimiter := []byte("\r\n--" + m.frame().Boundary + "--\r\n")
		if i := bytes.Index(m.canonicalBody(s.relaxedBody(), -1), delimiter); i >= 0 {
			m.ends[way] = i + len(delimiter)
		}
	}
	return m.ends[way] > 0 && (s.length < 0 || m.ends[way] <= s.length)
}
