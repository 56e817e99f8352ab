package imapclient

import "context"

// Move moves messages of the open mailbox to another (RFC 6851), which must exist as
// for Copy. ErrNoMove: the server does not offer it; then Copy, and only behind
// its success Store of \Deleted and Expunge, come to the same. ErrReadOnly: the
// mailbox allows no changes.
func (c *Client) Move(ctx context.Context, uids []uint32, mailbox string) error {
	if c.locked {
		return ErrLocked
	}
	switch err := validName(mailbox); {
	case err != nil:
		return err
	case c.selected.ReadOnly:
		return ErrReadOnly
	case !c.Has("MOVE"):
		return ErrNoMove
	}
	return c.each(ctx, uids, "UID MOVE ", " "+c.arg(mailbox))
}
