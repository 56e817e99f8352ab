package imaptest

import (
	"errors"
	"strconv"
	"strings"
)

// readCommand reads a command with its literals, each after its "{n}" and CRLF.
func (c *session) readCommand() (string, error) {
	var command strings.Builder
	for {
		line, err := c.readLine()
		if err != nil {
			return "", err
		}
		command.WriteString(line)
		if command.Len() == len(line) {
			c.tag, c.command, _ = splitCommand(line)
		}
		n, sync, ok := literalSize(line)
		if !ok {
			return command.String(), nil
		}
		if n > maxCommand-command.Len() {
			return "", errGone
		}
		if sync {
			if err := c.line(Continue, "+ go ahead"); err != nil {
				return "", err
			}
		}
		text, err := c.literal(n)
		if err != nil {
			return "", err
		}
		command.WriteString("\r\n" + text)
	}
}

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

// verb runs a command. It returns the text of the tagged answer, or the error that
// ends the command or the session.
type verb struct {
	state func(*session) bool
	run   func(*session, []arg) (string, error)
}

func anyState(*session) bool      { return true }
func notLoggedIn(c *session) bool { return !c.loggedIn }
func loggedIn(c *session) bool    { return c.loggedIn }
func selected(c *session) bool    { return c.box != nil }

var verbs map[string]verb

func init() {
	verbs = map[string]verb{
		"CAPABILITY":   {anyState, (*session).capability},
		"NOOP":         {anyState, (*session).noop},
		"LOGOUT":       {anyState, (*session).logout},
		"ID":           {anyState, (*session).id},
		"COMPRESS":     {loggedIn, (*session).compress},
		"STARTTLS":     {notLoggedIn, (*session).starttls},
		"LOGIN":        {notLoggedIn, (*session).login},
		"AUTHENTICATE": {notLoggedIn, (*session).authenticate},
		"LIST":         {loggedIn, (*session).list},
		"LSUB":         {loggedIn, (*session).lsub},
		"STATUS":       {loggedIn, (*session).status},
		"SELECT":       {loggedIn, (*session).selectBox},
		"EXAMINE":      {loggedIn, (*session).examine},
		"ENABLE":       {loggedIn, (*session).enable},
		"NOTIFY":       {loggedIn, (*session).notifySet},
		"IDLE":         {loggedIn, (*session).idle},
		"CLOSE":        {selected, (*session).unselect},
		"UNSELECT":     {selected, (*session).unselect},
		"CHECK":        {selected, (*session).noop},
		"SEARCH":       {selected, (*session).search},
		"UID SEARCH":   {selected, (*session).search},
		"FETCH":        {selected, (*session).fetch},
		"UID FETCH":    {selected, (*session).fetch},
		"STORE":        {selected, (*session).store},
		"UID STORE":    {selected, (*session).store},
		"COPY":         {selected, (*session).copyMessages},
		"UID COPY":     {selected, (*session).copyMessages},
		"MOVE":         {selected, (*session).copyMessages},
		"UID MOVE":     {selected, (*session).copyMessages},
		"EXPUNGE":      {selected, (*session).expunge},
		"UID EXPUNGE":  {selected, (*session).expunge},
		"CREATE":       {loggedIn, (*session).create},
	}
}

func (c *session) execute(command string) error {
	var rest string
	c.tag, c.command, rest = splitCommand(command)
	action := c.ask(Received, 0, 0, command)
	if err := c.act(Received, nil, action); err != nil {
		return err
	}
	if c.stale() {
		return c.bye()
	}
	if c.tag == "" {
		c.tag = "*" // a blank line
	}
	text, err := c.perform(rest)
	if err != nil && err != errLogout {
		return err
	}
	if failed := c.line(Tagged, c.tag+" "+text); failed != nil {
		return failed
	}
	if strings.HasPrefix(text, "OK") {
		switch c.command {
		case "STARTTLS":
			return c.startTLS()
		case "COMPRESS":
			c.startDeflate()
		}
	}
	return err
}

func (c *session) perform(rest string) (string, error) {
	v, known := verbs[c.command]
	if !known {
		return "BAD unknown command", nil
	}
	args, err := parseArgs(rest)
	if err != nil {
		return "BAD " + err.Error(), nil
	}
	if !v.state(c) {
		return "BAD not now", nil
	}
	return v.run(c, args)
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
