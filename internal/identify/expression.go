package identify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// expression is a regular expression with named groups.
type expression struct {
	re     *regexp.Regexp
	prefix string       // the start of every match
	field  [nFields]int // the group of each field, 0: none
	hmac   int          // the group of the HMAC, 0: none
	key    []byte
}

// groups finds the groups by their names.
func (e *expression) groups(signed bool) error {
	first, last := 0, 0
	for i, name := range e.re.SubexpNames() {
		f := slices.Index(fieldNames[:], name)
		switch {
		case name == "":
			continue
		case name == "hmac" && signed:
			if e.hmac > 0 {
				return errors.New("the group hmac occurs twice")
			}
			e.hmac = i
			continue
		case name == "hmac":
			return errors.New("the group hmac needs verify, which names the key")
		case f < 0:
			return fmt.Errorf("a named group is none of %s", strings.Join(fieldNames[:], ", "))
		case e.field[f] > 0:
			return fmt.Errorf("the group %q occurs twice", name)
		}
		e.field[f] = i
		if first == 0 {
			first = i
		}
		last = i
	}
	switch {
	case first == 0:
		return fmt.Errorf("it has no named group: %s", strings.Join(fieldNames[:], ", "))
	case signed && e.hmac == 0:
		return errors.New("it has no group hmac for verify")
	case signed && first < e.hmac && e.hmac < last:
		return errors.New("the group hmac is between the others")
	}
	return nil
}

// maxMatches is how often an expression may match in one value. A value with more
// matches gives nothing.
const maxMatches = 16

// read joins what all matches give. Where two of them differ in a field, it
// is unclear which is meant.
func (e *expression) read(v string) (all found) {
	first := e.re.FindStringSubmatchIndex(v)
	if first == nil {
		return all
	}
	matches := [][]int{first}
	if rest := v[first[1]:]; rest != "" && strings.Contains(rest, e.prefix) { // there may be more
		if matches = e.re.FindAllStringSubmatchIndex(v, maxMatches+1); len(matches) > maxMatches {
			return found{}
		}
	}
	for _, m := range matches {
		for i, value := range e.match(v, m) {
			if value != "" && !all.set(i, value) {
				return found{}
			}
		}
	}
	return all
}

// match returns the fields of one match. If a signature is needed and not there, it
// returns nothing.
func (e *expression) match(v string, m []int) (f found) {
	start, end := len(v), 0
	for i, group := range e.field {
		if group == 0 || m[2*group] < 0 {
			continue
		}
		f[i] = v[m[2*group]:m[2*group+1]]
		start, end = min(start, m[2*group]), max(end, m[2*group+1])
	}
	if e.hmac > 0 {
		at, to := m[2*e.hmac], m[2*e.hmac+1]
		if at < 0 || start >= end || at < end && start < to || !e.signed(v[start:end], v[at:to]) {
			return found{}
		}
	}
	return f
}

// signed reports whether tag is the HMAC of text.
func (e *expression) signed(text, tag string) bool {
	sum, err := hex.DecodeString(tag)
	if err != nil {
		sum, err = unbase64(tag)
	}
	if err != nil || len(sum) < 16 || len(sum) > sha256.Size || len(e.key) == 0 {
		return false
	}
	mac := hmac.New(sha256.New, e.key)
	mac.Write([]byte(text))
	return hmac.Equal(mac.Sum(nil)[:len(sum)], sum)
}

// unbase64 decodes either alphabet of base64 (RFC 4648), with or without padding.
func unbase64(v string) ([]byte, error) {
	v = strings.TrimRight(v, "=")
	if strings.ContainsAny(v, "-_") {
		return base64.RawURLEncoding.DecodeString(v)
	}
	return base64.RawStdEncoding.DecodeString(v)
}
