package imaptest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const delimiter = "/"

func (c *session) list(args []arg) (string, error) { return c.listBoxes("LIST", args) }
func (c *session) lsub(args []arg) (string, error) { return c.listBoxes("LSUB", args) }

func (c *session) listBoxes(command string, args []arg) (string, error) {
	if len(args) != 2 || args[0].list != nil || args[1].list != nil {
		return "BAD " + command + " wants a reference and a pattern", nil
	}
	pattern := args[0].text + args[1].text
	var lines []string
	if args[1].text == "" { // asks for the delimiter, RFC 3501 section 6.3.8
		lines = append(lines, fmt.Sprintf(`%s (\Noselect) %q ""`, command, delimiter))
	}
	c.srv.mu.Lock()
	for _, b := range c.srv.boxes {
		if matchName(pattern, b.name) && (command == "LIST" || b.subscribed) {
			lines = append(lines, fmt.Sprintf("%s (%s) %q %s", command, strings.Join(b.attrs, " "), delimiter, quote(b.name)))
		}
	}
	c.srv.mu.Unlock()
	for _, line := range lines {
		if err := c.linef("%s", line); err != nil {
			return "", err
		}
	}
	return "OK " + command + " completed", nil
}

// matchName matches the wildcards of RFC 3501 section 6.3.8: * for anything,
// % for anything within one level. INBOX is matched in any case.
func matchName(pattern, name string) bool {
	if strings.EqualFold(pattern, "INBOX") {
		return name == "INBOX"
	}
	for i := range len(pattern) {
		wild := pattern[i]
		if wild != '*' && wild != '%' {
			if i >= len(name) || name[i] != wild {
				return false
			}
			continue
		}
		for n := i; n <= len(name); n++ {
			if matchName(pattern[i+1:], name[n:]) {
				return true
			}
			if n < len(name) && wild == '%' && name[n:n+1] == delimiter {
				return false
			}
		}
		return false
	}
	return len(pattern) == len(name)
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func (c *session) status(args []arg) (string, error) {
	if len(args) != 2 || args[1].list == nil {
		return "BAD STATUS wants a mailbox and a list", nil
	}
	c.srv.mu.Lock()
	b := c.srv.find(args[0].text)
	if b == nil || slices.Contains(b.attrs, `\Noselect`) {
		c.srv.mu.Unlock()
		return "NO [NONEXISTENT] no such mailbox", nil
	}
	unseen, size := 0, int64(0)
	for _, m := range b.messages {
		size += m.Size
		if !slices.Contains(m.Flags, `\Seen`) {
			unseen++
		}
	}
	values := map[string]string{
		"MESSAGES":    strconv.Itoa(len(b.messages)),
		"RECENT":      "0",
		"UIDNEXT":     strconv.FormatUint(uint64(b.uidNext), 10),
		"UIDVALIDITY": strconv.FormatUint(b.uidValidity, 10),
		"UNSEEN":      strconv.Itoa(unseen),
		"SIZE":        strconv.FormatInt(size, 10),
	}
	c.srv.mu.Unlock()
	var items []string
	for _, a := range args[1].list {
		value, ok := values[a.upper()]
		if !ok {
			return "BAD unknown STATUS item", nil
		}
		items = append(items, a.upper()+" "+value)
	}
	return "OK STATUS completed", c.linef("STATUS %s (%s)", quote(b.name), strings.Join(items, " "))
}

func (c *session) selectBox(args []arg) (string, error) { return c.openBox(args, false) }
func (c *session) examine(args []arg) (string, error)   { return c.openBox(args, true) }

func (c *session) openBox(args []arg, readOnly bool) (string, error) {
	if len(args) == 0 || len(args) > 2 || args[0].list != nil || len(args) == 2 && (args[1].list == nil || !c.qresync) {
		return "BAD " + c.command + " wants a mailbox", nil
	}
	if c.qresync && c.box != nil {
		if err := c.linef("OK [CLOSED] the mailbox before"); err != nil {
			return "", err
		}
	}
	c.srv.mu.Lock()
	b := c.srv.find(args[0].text)
	if b != nil && slices.Contains(b.attrs, `\Noselect`) {
		b = nil
	}
	c.box, c.view, c.changed, c.readOnly = b, nil, nil, readOnly
	if b == nil { // this also closes the open mailbox, RFC 3501 section 6.3.1
		c.srv.mu.Unlock()
		return "NO [NONEXISTENT] no such mailbox", nil
	}
	c.validity = b.uidValidity
	for _, m := range b.messages {
		c.view = append(c.view, m.UID)
	}
	validity, next := b.uidValidity, b.uidNext
	state, since := c.since(args[1:])
	c.srv.mu.Unlock()
	permanent, access := `\Answered \Flagged \Deleted \Seen \Draft \*`, "READ-WRITE"
	if readOnly {
		permanent, access = "", "READ-ONLY"
	}
	lines := []string{
		`FLAGS (\Answered \Flagged \Deleted \Seen \Draft)`,
		fmt.Sprintf("OK [PERMANENTFLAGS (%s)] flags that stay", permanent),
		fmt.Sprintf("%d EXISTS", len(c.view)),
		"0 RECENT",
		fmt.Sprintf("OK [UIDVALIDITY %d] UIDs valid", validity),
		fmt.Sprintf("OK [UIDNEXT %d] predicted next UID", next),
	}
	if slices.Contains(c.srv.Caps, "QRESYNC") {
		lines = append(lines, state)
	}
	for _, line := range append(lines, since...) {
		if err := c.linef("%s", line); err != nil {
			return "", err
		}
	}
	return "OK [" + access + "] " + c.command + " completed", nil
}

func (c *session) unselect([]arg) (string, error) {
	c.srv.mu.Lock()
	c.box, c.view, c.changed = nil, nil, nil
	c.srv.mu.Unlock()
	return "OK " + c.command + " completed", nil
}
