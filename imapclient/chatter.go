package imapclient

import (
	"fmt"
	"sync"
)

// Limits of what a server may say before the end of the login (setup...), and after
// it until a command is answered (most...). A body that was asked for does not
// count, and resets the count. An honest server may answer for each of its
// mailboxes, or report changed flags of every message, so the limits after the login
// grow with the messages.
const (
	setupLines  = 1000
	setupOctets = 1 << 20

	mostLines    = 1 << 17
	mostOctets   = 64 << 20
	mostMessages = 1 << 21 // in EXISTS that count
	linesEach    = 2       // more for each of them
	octetsEach   = 128

	mostVanished = 100_000 // events of VANISHED; a new search finds the rest
)

// chatter counts the lines and octets of a server, without bodies.
type chatter struct {
	mu                    sync.Mutex
	lines, octets         int64
	linesLeft, octetsLeft int64
	vanished              int
}

// limit sets how many lines and octets may come.
func (c *chatter) limit(lines, octets int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines, c.octets = lines, octets
	c.linesLeft, c.octetsLeft = lines, octets
}

// anew resets the count.
func (c *chatter) anew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.linesLeft, c.octetsLeft, c.vanished = c.lines, c.octets, 0
}

// allow raises the limits for a mailbox with so many messages.
func (c *chatter) allow(messages uint32) {
	n := int64(min(messages, mostMessages))
	lines, octets := mostLines+linesEach*n, mostOctets+octetsEach*n
	c.mu.Lock()
	defer c.mu.Unlock()
	if more := lines - c.lines; more > 0 {
		c.lines, c.linesLeft = lines, c.linesLeft+more
	}
	if more := octets - c.octets; more > 0 {
		c.octets, c.octetsLeft = octets, c.octetsLeft+more
	}
}

// add counts. It returns an error if the limit is exceeded.
func (c *chatter) add(lines, octets int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.linesLeft -= int64(lines)
	c.octetsLeft -= int64(octets)
	switch {
	case c.linesLeft < 0:
		return fmt.Errorf("%w: the server sends over %d lines and no answer", ErrProtocol, c.lines)
	case c.octetsLeft < 0:
		return fmt.Errorf("%w: the server sends over %d octets and no answer", ErrProtocol, c.octets)
	}
	return nil
}

// vanish counts an event of VANISHED. It returns false after mostVanished.
func (c *chatter) vanish() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.vanished++
	return c.vanished <= mostVanished
}
