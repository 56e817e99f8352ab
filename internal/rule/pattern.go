package rule

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

const (
	maxPattern = 1_000 // octets of a pattern
	maxValue   = 8_000 // octets of a value that patterns look at
)

// pattern is what a value must be like. Letters of ASCII are equal without regard to
// case, except in a regular expression.
type pattern struct {
	exact          string // in lower case
	prefix, suffix string // in lower case, of a pattern with one *; both may be empty
	re             *regexp.Regexp
	network        netip.Prefix
	list           *list
	form           form
}

type form int

const (
	formExact form = iota
	formStar
	formRE
	formNetwork
	formList
)

var errLong = fmt.Errorf("a pattern has at most %d octets", maxPattern)

// parsePattern reads a value: * is any text, ? any one character; \* and \? are these
// characters themselves. A network such as 192.0.2.0/24 holds addresses.
func parsePattern(text string) (pattern, error) {
	if len(text) > maxPattern {
		return pattern{}, errLong
	}
	if network, err := netip.ParsePrefix(text); err == nil {
		if network != network.Masked() {
			return pattern{}, fmt.Errorf("%s has bits beside its network; write %s", text, network.Masked())
		}
		return pattern{form: formNetwork, network: network}, nil
	}
	plain, expression, stars, marks := strings.Builder{}, strings.Builder{}, 0, 0
	cut := 0 // of plain, where the star is
	for rest := text; rest != ""; {
		switch c := rest[0]; {
		case c == '*':
			stars, cut = stars+1, plain.Len()
			expression.WriteString(".*")
			rest = rest[1:]
		case c == '?':
			marks++
			expression.WriteString(".")
			rest = rest[1:]
		default:
			if c == '\\' && len(rest) > 1 && strings.IndexByte(`*?\`, rest[1]) >= 0 {
				rest = rest[1:]
			}
			end := 1 + strings.IndexAny(rest[1:], `*?\`)
			if end == 0 {
				end = len(rest)
			}
			plain.WriteString(rest[:end])
			expression.WriteString(regexp.QuoteMeta(rest[:end]))
			rest = rest[end:]
		}
	}
	lower := strings.ToLower(plain.String())
	switch {
	case stars == 0 && marks == 0:
		return pattern{exact: lower}, nil
	case stars == 1 && marks == 0 && len(lower) == plain.Len():
		return pattern{form: formStar, prefix: lower[:cut], suffix: lower[cut:]}, nil
	}
	re, err := regexp.Compile("(?is)^" + expression.String() + "$")
	return pattern{form: formRE, re: re}, err
}

func parseRE(text string) (pattern, error) {
	if len(text) > maxPattern {
		return pattern{}, errLong
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return pattern{}, errors.New("re is no regular expression (RE2)")
	}
	return pattern{form: formRE, re: re}, nil
}

func (p *pattern) matches(value string) bool {
	if len(value) > maxValue {
		value = value[:maxValue]
	}
	switch p.form {
	case formExact:
		return equalFold(value, p.exact)
	case formStar:
		n := len(p.prefix) + len(p.suffix)
		return len(value) >= n && equalFold(value[:len(p.prefix)], p.prefix) && equalFold(value[len(value)-len(p.suffix):], p.suffix)
	case formRE:
		return p.re.MatchString(value)
	case formNetwork:
		address, err := netip.ParseAddr(value)
		return err == nil && p.network.Contains(address.Unmap())
	}
	return p.list.holds(value)
}

// equalFold is strings.EqualFold for a text that is in lower case, and fast if they
// differ in length.
func equalFold(s, lower string) bool {
	return len(s) == len(lower) && strings.EqualFold(s, lower)
}

// condition is one key of a When.
type condition struct {
	of       of
	key      string
	field    field
	patterns []pattern // one of them
	whens    []When    // of all, any and not
}

type of int

const (
	ofField of = iota
	ofAll
	ofAny
	ofNot
)

func (c *condition) holds(v Values) (bool, error) {
	switch c.of {
	case ofAll, ofAny:
		for i := range c.whens {
			if is, err := c.whens[i].Match(v); err != nil || is == (c.of == ofAny) {
				return is, err
			}
		}
		return c.of == ofAll, nil
	case ofNot:
		is, err := c.whens[0].Match(v)
		return !is && err == nil, err
	}
	if value, known := v.Column(c.key); known {
		return value != "" && c.matches(value), nil
	}
	r, err := v.Record()
	if err != nil {
		return false, err
	}
	return c.field.any(r, c.matches), nil
}

func (c *condition) matches(value string) bool {
	for i := range c.patterns {
		if c.patterns[i].matches(value) {
			return true
		}
	}
	return false
}
