package main

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/fblwatch/fblwatch/imapclient"
)

// yamlReader reads one YAML document into a struct, strictly: an unknown key, a
// key twice or a value of another type is an error with its line. ${NAME} and
// ${NAME:-default} stand for variables, $${ for ${ itself. No error holds a
// value, which may be a secret.
type yamlReader struct {
	name string // of the file
	env  func(string) (string, bool)

	secrets []string // the keys whose secrets stand in the file itself
}

var errManyDocuments = errors.New("more than one YAML document; leave out the --- lines")

// read sets v, a pointer to a struct. Each struct that has a Validate method is
// asked once its keys are read.
func (y *yamlReader) read(data []byte, v any) error {
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return err
	}
	var document yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s: the file is empty", y.name)
	case err != nil:
		return y.syntax(err)
	}
	if err := loader.Load(new(yaml.Node)); err == nil {
		return fmt.Errorf("%s: %w", y.name, errManyDocuments)
	} else if !errors.Is(err, io.EOF) {
		return y.syntax(err)
	}
	root := &document
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		root = root.Content[0]
	}
	if isNull(root) {
		return fmt.Errorf("%s: the file is empty", y.name)
	}
	return y.decode(root, reflect.ValueOf(v).Elem(), "")
}

// syntax words an error of the YAML library, without the text it may quote.
func (y *yamlReader) syntax(err error) error {
	where := y.name
	if load := (*yaml.LoadError)(nil); errors.As(err, &load) && load.Mark.Line > 0 {
		where = fmt.Sprintf("%s:%d", y.name, load.Mark.Line)
	}
	return fmt.Errorf("%s: not valid YAML here or just before; mind the indentation, and quote values that begin with * & ! %% @ ` { or [", where)
}

func (y *yamlReader) errorf(n *yaml.Node, path, format string, args ...any) error {
	where := fmt.Sprintf("%s:%d: ", y.name, n.Line)
	if path != "" {
		where += path + ": "
	}
	return fmt.Errorf(where+format, args...)
}

func isNull(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0
}

func (y *yamlReader) decode(n *yaml.Node, v reflect.Value, path string) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return y.errorf(n, path, "anchors, aliases and tags are not known here; quote a value that begins with & * or !")
	}
	if isNull(n) {
		return nil // as if the key were not there
	}
	if text, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok && !(n.Kind == yaml.MappingNode && hasKeys(v.Type())) {
		return y.scalar(n, path, "text", func(s string) error { return text.UnmarshalText([]byte(s)) })
	}
	if d, ok := v.Addr().Interface().(*time.Duration); ok {
		return y.scalar(n, path, "a time such as 5s", func(s string) (err error) {
			if *d, err = time.ParseDuration(s); err != nil {
				err = errors.New("expected a time such as 5s")
			}
			return err
		})
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return y.decode(n, v.Elem(), path)
	case reflect.Struct:
		return y.mapping(n, v, path)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			return y.errorf(n, path, "expected a list")
		}
		v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
		for i, item := range n.Content {
			if isNull(item) {
				return y.errorf(item, fmt.Sprintf("%s[%d]", path, i), "is empty")
			}
			if err := y.decode(item, v.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
		return y.validate(n, v, path)
	case reflect.String:
		return y.scalar(n, path, "text", func(s string) error {
			if isPath(path) {
				var err error
				if s, err = y.expandHome(s); err != nil {
					return err
				}
			}
			if _, secret := v.Interface().(imapclient.Secret); secret && s != "" && s == n.Value {
				y.secrets = append(y.secrets, path)
			}
			v.SetString(s)
			return nil
		})
	case reflect.Bool:
		return y.scalar(n, path, "true or false", func(s string) error {
			if s != "true" && s != "false" {
				return errors.New("expected true or false")
			}
			v.SetBool(s == "true")
			return nil
		})
	case reflect.Int:
		return y.scalar(n, path, "a number", func(s string) error {
			i, err := strconv.Atoi(s)
			if err != nil {
				return errors.New("expected a number")
			}
			v.SetInt(int64(i))
			return nil
		})
	}
	panic("yaml: no way to read a " + v.Type().String())
}

