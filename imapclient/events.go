package imapclient

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

// What the server tells, run by the owner in wire order.

// maxFound is how many numbers the answers to one SEARCH may have; a window of
// UIDs has far fewer.
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

// beyond notes the UID of a message that no command can name.
func (c *Client) beyond(uid uint64) { c.far = max(c.far, uid) }

// unnamed is why the answer to a command leaves messages out; nil: it does not.
func (c *Client) unnamed() error {
	if c.far == 0 {
		return nil
	}
	return fmt.Errorf("%w: the server names a message by %d; no command can ask for it", ErrUID, c.far)
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

// suggestion notes how long the server asks to be left alone.
func (c *Client) suggestion(st status) {
	if wait := suggested(st.text); wait > 0 {
		c.until = time.Now().Add(wait)
	}
}

// mailboxCode takes a response code that tells of the open mailbox.
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
		if c.selected.UIDNext = 0; n <= math.MaxUint32 { // else it says nothing that a command could use
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

// uidValidity is told while a mailbox is opened. Told another one later, no
// UID means anything any more.
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
