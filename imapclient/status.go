package imapclient

import (
	"context"

	"github.com/emersion/go-imap/v2"

	"github.com/fblwatch/fblwatch/callbacks"
)

// Status returns the counts of a mailbox without opening it (RFC 9051 section
// 6.3.11): messages, UIDNEXT, UIDVALIDITY and unseen. A count is nil if the server
// did not send it. A refusal is a *ResponseError.
func (c *Client) Status(ctx context.Context, mailbox string) (callbacks.Status, error) {
	if err := c.ready(mailbox); err != nil {
		return callbacks.Status{}, err
	}
	st, err := c.askStatus(ctx, mailbox)
	if c.respelled(ctx, mailbox, err) {
		st, err = c.askStatus(ctx, mailbox)
	}
	return st, err
}

func (c *Client) askStatus(ctx context.Context, mailbox string) (callbacks.Status, error) {
	c.asking, c.status = mailbox, callbacks.Status{}
	var err error
	if c.spelled.octets[mailbox] != "" {
		err = c.own(ctx, c.limits.Command, "STATUS "+c.spelled.arg(mailbox)+" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)")
	} else {
		err = c.do(ctx, "STATUS", c.limits.Command, func() error {
			_, err := c.gi.Status(mailbox, &imap.StatusOptions{
				NumMessages: true, UIDNext: true, UIDValidity: true, NumUnseen: true,
			}).Wait()
			return err
		})
	}
	c.asking = ""
	return c.status, err
}

// statusLine takes a STATUS line: the answer to Status, or a change in a mailbox.
func (c *Client) statusLine(octets string, st callbacks.Status) {
	mailbox := c.spelled.name(octets)
	switch inbox(mailbox) {
	case inbox(c.asking):
		c.status = st
	case inbox(c.mailbox.Name):
	default:
		c.stir(mailbox)
	}
	m := callbacks.Mailbox{Account: c.opts.Account, Name: mailbox}
	if st.UIDValidity != nil {
		m.UIDValidity = *st.UIDValidity
	}
	c.h.Status(m, st)
}