// hasKeys reports whether a value can also be written as keys.
func hasKeys(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.NumField() > 0 && t.Field(0).Tag.Get("yaml") != ""
}

func (y *yamlReader) mapping(n *yaml.Node, v reflect.Value, path string) error {
	if n.Kind != yaml.MappingNode {
		return y.errorf(n, path, "expected keys with values")
	}
	fields := map[string]reflect.Value{}
	var known []string
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if key == "" || key == "-" {
			continue
		}
		fields[key] = v.Field(i)
		known = append(known, key)
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode {
			return y.errorf(key, path, "a key must be a word")
		}
		field, ok := fields[key.Value]
		if !ok {
			if near := nearest(key.Value, known); near != "" {
				return y.errorf(key, path, "unknown key %q; did you mean %q?", key.Value, near)
			}
			return y.errorf(key, path, "unknown key %q; known are %s", key.Value, strings.Join(slices.Sorted(slices.Values(known)), ", "))
		}
		if line, twice := lines[key.Value]; twice {
			return y.errorf(key, path, "key %q stands here and in line %d", key.Value, line)
		}
		lines[key.Value] = key.Line
		below := key.Value
		if path != "" {
			below = path + "." + key.Value
		}
		if err := y.decode(value, field, below); err != nil {
			return err
		}
	}
	return y.validate(n, v, path)
}

// validate asks a value that has been read whether it can work.
func (y *yamlReader) validate(n *yaml.Node, v reflect.Value, path string) error {
	if valid, ok := v.Interface().(interface{ Validate() error }); ok {
		if err := valid.Validate(); err != nil {
			return y.errorf(named(n, err.Error()), path, "%w", err)
		}
	}
	return nil
}

// named is the value that text begins with the path of, such as "own.ips[0] is no
// address"; or the one nearest to it, n at least.
func named(n *yaml.Node, text string) *yaml.Node {
	for range maxNamed {
		if n.Kind == yaml.AliasNode {
			n = n.Alias
		}
		var next *yaml.Node
		switch n.Kind {
		case yaml.DocumentNode:
			next = n.Content[0]
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

// scalar expands the variables of a scalar and sets it.
func (y *yamlReader) scalar(n *yaml.Node, path, expected string, set func(string) error) error {
	if n.Kind != yaml.ScalarNode {
		return y.errorf(n, path, "expected %s", expected)
	}
	text, err := y.expand(n.Value)
	if err == nil {
		err = set(text)
	}
	if err != nil {
		return y.errorf(n, path, "%w", err)
	}
	return nil
}

const maxNamed = 16 // steps of a path in an error

var variable = regexp.MustCompile(`\$?\$\{([^}]*)\}`)
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (y *yamlReader) expand(s string) (string, error) {
	var wrong error
	expanded := variable.ReplaceAllStringFunc(s, func(match string) string {
		if strings.HasPrefix(match, "$$") {
			return match[1:]
		}
		name, fallback, hasFallback := strings.Cut(match[len("${"):len(match)-1], ":-")
		if !variableName.MatchString(name) {
			wrong = errors.New("${...} holds no name of a variable; write $${ for a plain ${")
			return ""
		}
		value, set := y.env(name)
		switch {
		case value != "" || set && !hasFallback:
			return value
		case hasFallback:
			return fallback
		}
		wrong = fmt.Errorf("the environment variable %s is not set", name)
		return ""
	})
	return expanded, wrong
}

// isPath says whether the key at path holds the name of a file.
func isPath(path string) bool {
	key := path[strings.LastIndexByte(path, '.')+1:]
	return key == "ledger" || key == "file" || strings.HasSuffix(key, "_file")
}

func (y *yamlReader) expandHome(s string) (string, error) {
	rest, ok := strings.CutPrefix(s, "~")
	if !ok || rest != "" && rest[0] != '/' {
		return s, nil
	}
	home, err := homeDir(y.env)
	return home + rest, err
}
