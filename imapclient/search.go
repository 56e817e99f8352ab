package imapclient

import (
	"context"
	"slices"

	"github.com/emersion/go-imap/v2"
)

// Search returns the UIDs between lo and hi that exist in the open mailbox,
// ascending. A hi of 0 means the last.
func (c *Client) Search(ctx context.Context, lo, hi uint32) ([]uint32, error) {
	if c.locked {
		return nil, ErrLocked
	}
	c.found = nil
	lo = max(lo, 1) // 0 would mean the last
	var set imap.UIDSet
	set.AddRange(imap.UID(lo), imap.UID(hi))
	err := c.do(ctx, "UID SEARCH", c.limits.Command, func() error {
		_, err := c.gi.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{set}}, nil).Wait()
		return err
	})
	uids := c.found
	c.found = nil
	if err != nil {
		return nil, err
	}
	// "n:*" names the last mail even where its UID is below n.
	uids = slices.DeleteFunc(uids, func(uid uint32) bool { return uid < lo || hi != 0 && uid > hi })
	slices.Sort(uids)
	return slices.Compact(uids), nil
}
