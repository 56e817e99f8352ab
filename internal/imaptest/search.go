package imaptest

import (
	"strconv"
	"strings"
	"time"
)

// numSet is a sequence set of RFC 3501 section 9; 0 stands for "*".
type numSet [][2]uint32

func parseSet(s string) (numSet, error) {
	var set numSet
	for part := range strings.SplitSeq(s, ",") {
		low, high, isRange := strings.Cut(part, ":")
		if !isRange {
			high = low
		}
		var pair [2]uint32
		for i, text := range []string{low, high} {
			if text == "*" {
				continue
			}
			n, err := strconv.ParseUint(text, 10, 32)
			if err != nil || n == 0 {
				return nil, errSyntax
			}
			pair[i] = uint32(n)
		}
		set = append(set, pair)
	}
	return set, nil
}

// has reports whether n is in the set. last is the last number of the mailbox: "n:*"
// always has it, even if n is over it.
func (s numSet) has(n, last uint32) bool {
	for _, pair := range s {
		low, high := pair[0], pair[1]
		if low == 0 {
			low = last
		}
		if high == 0 {
			high = last
		}
		if min(low, high) <= n && n <= max(low, high) {
			return true
		}
	}
	return false
}

// numbered is a message with its sequence number in this session.
type numbered struct {
	Message
	seq uint32
}

// visible returns the messages that the client knows and that still exist,
// ascending, and the value of "*" as UID and as sequence number.
func (c *session) visible() (messages []numbered, lastUID, lastSeq uint32) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	if c.box.uidValidity != c.validity { // since the command began
		return nil, 0, 0
	}
	for i, uid := range c.view {
		if at, ok := c.box.index(uid); ok {
			messages = append(messages, numbered{c.box.messages[at], uint32(i + 1)})
		}
		lastUID, lastSeq = uid, uint32(i+1)
	}
	return messages, lastUID, lastSeq
}

// search does ALL, UID, a sequence set, SINCE and BEFORE, combined by "and", after an
// optional CHARSET.
func (c *session) search(args []arg) (string, error) {
	messages, lastUID, lastSeq := c.visible()
	var tests []func(numbered) bool
	take := func() string { // the next argument, or one that no parser takes
		if len(args) == 0 {
			return ""
		}
		text := args[0].text
		args = args[1:]
		return text
	}
	if len(args) > 0 && args[0].upper() == "CHARSET" {
		take()
		take()
	}
	if len(args) == 0 {
		return "BAD SEARCH wants a key", nil
	}
	for len(args) > 0 {
		var test func(numbered) bool
		var err error
		switch key := strings.ToUpper(take()); key {
		case "ALL":
			test = func(numbered) bool { return true }
		case "UID":
			var set numSet
			set, err = parseSet(take())
			test = func(m numbered) bool { return set.has(m.UID, lastUID) }
		case "SINCE", "BEFORE":
			var day time.Time
			day, err = time.Parse("_2-Jan-2006", take())
			test = func(m numbered) bool {
				year, month, date := m.Date.Date() // without its zone
				on := time.Date(year, month, date, 0, 0, 0, 0, time.UTC)
				return on.Before(day) == (key == "BEFORE")
			}
		default:
			var set numSet
			set, err = parseSet(key)
			test = func(m numbered) bool { return set.has(m.seq, lastSeq) }
		}
		if err != nil {
			return "BAD unknown SEARCH key", nil
		}
		tests = append(tests, test)
	}
	line := []byte("SEARCH")
messages:
	for _, m := range messages {
		for _, test := range tests {
			if !test(m) {
				continue messages
			}
		}
		n := m.seq
		if c.command == "UID SEARCH" {
			n = m.UID
		}
		line = strconv.AppendUint(append(line, ' '), uint64(n), 10)
	}
	if err := c.linef("%s", line); err != nil {
		return "", err
	}
	return "OK SEARCH completed", c.syncUID()
}

// syncUID is sync at the end of a UID command. The others must not report an
// EXPUNGE, which moves their numbers (RFC 3501 section 7.4.1).
func (c *session) syncUID() error {
	if !strings.HasPrefix(c.command, "UID ") {
		return nil
	}
	return c.sync()
}
