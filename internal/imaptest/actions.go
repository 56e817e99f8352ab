package imaptest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// store knows [+|-]FLAGS[.SILENT].
func (c *session) store(args []arg) (string, error) {
	if len(args) != 3 || args[2].list == nil {
		return "BAD STORE wants a set, an item and flags", nil
	}
	item, silent := strings.CutSuffix(args[1].upper(), ".SILENT")
	if c.readOnly {
		return "NO [READ-ONLY] the mailbox was examined", nil
	}
	var flags []string
	for _, a := range args[2].list {
		flags = append(flags, a.text)
	}
	chosen, err := c.chosen(args[0])
	if err != nil {
		return "BAD not a sequence set", nil
	}
	for _, m := range chosen {
		now := slices.Clone(m.Flags)
		switch item {
		case "FLAGS":
			now = nil
			fallthrough
		case "+FLAGS":
			for _, f := range flags {
				if !slices.Contains(now, f) {
					now = append(now, f)
				}
			}
		case "-FLAGS":
			now = slices.DeleteFunc(now, func(f string) bool { return slices.Contains(flags, f) })
		default:
			return "BAD unknown STORE item", nil
		}
		c.srv.SetFlags(c.box.name, m.UID, now...)
		if silent { // only the others see it
			c.srv.mu.Lock()
			c.changed = slices.DeleteFunc(c.changed, func(uid uint32) bool { return uid == m.UID })
			c.srv.mu.Unlock()
		}
	}
	return "OK STORE completed", c.syncUID()
}

// chosen lists the messages of a set.
func (c *session) chosen(a arg) ([]numbered, error) {
	set, err := parseSet(a.text)
	if err != nil || !a.atom {
		return nil, errSyntax
	}
	messages, lastUID, lastSeq := c.visible()
	byUID := strings.HasPrefix(c.command, "UID ")
	return slices.DeleteFunc(messages, func(m numbered) bool {
		return byUID && !set.has(m.UID, lastUID) || !byUID && !set.has(m.seq, lastSeq)
	}), nil
}

// copyMessages is COPY and MOVE (RFC 6851), with the COPYUID of RFC 4315.
func (c *session) copyMessages(args []arg) (string, error) {
	verb := strings.TrimPrefix(c.command, "UID ")
	move := verb == "MOVE"
	switch {
	case len(args) != 2 || args[1].list != nil:
		return "BAD " + verb + " wants a set and a mailbox", nil
	case move && !slices.Contains(c.srv.Caps, "MOVE"):
		return "BAD unknown command", nil
	case move && c.readOnly:
		return "NO [READ-ONLY] the mailbox was examined", nil
	}
	chosen, err := c.chosen(args[0])
	if err != nil {
		return "BAD not a sequence set", nil
	}
	c.srv.mu.Lock()
	target := c.srv.find(args[1].text)
	c.srv.mu.Unlock()
	if target == nil {
		return "NO [TRYCREATE] no such mailbox", nil
	}
	var from, to []string
	for _, m := range chosen {
		m.Message.UID = 0
		uid := c.srv.AppendMessage(target.name, m.Message)
		from = append(from, strconv.FormatUint(uint64(c.view[m.seq-1]), 10))
		to = append(to, strconv.FormatUint(uint64(uid), 10))
	}
	code := ""
	if len(from) > 0 {
		code = fmt.Sprintf("[COPYUID %d %s %s] ", target.uidValidity, strings.Join(from, ","), strings.Join(to, ","))
	}
	if !move {
		return "OK " + code + "COPY completed", c.syncUID()
	}
	for _, m := range chosen { // before any output: all or nothing (RFC 6851 section 3.3)
		c.srv.Expunge(c.box.name, c.view[m.seq-1])
	}
	if err := c.linef("OK %smoved", code); err != nil {
		return "", err
	}
	return "OK MOVE completed", c.sync()
}

// expunge is EXPUNGE and UID EXPUNGE (RFC 4315).
func (c *session) expunge(args []arg) (string, error) {
	byUID := c.command == "UID EXPUNGE"
	switch {
	case byUID && (len(args) != 1 || !slices.Contains(c.srv.Caps, "UIDPLUS")):
		return "BAD unknown command", nil
	case c.readOnly:
		return "NO [READ-ONLY] the mailbox was examined", nil
	case !byUID:
		args = []arg{{text: "1:*", atom: true}}
	}
	chosen, err := c.chosen(args[0])
	if err != nil {
		return "BAD not a set of UIDs", nil
	}
	for _, m := range chosen {
		if slices.Contains(m.Flags, `\Deleted`) {
			c.srv.Expunge(c.box.name, m.UID)
		}
	}
	return "OK EXPUNGE completed", c.sync()
}

func (c *session) create(args []arg) (string, error) {
	if len(args) != 1 || args[0].text == "" {
		return "BAD CREATE wants a mailbox", nil
	}
	c.srv.mu.Lock()
	had := c.srv.find(args[0].text) != nil
	c.srv.mu.Unlock()
	if had {
		return "NO [ALREADYEXISTS] there is one", nil
	}
	c.srv.AddMailbox(args[0].text)
	return "OK CREATE completed", nil
}
