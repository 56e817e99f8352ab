package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"regexp"
	"strings"
	"text/template"
	"text/template/parse"
	"unicode/utf8"
)

// body is a text/template over a record, by its keys. What an action prints is escaped
// for its place: within a string of JSON or a value of a form. {{json .KEY}} prints any
// value as JSON, where no string is open.
type body struct {
	template *template.Template
	form     bool // application/x-www-form-urlencoded
}

const maxBody = 1 << 20 // octets

// errMissing is an action that prints a value which the record lacks.
type errMissing struct{ action string }

func (e errMissing) Error() string { return "no value for " + e.action }

// The errors of newBody never hold a piece of the template: it may be a secret.
var (
	errContentType = errors.New("content_type is neither JSON nor application/x-www-form-urlencoded")
	errBodyUTF8    = errors.New("body is not UTF-8")
	errNoJSON      = errors.New("is not valid JSON once it is filled in")
	errBodyList    = errors.New("prints a list or an object; use json, or range")
	errBodyLong    = fmt.Errorf("is longer than %d octets", maxBody)
)

func newBody(text, contentType string) (*body, error) {
	b := new(body)
	switch media, _, err := mime.ParseMediaType(contentType); {
	case err == nil && media == "application/x-www-form-urlencoded":
		b.form = true
	case err != nil || media != "application/json" && !strings.HasSuffix(media, "+json"):
		return nil, errContentType
	case !utf8.ValidString(text):
		return nil, errBodyUTF8
	}
	t, err := template.New("body").Funcs(template.FuncMap{"json": toJSON, escaper: b.escape}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("body is no text/template%s; see pkg.go.dev/text/template", line(err))
	}
	for _, each := range t.Templates() {
		escapeActions(each.Root)
	}
	b.template = t
	switch _, err := b.execute(sample()); {
	case errors.As(err, new(errMissing)):
		return nil, fmt.Errorf("body asks for a key that no record has%s", line(err))
	case errors.Is(err, errNoJSON):
		return nil, fmt.Errorf("body %w; put values within quotes, or print them with json and without quotes", err)
	case err != nil:
		return nil, fmt.Errorf("body %w", plain(err))
	}
	return b, nil
}

var lineOf = regexp.MustCompile(`^template: body:(\d+)`)

// line is the line of a template that an error is about.
func line(err error) string {
	if m := lineOf.FindStringSubmatch(err.Error()); m != nil {
		return ", line " + m[1]
	}
	return ""
}

// plain is an error of a template without its text.
func plain(err error) error {
	for _, known := range []error{errNoJSON, errBodyList, errBodyLong} {
		if errors.Is(err, known) {
			return fmt.Errorf("%w%s", known, line(err))
		}
	}
	return fmt.Errorf("cannot be filled in%s", line(err))
}

// execute fills the template in.
func (b *body) execute(f fields) ([]byte, error) {
	w := &bounded{}
	if err := b.template.Execute(w, map[string]any(f)); err != nil {
		return nil, err
	}
	text := w.Bytes()
	if b.form {
		return text, nil
	}
	if !json.Valid(text) {
		return nil, errNoJSON
	}
	return bytes.ReplaceAll(text, []byte{mark}, nil), nil
}

// bounded is a buffer of at most maxBody octets.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxBody {
		return 0, errBodyLong
	}
	return b.Buffer.Write(p)
}

// mark is before and behind each value that is printed without json. It is no UTF-8, so
// that neither the template nor a value holds it, and JSON has it within strings only:
// a value outside of one makes the body invalid.
const mark = 0xff

// verbatim is JSON. A line break is before and behind it, which JSON has outside of
// strings only.
type verbatim string

func toJSON(v any) (verbatim, error) {
	if v == nil {
		return "", nil // escape says so
	}
	text, err := marshal(v)
	return verbatim("\n" + string(text) + "\n"), err
}

// escaper is the name of the function that ends each action's pipeline.
const escaper = "_escape"

// escape returns the text of a value for its place. action is how the template names it.
func (b *body) escape(action string, v any) (string, error) {
	if v == nil || v == "" || v == verbatim("") {
		return "", errMissing{action}
	}
	text := ""
	switch v := v.(type) {
	case verbatim:
		if !b.form {
			return string(v), nil
		}
		text = strings.Trim(string(v), "\n")
	case string:
		text = v
	case json.Number, bool, int:
		return fmt.Sprint(v), nil
	default:
		return "", errBodyList
	}
	if b.form {
		return url.QueryEscape(text), nil
	}
	quoted, err := marshal(text)
	if err != nil {
		return "", err
	}
	quoted[0], quoted[len(quoted)-1] = mark, mark
	return string(quoted), nil
}

// escapeActions has every action below n that prints end with the escaper.
func escapeActions(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, each := range n.Nodes {
			escapeActions(each)
		}
	case *parse.IfNode:
		escapeActions(n.List)
		escapeActions(n.ElseList)
	case *parse.RangeNode:
		escapeActions(n.List)
		escapeActions(n.ElseList)
	case *parse.WithNode:
		escapeActions(n.List)
		escapeActions(n.ElseList)
	case *parse.ActionNode:
		if len(n.Pipe.Decl) > 0 {
			return // a variable
		}
		action := n.Pipe.String()
		n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: n.Pos, Args: []parse.Node{
			parse.NewIdentifier(escaper).SetPos(n.Pos),
			&parse.StringNode{NodeType: parse.NodeString, Pos: n.Pos, Quoted: fmt.Sprintf("%q", action), Text: action},
		}})
	}
}
