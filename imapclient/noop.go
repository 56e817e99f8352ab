package imapclient

import "context"

// Noop asks the server for news (RFC 9051 section 6.1.2). The Handler receives them
// before Noop returns.
func (c *Client) Noop(ctx context.Context) error {
	return c.do(ctx, "NOOP", c.limits.Command, func() error { return c.gi.Noop().Wait() })
}
