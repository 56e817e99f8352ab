package imapclient

import (
	"context"
	"fmt"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/fblwatch/fblwatch/callbacks"
)

// Since is the state of a mailbox at an earlier time (RFC 7162 section 3.2.5). The
// zero Since is for a mailbox that is not known.
type Since struct {
	UIDValidity uint64
	ModSeq      uint64 // Selected.HighestModSeq, or a later Client.HighestModSeq
	UID         uint32 // highest known UID; 0: not known. No events come for UIDs above it
}

// Examine opens a mailbox read-only (RFC 9051 section 6.3.3). Nothing that the
// Client does in it leaves a trace. Errors: *ResponseError (no such mailbox, or no
// access), ErrUIDValidity if the mailbox has no UIDVALIDITY.
func (c *Client) Examine(ctx context.Context, mailbox string) (Selected, error) {
	return c.open(ctx, mailbox, true, "")
}

// Select opens a mailbox for changes (RFC 9051 section 6.3.2). If the server allows
// none, Selected.ReadOnly is true. Errors as for Examine.
func (c *Client) Select(ctx context.Context, mailbox string) (Selected, error) {
	return c.open(ctx, mailbox, false, "")
}

func (c *Client) open(ctx context.Context, mailbox string, readOnly bool, params string) (Selected, error) {
	if err := c.ready(mailbox); err != nil {
		return Selected{}, err
	}
	err := c.tryOpen(ctx, mailbox, readOnly, params)
	if c.respelled(ctx, mailbox, err) {
		err = c.tryOpen(ctx, mailbox, readOnly, params)
	}
	if err != nil {
		return Selected{}, err
	}
	c.rang, c.risen = false, 0
	c.selected.ReadOnly = c.selected.ReadOnly || readOnly
	if c.selected.UIDValidity == 0 {
		if c.odd != "" {
			return Selected{}, fmt.Errorf("%w: %.40q of %s is no number of 64 bits, so its messages cannot be told apart", ErrUIDValidity, c.odd, mailbox)
		}
		return Selected{}, fmt.Errorf("%w: %s has none, so its messages cannot be told apart", ErrUIDValidity, mailbox)
	}
	return c.selected, nil
}

func (c *Client) tryOpen(ctx context.Context, mailbox string, readOnly bool, params string) error {
	c.drain() // of the mailbox before
	next := callbacks.Mailbox{Account: c.opts.Account, Name: mailbox}
	c.next = &next
	c.opening = true
	defer func() { c.opening = false }()
	if !c.enabled || c.mailbox.Name == "" {
		c.enter() // otherwise the server says when
	}
	defer c.enter()
	name := "SELECT"
	if readOnly {
		name = "EXAMINE"
	}
	if params == "" && c.spelled.octets[mailbox] == "" {
		return c.do(ctx, name, c.limits.Select, func() error {
			_, err := c.gi.Select(mailbox, &imap.SelectOptions{ReadOnly: readOnly}).Wait()
			return err
		})
	}
	return c.own(ctx, c.limits.Select, strings.TrimRight(name+" "+c.spelled.arg(mailbox)+" "+params, " "))
}
