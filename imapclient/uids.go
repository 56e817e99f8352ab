package imapclient

import (
	"context"
	"fmt"
	"slices"
	"strconv"
)

// UIDs is Search by FETCH, for servers that refuse SEARCH or answer it wrongly. The
// server sends a line for each message, so keep the range narrow. Limit and errors
// as for Search.
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
