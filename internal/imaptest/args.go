package imaptest

import (
	"errors"
	"strconv"
	"strings"
)

// literalSize reads the "{n}" or "{n+}" at the end of a line (RFC 7888). sync is true
// if the client waits for a "+".
func literalSize(line string) (n int, sync, ok bool) {
	open := strings.LastIndexByte(line, '{')
	if open < 0 || !strings.HasSuffix(line, "}") {
		return 0, false, false
	}
	digits, plus := strings.CutSuffix(line[open+1:len(line)-1], "+")
	size, err := strconv.ParseUint(digits, 10, 31)
	return int(size), !plus, err == nil
}

// splitCommand splits a command into tag, name (with its UID) and arguments.
func splitCommand(line string) (tag, name, rest string) {
	tag, rest, _ = strings.Cut(line, " ")
	name, rest, _ = strings.Cut(rest, " ")
	name = strings.ToUpper(name)
	if name == "UID" {
		var verb string
		verb, rest, _ = strings.Cut(rest, " ")
		name += " " + strings.ToUpper(verb)
	}
	return tag, name, rest
}

// arg is one argument: an atom, a string or a list.
type arg struct {
	text string
	list []arg // not nil for a list
	atom bool
}

// upper is an atom in upper case, for keywords; empty for anything else.
func (a arg) upper() string {
	if !a.atom {
		return ""
	}
	return strings.ToUpper(a.text)
}

var errSyntax = errors.New("syntax error")

func parseArgs(s string) ([]arg, error) {
	args, rest, err := parseList(s)
	if err == nil && rest != "" {
		err = errSyntax
	}
	return args, err
}

// parseList parses arguments up to the end or an unmatched ")".
func parseList(s string) (args []arg, rest string, err error) {
	args = []arg{}
	for s != "" && s[0] != ')' {
		var a arg
		switch s[0] {
		case ' ':
			s = s[1:]
			continue
		case '(':
			a.list, s, err = parseList(s[1:])
			if err != nil || s == "" {
				return nil, "", errSyntax
			}
			s = s[1:]
		case '"':
			a.text, s, err = parseQuoted(s[1:])
		case '{':
			a.text, s, err = parseLiteral(s)
		default:
			n := atomLen(s)
			a, s = arg{text: s[:n], atom: true}, s[n:]
		}
		if err != nil {
			return nil, "", err
		}
		args = append(args, a)
	}
	return args, s, nil
}

func parseQuoted(s string) (text, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], nil
		case '\\':
			i++
			if i == len(s) {
				return "", "", errSyntax
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", errSyntax
}

func parseLiteral(s string) (text, rest string, err error) {
	head, rest, ok := strings.Cut(s, "\r\n")
	n, _, isSize := literalSize(head)
	if !ok || !isSize || n > len(rest) {
		return "", "", errSyntax
	}
	return rest[:n], rest[n:], nil
}

// atomLen is the length of the atom at the start of s. Brackets, as in
// BODY[HEADER.FIELDS (To)], belong to it.
func atomLen(s string) int {
	depth := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '[':
			depth++
		case c == ']' && depth > 0:
			depth--
		case depth == 0 && (c == ' ' || c == '(' || c == ')' || c == '"'):
			return max(i, 1)
		}
	}
	return len(s)
}
