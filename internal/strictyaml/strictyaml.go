// Package strictyaml reads a YAML document into a struct, strictly. An unknown key,
// a key twice or a value of another type is an error with its line and, if there is
// one, the nearest known key. ${NAME} and ${NAME:-default} are environment
// variables, $${ is ${ itself. No error holds a value, which may be a secret.
package strictyaml

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/fblwatch/fblwatch/internal/nearest"
)

// Reader reads one YAML document. All its fields but Env may be zero.
type Reader struct {
	Name   string // of the file, for errors
	Env    func(name string) (value string, set bool)
	Home   func() (string, error) // what a leading ~ means
	IsPath func(key string) bool  // reports whether a key's value is a path: a leading ~ is expanded
	Secret reflect.Type           // of values that Literals lists

	literals []string
	places   map[[2]int]place // by line and column
}

// place is where a value goes to.
type place struct {
	n    *yaml.Node
	t    reflect.Type
	path string
}

var errManyDocuments = errors.New("more than one YAML document; leave out the --- lines")

// Literals lists the paths of the values of type Secret that Read found in the
// document itself, and not in a variable.
func (r *Reader) Literals() []string { return r.literals }

// Read sets v, a pointer to a struct with yaml tags. An empty value is as if its key
// were not there. Afterwards it asks each value that has a method Validate() error;
// such an error may begin with the path of the wrong value below it.
func (r *Reader) Read(data []byte, v any) error {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	var document yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s: the file is empty", r.Name)
	case err != nil:
		return r.syntax(err)
	}
	if err := loader.Load(new(yaml.Node)); err == nil {
		return fmt.Errorf("%s: %w", r.Name, errManyDocuments)
	} else if !errors.Is(err, io.EOF) {
		return r.syntax(err)
	}
	root := document.Content[0]
	if isNull(root) {
		return fmt.Errorf("%s: the file is empty", r.Name)
	}
	r.places = make(map[[2]int]place)
	if err := r.prepare(root, reflect.TypeOf(v).Elem(), ""); err != nil {
		return err
	}
	if err := root.Load(v, yaml.WithKnownFields()); err != nil {
		return r.reword(err)
	}
	return r.validate(root, reflect.ValueOf(v).Elem(), "")
}

// syntax rewords a parser's error, without the text that it may quote.
func (r *Reader) syntax(err error) error {
	where := r.Name
	if load := (*yaml.LoadError)(nil); errors.As(err, &load) && load.Mark.Line > 0 {
		where = fmt.Sprintf("%s:%d", r.Name, load.Mark.Line)
	}
	return fmt.Errorf("%s: not valid YAML here or just before; mind the indentation, and quote values that begin with * & ! %% @ ` { or [", where)
}

func (r *Reader) errorf(line int, path, format string, args ...any) error {
	where := fmt.Sprintf("%s:%d: ", r.Name, line)
	if path != "" {
		where += path + ": "
	}
	return fmt.Errorf(where+format, args...)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// prepare makes n, which is to become a t, ready for the decoder: it refuses what a
// config does not need, drops empty values, expands variables and notes the places.
func (r *Reader) prepare(n *yaml.Node, t reflect.Type, path string) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return r.errorf(n.Line, path, "anchors, aliases and tags are not known here; quote a value that begins with & * or !")
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	r.places[[2]int{n.Line, n.Column}] = place{n, t, path}
	switch {
	case readsNode(t):
		return r.prepareTree(n, path)
	case n.Kind == yaml.ScalarNode:
		return r.prepareScalar(n, t, path)
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, item := range n.Content {
			below := fmt.Sprintf("%s[%d]", path, i)
			if isNull(item) {
				return r.errorf(item.Line, below, "is empty")
			}
			if err := r.prepare(item, t.Elem(), below); err != nil {
				return err
			}
		}
	case n.Kind == yaml.MappingNode && hasKeys(t):
		return r.prepareMapping(n, t, path)
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		return r.prepareMap(n, t, path)
	}
	return nil
}

func (r *Reader) prepareMapping(n *yaml.Node, t reflect.Type, path string) error {
	fields, lines := fieldsOf(t), make(map[string]int)
	var pairs []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			return r.errorf(key.Line, path, "a key must be a word")
		}
		field, known := fields[key.Value]
		if !known {
			return r.unknown(key, path, fields)
		}
		if line, twice := lines[key.Value]; twice {
			return r.errorf(key.Line, path, "key %q is here and in line %d", key.Value, line)
		}
		lines[key.Value] = key.Line
		if isNull(value) {
			continue
		}
		if err := r.prepare(value, t.FieldByIndex(field).Type, join(path, key.Value)); err != nil {
			return err
		}
		pairs = append(pairs, key, value)
	}
	n.Content = pairs
	return nil
}

