package imapclient

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// UIDs is Search by FETCH, for servers that refuse SEARCH or answer it wrongly. It
// takes a line of the server for each message, so the range should be narrow.
func (c *Client) UIDs(ctx context.Context, lo, hi uint32) ([]uint32, error) {
	if c.locked {
		return nil, ErrLocked
	}
	lo = max(lo, 1)
	last := "*"
	if hi != 0 {
		last = strconv.FormatUint(uint64(hi), 10)
	}
	c.found, c.far = nil, 0
	c.tap.expect(0, 0) // no body
	c.tap.naming.Store(true)
	err := c.own(ctx, c.limits.Command, fmt.Sprintf("UID FETCH %d:%s (UID)", lo, last))
	c.tap.naming.Store(false)
	uids := c.found
	c.found = nil
	if err != nil {
		return nil, err
	}
	slices.Sort(uids)
	uids = slices.DeleteFunc(slices.Compact(uids), func(uid uint32) bool { return uid < lo || hi != 0 && uid > hi })
	return uids, c.unnamed()
}

// named notes a message of UIDs.
func (c *Client) named(uid uint32) {
	if len(c.found) >= maxFound {
		c.tap.end(fmt.Errorf("%w: more than %d messages in answer to a FETCH of UIDs", ErrProtocol, maxFound))
		return
	}
	c.found = append(c.found, uid)
}

// Exists is how many messages the open mailbox has, as far as the server has told.
func (c *Client) Exists() uint32 { return c.selected.Exists }

// Arrived is how many messages the server has announced since the mailbox was
// opened, be they gone again.
func (c *Client) Arrived() uint64 { return c.arrived }

// Empty reports whether the open mailbox has no message, as far as the server has
// told. Some servers refuse SEARCH and FETCH there. With QRESYNC it is told only
// while the mailbox is opened.
func (c *Client) Empty() bool { return c.selected.Exists == 0 && !c.enabled }
