package imapclient

import "context"

// namespace returns the prefix of the user's own mailboxes, and the delimiter of
// their levels (RFC 2342): "INBOX." and '.' at a server where FBL is INBOX.FBL.
// Without NAMESPACE it asks by LIST, and the prefix is empty.
func (c *Client) namespace(ctx context.Context) (prefix string, delim rune, err error) {
	if c.locked {
		return "", 0, ErrLocked
	}
	c.personal = List{}
	if c.Has("NAMESPACE") {
		err = c.own(ctx, c.limits.Command, "NAMESPACE")
	} else {
		c.listing, c.lists = "LIST", nil
		err = c.own(ctx, c.limits.Command, `LIST "" ""`) // RFC 9051 section 6.3.9
		if len(c.lists) > 0 {
			c.personal.Delim = c.lists[0].Delim
		}
		c.listing, c.lists = "", nil
	}
	return c.personal.Mailbox, c.personal.Delim, err
}

func (c *Client) namespaceLine(prefix string, delim rune) {
	c.personal = List{Mailbox: prefix, Delim: delim}
}
