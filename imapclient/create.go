package imapclient

import (
	"context"
	"errors"
)

// Create makes a mailbox (RFC 9051 section 6.3.4). If the server says ALREADYEXISTS,
// Create returns nil. Other refusals are a *ResponseError.
func (c *Client) Create(ctx context.Context, mailbox string) error {
	if err := c.ready(mailbox); err != nil {
		return err
	}
	err := c.own(ctx, c.limits.Command, "CREATE "+c.spelled.arg(mailbox))
	var no *ResponseError
	if errors.As(err, &no) && no.is("ALREADYEXISTS") {
		return nil
	}
	return err
}
