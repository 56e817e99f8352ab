package imaptest

import (
	"errors"
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

func (c *session) serve() {
	defer c.end()
	if c.srv.Limit != nil {
		c.left = c.srv.Limit(c.n)
		c.limited = c.left >= 0
	}
	c.in = newPump(c.raw, c.stop, &c.pumps)
	if errors.Is(c.run(), errSilent) {
		for range c.in.chunks { // until the client or Close ends it
		}
	}
}

func (c *session) run() error {
	if c.srv.ImplicitTLS {
		if err := c.startTLS(); err != nil {
			return err
		}
	}
	greeting := c.srv.Greeting
	if greeting == "" {
		greeting = "* OK " + c.capCode() + "imaptest ready"
	}
	if err := c.line(Greeting, greeting); err != nil {
		return err
	}
	switch word, _, _ := strings.Cut(strings.TrimPrefix(greeting, "* "), " "); word {
	case "BYE":
		return errLogout
	case "PREAUTH":
		c.loggedIn = true
	}
	for {
		command, err := c.readCommand()
		if err != nil {
			return err
		}
		err = c.execute(command)
		if err != nil && err != errAnswered && err != errIgnored {
			return err
		}
	}
}