// prepareMap is prepareMapping for a map, which takes any key.
func (r *Reader) prepareMap(n *yaml.Node, t reflect.Type, path string) error {
	lines := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			return r.errorf(key.Line, path, "a key must be a word")
		}
		if line, twice := lines[key.Value]; twice {
			return r.errorf(key.Line, path, "key %q is here and in line %d", key.Value, line)
		}
		lines[key.Value] = key.Line
		key.Tag, key.Style = "!!str", yaml.DoubleQuotedStyle
		if isNull(value) {
			return r.errorf(value.Line, join(path, key.Value), "is empty")
		}
		if err := r.prepare(value, t.Elem(), join(path, key.Value)); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reader) unknown(key *yaml.Node, path string, fields map[string][]int) error {
	known := slices.Sorted(maps.Keys(fields))
	if near := nearest.Word(key.Value, known); near != "" {
		return r.errorf(key.Line, path, "unknown key %q; did you mean %q?", key.Value, near)
	}
	return r.errorf(key.Line, path, "unknown key %q; known are %s", key.Value, strings.Join(known, ", "))
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// inline is the tag of a struct whose keys are those of the one that holds it.
const inline = ",inline"

// fieldsOf gives the index of each field that has a key, see reflect.Value.FieldByIndex.
func fieldsOf(t reflect.Type) map[string][]int {
	fields := make(map[string][]int)
	for i := range t.NumField() {
		switch key := t.Field(i).Tag.Get("yaml"); key {
		case "", "-":
		case inline:
			for below, index := range fieldsOf(t.Field(i).Type) {
				fields[below] = append([]int{i}, index...)
			}
		default:
			fields[key] = []int{i}
		}
	}
	return fields
}

func hasKeys(t reflect.Type) bool { return t.Kind() == reflect.Struct && len(fieldsOf(t)) > 0 }

// isText reports whether a t reads its own text, or is text.
func isText(t reflect.Type) bool {
	return t.Kind() == reflect.String || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// expected says what a t is made of.
func expected(t reflect.Type) string {
	switch {
	case isText(t):
		return "expected text"
	case t == reflect.TypeFor[time.Duration]():
		return "expected a time such as 5s"
	case t.Kind() == reflect.Struct:
		return "expected keys with values, of " + strings.Join(slices.Sorted(maps.Keys(fieldsOf(t))), ", ")
	case t.Kind() == reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return "expected a list: a line for each item, which begins with a dash"
		}
		return "expected a list, such as [a, b]"
	case t.Kind() == reflect.Map:
		return "expected keys with values, such as {a: b}"
	case t.Kind() == reflect.Bool:
		return "expected true or false"
	}
	return "expected a number"
}

// reword says in our words what the decoder found wrong first: its own quote values.
func (r *Reader) reword(err error) error {
	load := (*yaml.LoadError)(nil)
	if !errors.As(err, &load) {
		return r.syntax(err)
	}
	at, known := r.places[[2]int{load.Mark.Line, load.Mark.Column}]
	switch {
	case !known:
		return r.syntax(err)
	case isText(at.t) && at.n.Kind == yaml.ScalarNode, readsNode(at.t):
		return r.errorf(load.Mark.Line, at.path, "%w", load.Unwrap())
	}
	return r.errorf(load.Mark.Line, at.path, "%s", expected(at.t))
}

// validate asks each value whether it can work, the inner ones first.
func (r *Reader) validate(n *yaml.Node, v reflect.Value, path string) error {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch {
	case readsNode(v.Type()): // what is below it is its own
	case n.Kind == yaml.SequenceNode:
		for i, item := range n.Content {
			if err := r.validate(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case n.Kind == yaml.MappingNode:
		if v.Kind() == reflect.Map {
			break
		}
		fields := fieldsOf(v.Type())
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if err := r.validate(n.Content[i+1], v.FieldByIndex(fields[key]), join(path, key)); err != nil {
				return err
			}
		}
	}
	if valid, ok := v.Interface().(interface{ Validate() error }); ok && n.Kind != yaml.ScalarNode {
		if err := valid.Validate(); err != nil {
			return r.errorf(named(n, err.Error()).Line, path, "%w", err)
		}
	}
	return nil
}

const maxNamed = 16 // steps of a path in an error

// named returns the value whose path text begins with, such as "own.ips[0] is not an
// address"; or the nearest one above it, n at least.
func named(n *yaml.Node, text string) *yaml.Node {
	for range maxNamed {
		var next *yaml.Node
		switch n.Kind {
		case yaml.MappingNode:
			text = strings.TrimLeft(text, ".: ")
			for i := 0; i+1 < len(n.Content); i += 2 {
				rest, found := strings.CutPrefix(text, n.Content[i].Value)
				if found && (rest == "" || strings.ContainsAny(rest[:1], ".[: ")) {
					next, text = n.Content[i+1], rest
					break
				}
			}
		case yaml.SequenceNode:
			for i := range n.Content {
				if rest, found := strings.CutPrefix(text, fmt.Sprintf("[%d]", i)); found {
					next, text = n.Content[i], rest
					break
				}
			}
		}
		if next == nil {
			break
		}
		n = next
	}
	return n
}
