package imapclient

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
)

// Search returns the UIDs from lo to hi that exist in the open mailbox, ascending
// (RFC 9051 section 6.4.4). A hi of 0 means no upper limit. The answer may have at
// most 1,048,576 UIDs; more is ErrProtocol. ErrUID comes beside the UIDs: the
// mailbox has other messages with a UID over 32 bits.
func (c *Client) Search(ctx context.Context, lo, hi uint32) ([]uint32, error) {
	if c.locked {
		return nil, ErrLocked
	}
	lo = max(lo, 1) // 0 would mean the last
	var set imap.UIDSet
	set.AddRange(imap.UID(lo), imap.UID(hi))
	uids, err := c.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{set}})
	// "n:*" names the last message even where its UID is below n.
	return slices.DeleteFunc(uids, func(uid uint32) bool { return uid < lo || hi != 0 && uid > hi }), err
}

// among is Search for some UIDs, so that the answer is short if they are few.
func (c *Client) among(ctx context.Context, uids []uint32) (listed []uint32, err error) {
	for some := range slices.Chunk(uids, maxSet) {
		found, err := c.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{uidSet(some)}})
		listed = append(listed, found...)
		if err != nil && !errors.Is(err, ErrUID) {
			return listed, err
		}
	}
	return listed, nil
}

// Range is the UIDs from Low to High, both included.
type Range struct{ Low, High uint32 }

// SearchRanges is Search in several ranges by one command. Give it a few hundred at
// most: servers limit the length of a command.
func (c *Client) SearchRanges(ctx context.Context, ranges []Range) ([]uint32, error) {
	if c.locked {
		return nil, ErrLocked
	}
	var set imap.UIDSet
	for _, r := range ranges {
		set.AddRange(imap.UID(max(r.Low, 1)), imap.UID(max(r.High, 1)))
	}
	if len(set) == 0 {
		return nil, nil
	}
	uids, err := c.search(ctx, &imap.SearchCriteria{UID: []imap.UIDSet{set}})
	return slices.DeleteFunc(uids, func(uid uint32) bool {
		return !slices.ContainsFunc(ranges, func(r Range) bool { return r.Low <= uid && uid <= r.High })
	}), err
}

// SearchSince returns the UIDs of the messages that the server received on the day
// of t or later, ascending (RFC 9051 section 6.4.4, SINCE). The server counts days
// in its own time zone. Limit and ErrUID as for Search.
func (c *Client) SearchSince(ctx context.Context, t time.Time) ([]uint32, error) {
	if c.locked {
		return nil, ErrLocked
	}
	// Without a range of UIDs iCloud answers with numbers that are no UIDs.
	return c.search(ctx, &imap.SearchCriteria{Since: t, UID: []imap.UIDSet{{{Start: 1}}}})
}

// SearchWorks reports whether a SEARCH of this session has found any message. On
// some servers none ever does.
func (c *Client) SearchWorks() bool { return c.searches }

func (c *Client) search(ctx context.Context, criteria *imap.SearchCriteria) ([]uint32, error) {
	c.found, c.far = nil, 0
	err := c.do(ctx, "UID SEARCH", c.limits.Command, func() error {
		_, err := c.gi.UIDSearch(criteria, nil).Wait()
		return err
	})
	uids := c.found
	c.found = nil
	if err != nil {
		return nil, err
	}
	c.searches = c.searches || len(uids) > 0
	slices.Sort(uids)
	return slices.Compact(uids), c.unnamed()
}
