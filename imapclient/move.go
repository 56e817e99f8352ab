package imapclient

import "context"

// Move moves messages of the open mailbox to another mailbox, which must exist as
// for Copy (RFC 6851). Errors: ErrReadOnly, ErrNoMove, *ResponseError. After
// ErrNoMove, use Copy, and only after its success Store of \Deleted and Expunge.
func (c *Client) Move(ctx context.Context, uids []uint32, mailbox string) error {
	switch err := c.ready(mailbox); {
	case err != nil:
		return err
	case c.selected.ReadOnly:
		return ErrReadOnly
	case !c.Has("MOVE"):
		return ErrNoMove
	}
	return c.each(ctx, uids, "UID MOVE ", " "+c.spelled.arg(mailbox))
}
