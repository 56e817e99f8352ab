package identify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"
)

// expression is a regular expression with named groups.
type expression struct {
	re    *regexp.Regexp
	text  string       // that every match holds
	once  bool         // a match begins at the start of the value
	field [nFields]int // the group of each field, 0: none
	hmac  int          // the group of the HMAC, 0: none
	key   []byte
}

// needs finds out what is plain without running the expression.
func (e *expression) needs() error {
	tree, err := syntax.Parse(e.re.String(), syntax.Perl)
	if err != nil {
		return err
	}
	e.text, _ = e.re.LiteralPrefix()
	if text := literal(tree); len(text) > len(e.text) {
		e.text = text
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return err
	}
	e.once = prog.StartCond()&syntax.EmptyBeginText != 0
	return nil
}

// literal is the longest text that every match of a tree holds. U+FFFD is none: octets
// that are no UTF-8 match it.
func literal(tree *syntax.Regexp) (longest string) {
	switch tree.Op {
	case syntax.OpLiteral:
		if tree.Flags&syntax.FoldCase == 0 && !slices.Contains(tree.Rune, utf8.RuneError) {
			return string(tree.Rune)
		}
	case syntax.OpCapture, syntax.OpPlus:
		return literal(tree.Sub[0])
	case syntax.OpConcat:
		for _, sub := range tree.Sub {
			if text := literal(sub); len(text) > len(longest) {
				longest = text
			}
		}
	}
	return longest
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

// gives are the fields that have a group.
func (e *expression) gives() (all fields) {
	for i, group := range e.field {
		if group > 0 {
			all |= 1 << i
		}
	}
	return all
}

// maxMatches is how often an expression may match in one value. A value with more
// matches gives nothing.
const maxMatches = 16

// read joins what all matches give. Where two of them differ in a field, it
// is unclear which is meant.
func (e *expression) read(v string) (all found) {
	if !strings.Contains(v, e.text) {
		return all
	}
	first := e.re.FindStringSubmatchIndex(v)
	if first == nil {
		return all
	}
	matches := [][]int{first}
	if rest := v[first[1]:]; !e.once && rest != "" && strings.Contains(rest, e.text) { // there may be more
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
