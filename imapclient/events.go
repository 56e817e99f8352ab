package imapclient

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

// The events of the tap. The owner runs them in wire order.

// maxFound is how many numbers the answers to one SEARCH may have.
const maxFound = 1 << 20

func (c *Client) searched(nums []uint32) {
	if len(c.found)+len(nums) > maxFound {
		c.tap.end(fmt.Errorf("%w: more than %d numbers in answer to a SEARCH", ErrProtocol, maxFound))
		return
	}
	c.found = append(c.found, nums...)
	for _, n := range nums {
		c.h.Searched(c.mailbox, n)
	}
}

// beyond notes a UID over 32 bits.
func (c *Client) beyond(uid uint64) { c.far = max(c.far, uid) }

// unnamed is an error if the answer to a command has a UID over 32 bits.
func (c *Client) unnamed() error {
	if c.far == 0 {
		return nil
	}
	return fmt.Errorf("%w: the server has a message with UID %d; no command can ask for it", ErrUID, c.far)
}

// tagged takes the answer to a command.
func (c *Client) tagged(st status) {
	c.mailboxCode(st)
	c.suggestion(st)
	if st.kind != "OK" {
		c.refusal = st
	}
}

// notified takes an untagged status response.
func (c *Client) notified(st status) {
	level, last := callbacks.Info, false
	switch st.kind {
	case "NO":
		level = callbacks.Warn
	case "BAD":
		level = callbacks.Error
	case "BYE":
		level, last = callbacks.Bye, c.bye == nil
		c.bye = &ByeError{Code: st.code, Text: st.text}
	}
	if c.next != nil && opening(st.code) {
		c.enter()
	}
	c.mailboxCode(st)
	c.suggestion(st)
	c.notify(level, st, last)
}

// suggestion notes the pause that the server asks for.
func (c *Client) suggestion(st status) {
	if wait := suggested(st.text); wait > 0 {
		c.until = time.Now().Add(wait)
	}
}

// mailboxCode takes a response code about the open mailbox.
func (c *Client) mailboxCode(st status) {
	word, arg, _ := strings.Cut(st.code, " ")
	n, err := strconv.ParseUint(arg, 10, 63)
	if err != nil {
		n = 0
	}
	switch strings.ToUpper(word) {
	case "UIDVALIDITY":
		c.uidValidity(arg)
	case "UIDNEXT":
		if c.selected.UIDNext = 0; n <= math.MaxUint32 { // otherwise no command could use it
			c.selected.UIDNext = uint32(n)
		}
	case "HIGHESTMODSEQ":
		c.selected.HighestModSeq = max(c.selected.HighestModSeq, n)
	case "NOMODSEQ":
		c.selected.HighestModSeq = 0
	case "PERMANENTFLAGS":
		c.permanentFlags(arg)
	case "READ-ONLY":
		c.selected.ReadOnly = true
	case "READ-WRITE":
		c.selected.ReadOnly = false
	case "NOTIFICATIONOVERFLOW":
		c.overflowed()
	}
}

// uidValidity takes UIDVALIDITY, which comes while a mailbox is opened. Another value
// later invalidates all UIDs.
func (c *Client) uidValidity(arg string) {
	v, err := strconv.ParseUint(arg, 10, 64)
	if err != nil {
		v, c.odd = 0, arg
	}
	if had := c.selected.UIDValidity; had != 0 && had != v {
		c.tap.end(fmt.Errorf("%w: %d, was %d", ErrUIDValidity, v, had))
	}
	c.selected.UIDValidity = v
	c.mailbox.UIDValidity = v
}

// notify passes the text of a status response to the Handler.
func (c *Client) notify(level callbacks.Level, st status, last bool) {
	quiet := level == callbacks.Info && !(&ResponseError{Code: st.code}).is("ALERT")
	if quiet {
		if c.quiet++; c.quiet > quietMost {
			c.quirks.words.omit()
			return
		}
	} else if !last && !c.quirks.words.pass() {
		return
	}
	c.h.Notify(c.mailbox, level, st.code, st.text)
}

// told logs a remark about a line of the server, within the limit of words.
func (c *Client) told(level callbacks.Level, text string) {
	if c.quirks.words.pass() {
		c.h.Log(level, text)
	}
}

// sayOmitted logs how many words were omitted, if it is time.
func (c *Client) sayOmitted(end bool) {
	if n := c.quirks.words.omitted(end); n > 0 {
		c.log(callbacks.Warn, fmt.Sprintf("the server says too much: %d of its texts and refusals were omitted", n))
	}
}

// drain runs the events that have come so far.
func (c *Client) drain() {
	for {
		select {
		case ev := <-c.tap.events:
			c.serve(ev)
		default:
			return
		}
	}
}

// serve runs an event. Meanwhile the methods return ErrLocked.
func (c *Client) serve(ev func(listener)) {
	was := c.locked
	defer func() { c.locked = was }() // also after a panic in the Handler
	c.locked = true
	ev(c)
}

func (c *Client) log(l callbacks.Level, text string) {
	c.serve(func(listener) { c.h.Log(l, text) })
}

// enter assigns the following events to the mailbox that is being opened, if any.
func (c *Client) enter() {
	if c.next == nil {
		return
	}
	if c.rang && c.watched != nil { // no later event repeats it
		c.stir(c.mailbox.Name)
	}
	c.mailbox, c.next = *c.next, nil
	c.selected, c.permanent, c.odd, c.arrived = Selected{}, nil, "", 0
	c.recents, c.risen, c.shrunk = 0, 0, false
}

// opening reports whether a response code means that the previous mailbox is
// closed. With QRESYNC the server says CLOSED (RFC 7162 section 3.2.11). The other
// codes belong to the next mailbox in any case.
func opening(code string) bool {
	word, _, _ := strings.Cut(strings.ToUpper(code), " ")
	switch word {
	case "CLOSED", "PERMANENTFLAGS", "UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ", "NOMODSEQ":
		return true
	}
	return false
}

// permanentFlags takes "(\Seen \*)". A list that was cut short is ignored.
func (c *Client) permanentFlags(arg string) {
	c.permanent = nil
	if strings.HasSuffix(arg, ")") && len(arg) < maxList {
		p := parser{[]byte(arg)}
		c.permanent = append([]string{}, p.list()...)
	}
}

// stir notes that a mailbox of Notify has changed.
func (c *Client) stir(mailbox string) {
	if !c.watched[inbox(mailbox)] {
		return
	}
	if c.changed == nil {
		c.changed = make(map[string]bool)
	}
	c.changed[inbox(mailbox)] = true
	c.stirred = true
}

// overflowed takes NOTIFICATIONOVERFLOW: the server has stopped NOTIFY, so every
// mailbox may have changed (RFC 5465 section 5.8).
func (c *Client) overflowed() {
	c.overflow = c.watched != nil
	for name := range c.watched {
		c.stir(name)
	}
}

// named notes a UID in the answer to UIDs.
func (c *Client) named(uid uint32) {
	if len(c.found) >= maxFound {
		c.tap.end(fmt.Errorf("%w: more than %d messages in answer to a FETCH of UIDs", ErrProtocol, maxFound))
		return
	}
	c.found = append(c.found, uid)
}

func (c *Client) flags(seq, uid uint32, flags []string) { c.h.Flags(c.mailbox, seq, uid, flags) }

func (c *Client) warn(text string) { c.h.Log(callbacks.Warn, text) }
