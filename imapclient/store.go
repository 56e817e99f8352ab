package imapclient

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Store adds flags, such as \Seen, \Flagged or a keyword, to messages of the open
// mailbox (RFC 9051 section 6.4.6). UIDs that do not exist are ignored. Errors:
// ErrReadOnly, ErrNoFlag (the mailbox would lose one of the flags), *ResponseError.
//
// A command has at most 8,000 octets. Store, Copy, Move and Expunge send several if
// the UIDs need more, from about 700 scattered UIDs on. After an error the earlier
// commands have been done.
func (c *Client) Store(ctx context.Context, uids []uint32, flags ...string) error {
	switch {
	case c.locked:
		return ErrLocked
	case c.selected.ReadOnly:
		return ErrReadOnly
	}
	for _, flag := range flags {
		if err := c.Keeps(flag); err != nil {
			return err
		}
	}
	if len(flags) == 0 {
		return nil
	}
	return c.each(ctx, uids, "UID STORE ", " +FLAGS.SILENT ("+strings.Join(flags, " ")+")")
}

// Keeps returns nil if the open mailbox keeps a flag, as far as is known. The error
// is ErrNoFlag if the flag would be lost with the session (RFC 9051 section 7.1,
// PERMANENTFLAGS); otherwise flag is not a valid flag.
func (c *Client) Keeps(flag string) error {
	atom := strings.TrimPrefix(flag, `\`)
	if atom == "" || len(atom) > 100 || strings.ContainsFunc(atom, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\]`, r)
	}) {
		return fmt.Errorf("imapclient: %.100q is no flag", flag)
	}
	is := func(kept string) bool {
		return strings.EqualFold(kept, flag) || kept == `\*` && atom == flag
	}
	if c.permanent != nil && !slices.ContainsFunc(c.permanent, is) {
		return fmt.Errorf("%w: %s", ErrNoFlag, flag)
	}
	return nil
}

// each runs a UID command for messages, in as many parts as the set of UIDs needs.
func (c *Client) each(ctx context.Context, uids []uint32, before, after string) error {
	for _, set := range sets(uids, maxCommand-len(before)-len(after)) {
		if err := c.own(ctx, c.limits.Command, before+set+after); err != nil {
			return err
		}
	}
	return nil
}
