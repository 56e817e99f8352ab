package imapclient

import (
	"fmt"
	"sync"
)

// How much a server may say before the login is through, and behind it until a
// command is answered. A body that was asked for is no chatter, and lets the count
// begin anew. An honest server has an answer for each of its mailboxes, or tells of
// every message that its flags have changed: so the second grows with the messages.
const (
	setupLines  = 1000
	setupOctets = 1 << 20

	mostLines    = 1 << 17
	mostOctets   = 64 << 20
	mostMessages = 1 << 21 // that the server may claim there are
	linesEach    = 2       // for each of those
	octetsEach   = 128

	mostVanished = 100_000 // events of VANISHED; a rescan finds the rest
)

// chatter counts what a server says unasked, or beside what was asked for.
type chatter struct {
	mu                    sync.Mutex
	lines, octets         int64
	linesLeft, octetsLeft int64
	vanished              int
}

// limit sets how many lines and octets there may be.
func (c *chatter) limit(lines, octets int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines, c.octets = lines, octets
	c.linesLeft, c.octetsLeft = lines, octets
}

// anew begins the count anew.
func (c *chatter) anew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.linesLeft, c.octetsLeft, c.vanished = c.lines, c.octets, 0
}

// allow makes room for a mailbox of so many messages.
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

// add counts, and is an error where it is too much.
func (c *chatter) add(lines, octets int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.linesLeft -= int64(lines)
	c.octetsLeft -= int64(octets)
	switch {
	case c.linesLeft < 0:
		return fmt.Errorf("%w: the server says over %d lines and does not come to an end", ErrProtocol, c.lines)
	case c.octetsLeft < 0:
		return fmt.Errorf("%w: the server says over %d octets and does not come to an end", ErrProtocol, c.octets)
	}
	return nil
}

// vanish counts an event of VANISHED; false: there were enough.
func (c *chatter) vanish() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.vanished++
	return c.vanished <= mostVanished
}
