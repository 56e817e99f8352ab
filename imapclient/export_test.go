package imapclient

import "context"

// Stats counts a session's octets so far, TLS's own left out.
type Stats struct {
	In, Out  int64 // of the network
	Inflated int64 // what In came to since COMPRESS; 0 without
}

func (c *Client) Stats() Stats {
	w := c.tap.wire
	return Stats{In: w.in.Load(), Out: w.out.Load(), Inflated: w.inflated.Load()}
}

func (c *Client) Namespace(ctx context.Context) (prefix string, delim rune, err error) {
	return c.namespace(ctx)
}
