package imapclient

import "context"

// Copy copies messages of the open mailbox to another (RFC 9051 section 6.4.7), which
// must exist: a *ResponseError with the code TRYCREATE tells that it does not.
// Repeated, it copies them once more.
func (c *Client) Copy(ctx context.Context, uids []uint32, mailbox string) error {
	if c.locked {
		return ErrLocked
	}
	if err := validName(mailbox); err != nil {
		return err
	}
	return c.each(ctx, uids, "UID COPY ", " "+c.arg(mailbox))
}
