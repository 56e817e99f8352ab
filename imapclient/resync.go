package imapclient

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// ExamineSince is Examine, and reports the changes since an earlier time as events:
// Expunged for messages that are gone, Flags for messages with changed flags (RFC
// 7162 section 3.2.5, QRESYNC). An event may come again that came before. If the
// server does not offer QRESYNC, or UIDVALIDITY changed, Selected.Resynced is
// false: then use Search to find which UIDs are left.
//
// After the first call, Expunged events have UIDs if the server offers QRESYNC.
func (c *Client) ExamineSince(ctx context.Context, mailbox string, since Since) (Selected, error) {
	return c.openSince(ctx, mailbox, true, since)
}

// SelectSince is ExamineSince for changes, as Select.
func (c *Client) SelectSince(ctx context.Context, mailbox string, since Since) (Selected, error) {
	return c.openSince(ctx, mailbox, false, since)
}

// HighestModSeq is the latest known state of the open mailbox, for a later Since
// (RFC 7162 section 3.1.2.1). 0: not known.
func (c *Client) HighestModSeq() uint64 { return c.selected.HighestModSeq }

func (c *Client) openSince(ctx context.Context, mailbox string, readOnly bool, since Since) (Selected, error) {
	if err := c.enable(ctx); err != nil {
		return Selected{}, err
	}
	params := ""
	if c.enabled && since.UIDValidity != 0 && since.ModSeq != 0 {
		known := ""
		if since.UID != 0 {
			known = fmt.Sprintf(" 1:%d", since.UID)
		}
		params = fmt.Sprintf("(QRESYNC (%d %d%s))", since.UIDValidity, since.ModSeq, known)
	}
	sel, err := c.open(ctx, mailbox, readOnly, params)
	sel.Resynced = err == nil && params != "" && sel.UIDValidity == since.UIDValidity && sel.HighestModSeq >= since.ModSeq
	return sel, err
}

// enable turns QRESYNC on, once, if the server offers it (RFC 5161).
func (c *Client) enable(ctx context.Context) error {
	if c.locked {
		return ErrLocked
	}
	if c.asked || !c.Has("QRESYNC") || !c.Has("ENABLE") {
		return nil
	}
	c.asked = true
	err := c.own(ctx, c.limits.Command, "ENABLE QRESYNC")
	if errors.As(err, new(*ResponseError)) {
		return nil // QRESYNC stays off
	}
	return err
}

// enabledLine takes "* ENABLED QRESYNC".
func (c *Client) enabledLine(words []string) {
	for _, word := range words {
		c.enabled = c.enabled || c.asked && strings.EqualFold(word, "QRESYNC")
	}
}
