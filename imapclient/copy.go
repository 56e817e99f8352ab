package imapclient

import "context"

// Copy copies messages of the open mailbox to another mailbox (RFC 9051 section
// 6.4.7). If that does not exist, the error is a *ResponseError with the code
// TRYCREATE. A second Copy makes second copies. UIDs that do not exist are ignored.
func (c *Client) Copy(ctx context.Context, uids []uint32, mailbox string) error {
	if err := c.ready(mailbox); err != nil {
		return err
	}
	return c.each(ctx, uids, "UID COPY ", " "+c.spelled.arg(mailbox))
}
