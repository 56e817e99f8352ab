package imaptest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// enable does QRESYNC (RFC 7162).
func (c *session) enable(args []arg) (string, error) {
	line := "ENABLED"
	for _, a := range args {
		if a.upper() == "QRESYNC" && slices.Contains(c.srv.Caps, "QRESYNC") {
			c.qresync = true
			line += " QRESYNC"
		}
	}
	return "OK ENABLE completed", c.linef("%s", line)
}

// since returns the line with the mailbox's state, and the changes of the UIDs in
// (QRESYNC (UIDVALIDITY MODSEQ [UIDS])). It needs Server.mu.
func (c *session) since(args []arg) (state string, lines []string) {
	state = fmt.Sprintf("OK [HIGHESTMODSEQ %d] state", c.box.modSeq)
	if len(args) == 0 || len(args[0].list) != 2 || args[0].list[0].upper() != "QRESYNC" {
		return state, nil
	}
	params := args[0].list[1].list
	if len(params) < 2 || params[0].text != strconv.FormatUint(c.box.uidValidity, 10) {
		return state, nil
	}
	modSeq, err := strconv.ParseUint(params[1].text, 10, 63)
	if err != nil {
		return state, nil
	}
	known := func(uint32) bool { return true }
	if len(params) > 2 {
		set, err := parseSet(params[2].text)
		if err != nil {
			return state, nil
		}
		known = func(uid uint32) bool { return set.has(uid, c.box.uidNext) }
	}
	var gone []string
	for _, m := range c.box.expunged {
		if m.modSeq > modSeq && known(m.UID) {
			gone = append(gone, strconv.FormatUint(uint64(m.UID), 10))
		}
	}
	if len(gone) > 0 {
		lines = append(lines, "VANISHED (EARLIER) "+strings.Join(gone, ","))
	}
	for i, m := range c.box.messages {
		if m.modSeq > modSeq && known(m.UID) {
			lines = append(lines, c.flagsLine(i))
		}
	}
	return state, lines
}
