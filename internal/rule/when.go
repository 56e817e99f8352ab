package rule

import (
	"errors"
	"fmt"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/fblwatch/fblwatch/report"
)

const (
	maxDepth      = 8     // of all, any and not within each other
	maxConditions = 1_000 // of one When
)

// When is a condition over the keys of a record: all of its keys must hold. A key holds
// if one of its values, such as an address of original.to, matches one of the patterns
// that the config names. The zero value holds for every record. A When is safe for
// concurrent use.
//
//	when: {event: complaint, source_ip: [192.0.2.0/24, 2001:db8::/32]}
//	when: {original_mail_from: "*@host-*.example.com", not: {class: trap}}
//	when: {any: [{original.subject: {re: "(?i)invoice"}}, {identity.tenant: {file: tenants.txt}}]}
type When struct{ conditions []condition }

// IsZero reports whether the When holds for every record.
func (w *When) IsZero() bool { return len(w.conditions) == 0 }

// Values is a record as a When looks at it.
type Values interface {
	// Column returns the value of a key that is known without reading the record, or
	// "" if the record does not have it.
	Column(key string) (value string, known bool)

	Record() (*report.Record, error)
}

// Match reports whether a record meets every condition. The error is that of Values.
func (w *When) Match(v Values) (bool, error) {
	for i := range w.conditions {
		if is, err := w.conditions[i].holds(v); !is || err != nil {
			return false, err
		}
	}
	return true, nil
}

// Err returns why a list file could not be read again; what it held before still
// counts.
func (w *When) Err() error {
	var failures []error
	for i := range w.conditions {
		c := &w.conditions[i]
		for j := range c.whens {
			failures = append(failures, c.whens[j].Err())
		}
		for _, p := range c.patterns {
			if p.list != nil {
				failures = append(failures, p.list.failure())
			}
		}
	}
	return errors.Join(failures...)
}

// UnmarshalYAML reads a When. Its errors begin with the key that is wrong.
func (w *When) UnmarshalYAML(n *yaml.Node) error {
	left := maxConditions
	parsed, err := parseWhen(n, maxDepth, &left)
	if err != nil {
		return err
	}
	*w = parsed
	return nil
}

func parseWhen(n *yaml.Node, depth int, left *int) (w When, err error) {
	if n.Kind != yaml.MappingNode {
		return w, fmt.Errorf("expected keys of a record with patterns, such as {event: complaint}")
	}
	if depth == 0 {
		return w, fmt.Errorf("all, any and not are more than %d deep", maxDepth)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		if *left--; *left < 0 {
			return w, fmt.Errorf("more than %d conditions; use a list file", maxConditions)
		}
		c := condition{key: key}
		switch key {
		case "all", "any":
			if c.of = ofAny; key == "all" {
				c.of = ofAll
			}
			if value.Kind != yaml.SequenceNode || len(value.Content) == 0 {
				return w, fmt.Errorf("%s: expected a list, such as [{event: complaint}, {class: trap}]", key)
			}
			for j, below := range value.Content {
				one, err := parseWhen(below, depth-1, left)
				if err != nil {
					return w, fmt.Errorf("%s[%d].%w", key, j, err)
				}
				c.whens = append(c.whens, one)
			}
		case "not":
			c.of = ofNot
			one, err := parseWhen(value, depth-1, left)
			if err != nil {
				return w, fmt.Errorf("not.%w", err)
			}
			c.whens = []When{one}
		default:
			if c.field, err = fieldOf(key); err != nil {
				return w, err
			}
			if c.patterns, err = parsePatterns(value, left); err != nil {
				return w, fmt.Errorf("%s: %w", key, err)
			}
		}
		w.conditions = append(w.conditions, c)
	}
	return w, nil
}

func parsePatterns(n *yaml.Node, left *int) ([]pattern, error) {
	values := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		values = n.Content
	}
	if len(values) == 0 {
		return nil, fmt.Errorf("the list is empty, so no record would match")
	}
	var patterns []pattern
	for _, value := range values {
		if *left--; *left < 0 {
			return nil, fmt.Errorf("more than %d patterns; use a list file", maxConditions)
		}
		p, err := parseOne(value)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

func parseOne(n *yaml.Node) (pattern, error) {
	switch {
	case n.Kind == yaml.ScalarNode:
		return parsePattern(n.Value)
	case n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[1].Kind == yaml.ScalarNode:
		switch value := n.Content[1].Value; n.Content[0].Value {
		case "re":
			return parseRE(value)
		case "file":
			return openList(value, time.Now)
		}
	}
	return pattern{}, fmt.Errorf("expected a pattern, {re: EXPRESSION} or {file: LIST}")
}
