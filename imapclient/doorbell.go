package imapclient

// exists takes the number of messages in the open mailbox. Only a rising number is
// news: some servers repeat EXISTS after each EXPUNGE, OK or "+". It rises if it is
// over the number that expunges have left, so that a message is noticed that comes
// while another goes.
func (c *Client) exists(n uint32) {
	switch had := c.selected.Exists; {
	case n > had:
		c.rang = true
		c.risen += n - had
		if !c.opening {
			c.arrived += uint64(n - had)
		}
	case c.opening:
	case c.shrunk:
		c.babble(1) // an old habit: RFC 1176 wants EXISTS there
	default:
		c.babble(10)
	}
	c.selected.Exists, c.shrunk, c.alone = n, false, false
	c.h.Exists(c.mailbox, n)
}

// expunged takes an EXPUNGE (seq) or VANISHED (uid). With earlier, the message was
// gone before the mailbox was opened.
func (c *Client) expunged(seq, uid uint32, earlier bool) {
	if c.selected.Exists > 0 && !earlier {
		c.selected.Exists--
		c.shrunk = true
	}
	c.h.Expunged(c.mailbox, seq, uid)
}

// recent takes the number of messages that no other session has seen (RFC 3501
// section 7.3.2). It is news if it rises by more than EXISTS, or comes in IDLE
// without any EXISTS.
func (c *Client) recent(n uint32) {
	rises := uint64(n) > uint64(c.recents)+uint64(c.risen)
	if n > 0 && !c.opening && (rises || c.alone && c.waiting) {
		c.rang = true
	}
	c.recents, c.risen, c.alone = n, 0, true
}

const babbling = 30 // weight of needless EXISTS lines that leads to a warning

// babble counts a needless EXISTS line. A server gets one warning.
func (c *Client) babble(weight int) {
	if c.babbled += weight; c.babbled >= babbling && !c.quirks.babbles.Swap(true) {
		c.warn("the server says EXISTS although no message has come: only a rising number counts")
	}
}

// Rang reports whether the number of messages in the open mailbox has risen since
// the last call or the last Idle.
func (c *Client) Rang() bool {
	rang := c.rang
	c.rang = false
	return rang
}

// Exists is the number of messages in the open mailbox, as far as is known.
func (c *Client) Exists() uint32 { return c.selected.Exists }

// Arrived is how many messages the server has announced since the mailbox was
// opened. Messages that are gone again count too.
func (c *Client) Arrived() uint64 { return c.arrived }

// Empty reports whether the open mailbox is known to have no message. Some servers
// refuse SEARCH and FETCH then. With QRESYNC on it returns false, because then the
// count is not reliable.
func (c *Client) Empty() bool { return c.selected.Exists == 0 && !c.enabled }
