package strictyaml

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

var (
	variable     = regexp.MustCompile(`\$?\$\{([^}]*)\}`)
	variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// nulls are the words that the decoder takes for no value.
var nulls = []string{"", "~", "null", "Null", "NULL"}

// prepareScalar expands the variables of a value, and has the decoder take text as
// text, whatever it looks like.
func (r *Reader) prepareScalar(n *yaml.Node, t reflect.Type, path string) error {
	text, err := r.expand(n.Value)
	if err == nil && isText(t) && r.IsPath != nil && r.IsPath(path[strings.LastIndexByte(path, '.')+1:]) {
		text, err = r.expandHome(text)
	}
	if err != nil {
		return r.errorf(n.Line, path, "%w", err)
	}
	if t == r.Secret && text != "" && text == n.Value {
		r.literals = append(r.literals, path)
	}
	if !isText(t) && !slices.Contains(nulls, text) {
		if text, err = plain(text, t); err != nil {
			return r.errorf(n.Line, path, "%w", err)
		}
	}
	n.Value = text
	if n.Tag, n.Style = "", 0; isText(t) || slices.Contains(nulls, text) { // an empty variable is not a number
		n.Tag, n.Style = "!!str", yaml.DoubleQuotedStyle
	}
	return nil
}

// plain returns a bool or a number in its one form. The decoder also takes yes and
// on, and reads 010 as 8.
func plain(text string, t reflect.Type) (string, error) {
	switch t.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return "", errors.New(expected(t))
		}
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return "", errors.New(expected(t))
		}
		return strconv.Itoa(n), nil
	}
	return text, nil
}

func (r *Reader) expand(s string) (string, error) {
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
		value, set := r.Env(name)
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

func (r *Reader) expandHome(s string) (string, error) {
	rest, ok := strings.CutPrefix(s, "~")
	if !ok || rest != "" && rest[0] != '/' {
		return s, nil
	}
	home, err := r.Home()
	return home + rest, err
}
