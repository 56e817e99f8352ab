package identify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/plainfile"
)

// Config says how to find subscribers.
type Config struct {
	// Presets selects the built-in rules, which come after Rules: "auto" or empty (all
	// of them), "none", or names separated by commas.
	Presets string `yaml:"presets"`
	Rules   []Rule `yaml:"rules"`
}

// Rule reads the values of one source, either by Match or by Decode.
type Rule struct {
	Name string `yaml:"name"` // as in records; empty: "rule " and its number from 1. With Verify it must be unique

	// From is original:H (a field of the reported message's header), report:F (a
	// field of the report part), outer:H (of the report's own message), text (the
	// part for a reader), rcpt (the recipient that the report names) or mailfrom
	// (the reported message's Return-Path and Original-Mail-From, both tried).
	From string `yaml:"from"`

	// Match is a regular expression (RE2) with at least one of the named groups
	// subscriber, campaign, tenant and message_id. All matches in a value count: if
	// two of them differ, the value gives nothing.
	Match string `yaml:"match"`

	// Decode is the name of a built-in rule, for a field with another name than
	// usual: kumoref, msfbl, verp, list-unsubscribe and others.
	Decode string `yaml:"decode"`

	When   When    `yaml:"when"`
	Verify *Verify `yaml:"verify"`
}

// When restricts a rule to some messages. The zero value means all.
type When struct {
	FromDomain string `yaml:"from_domain"` // the reported message's From: this domain or one below it
}

// Verify restricts a rule to values that the sender signed. Match then also needs a
// group hmac, before or after all other groups. It is the HMAC (RFC 2104), in
// hexadecimal or base64, of the text from the start of the first other group to the end
// of the last one. The HMAC may be cut to 16 octets or more.
type Verify struct {
	HMAC    string `yaml:"hmac"`     // sha256
	KeyFile string `yaml:"key_file"` // at least 16 octets, without the line breaks at its end
}

// label returns the name of the n-th rule, from 0, in errors and records.
func (r *Rule) label(n int) string {
	if r.Name != "" {
		return r.Name
	}
	return fmt.Sprintf("rule %d", n+1)
}

// Validate checks the config without its key files. An error names its rule.
func (c Config) Validate() error {
	if _, err := c.presets(); err != nil {
		return fmt.Errorf("presets: %w", err)
	}
	names := make(map[string]int)
	for i := range c.Rules {
		if _, err := c.Rules[i].compile(nil); err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
		names[c.Rules[i].label(i)]++
	}
	for _, name := range presetNames() {
		names[name]++
	}
	for i := range c.Rules {
		if r := &c.Rules[i]; r.Verify != nil && names[r.label(i)] > 1 {
			return fmt.Errorf("rule %d: name: a rule with verify needs a name that no other rule and no preset has", i+1)
		}
	}
	return nil
}

// presets returns the selected built-in rules.
func (c Config) presets() ([]builtin, error) {
	switch names := strings.TrimSpace(c.Presets); names {
	case "", "auto":
		return builtins, nil
	case "none":
		return nil, nil
	default:
		var on []builtin
		wanted := strings.FieldsFunc(names, func(c rune) bool { return c == ',' || c == ' ' })
		for _, name := range wanted {
			if !slices.ContainsFunc(builtins, func(b builtin) bool { return b.name == name }) {
				return nil, fmt.Errorf("has a name that is none of auto, none, %s", strings.Join(presetNames(), ", "))
			}
		}
		for _, b := range builtins {
			if slices.Contains(wanted, b.name) {
				on = append(on, b)
			}
		}
		return on, nil
	}
}

// presetNames returns the names of the built-in rules.
func presetNames() []string {
	var names []string
	for _, b := range builtins {
		if !slices.Contains(names, b.name) {
			names = append(names, b.name)
		}
	}
	return names
}

// decoders returns the decoders of the presets with a single rule.
func decoders() map[string]decoder {
	all, rules := make(map[string]decoder), make(map[string]int)
	for i := range builtins {
		all[builtins[i].name] = builtins[i].read
		rules[builtins[i].name]++
	}
	maps.DeleteFunc(all, func(name string, _ decoder) bool { return rules[name] > 1 })
	return all
}

// compile returns the rule in the form that runs. key is the content of its key file.
func (r *Rule) compile(key []byte) (rule, error) {
	from, err := parseSource(r.From)
	if err != nil {
		return rule{}, err
	}
	c := rule{from: []source{from}, domain: strings.ToLower(strings.Trim(r.When.FromDomain, "."))}
	if strings.ContainsAny(c.domain, "*@/:, ") {
		return rule{}, errors.New("when: from_domain is not a domain; write it without a wildcard: domains below it match too")
	}
	switch {
	case (r.Match == "") == (r.Decode == ""):
		return rule{}, errors.New("match: a rule has either match or decode")
	case r.Decode != "" && r.Verify != nil:
		return rule{}, errors.New("verify: needs match")
	case r.Decode != "":
		known := decoders()
		if c.read, c.gives = known[r.Decode], anyField; c.read == nil {
			return rule{}, fmt.Errorf("decode is none of %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		c.from[0].uris = r.Decode == "list-unsubscribe"
		return c, nil
	}
	re, err := regexp.Compile(r.Match)
	if err != nil {
		return rule{}, fmt.Errorf("match: %s", problem(err))
	}
	e := expression{re: re, key: key}
	if err := e.needs(); err != nil {
		return rule{}, fmt.Errorf("match: %s", problem(err))
	}
	if err := e.groups(r.Verify != nil); err != nil {
		return rule{}, fmt.Errorf("match: %w", err)
	}
	if v := r.Verify; v != nil {
		c.verified = true
		if v.HMAC != "sha256" {
			return rule{}, errors.New("verify: hmac must be sha256")
		}
		if v.KeyFile == "" {
			return rule{}, errors.New("verify: key_file is missing")
		}
	}
	c.read, c.gives = e.read, e.gives()
	return c, nil
}

// problem returns what is wrong with an expression, without quoting it.
func problem(err error) string {
	if e := (*syntax.Error)(nil); errors.As(err, &e) {
		return e.Code.String()
	}
	return "not a regular expression"
}

// maxKey is the largest key file, in octets.
const maxKey = 64 << 10

// readKey reads a key file.
func readKey(name string) ([]byte, error) {
	key, err := plainfile.Read(context.Background(), name, maxKey)
	if err != nil {
		return nil, err
	}
	if key = bytes.TrimRight(key, "\r\n"); len(key) < 16 {
		return nil, fmt.Errorf("%s: a key needs at least 16 octets", name)
	}
	return key, nil
}

// parseSource parses a rule's From.
func parseSource(from string) (source, error) {
	kind, name, named := strings.Cut(from, ":")
	s := source{kind: kind, name: strings.TrimSpace(name)}
	switch kind {
	case "text", "rcpt", "mailfrom":
		if !named {
			return s, nil
		}
	case "original", "report", "outer":
		if named && s.name != "" && !strings.ContainsFunc(s.name, func(c rune) bool { return c <= ' ' || c > '~' || c == ':' }) {
			return s, nil
		}
	}
	return source{}, errors.New("from is none of original:NAME, report:NAME, outer:NAME, text, rcpt and mailfrom")
}
