package imapclient

import (
	"context"
	"fmt"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/fblwatch/fblwatch/callbacks"
)

// Selected is what the server told when it opened a mailbox.
type Selected struct {
	UIDValidity uint32
	UIDNext     uint32 // 0: not told
	Exists      uint32
	ReadOnly    bool
}

// Examine opens a mailbox read-only: nothing that is done in it leaves a trace
// (RFC 9051 section 6.3.3).
func (c *Client) Examine(ctx context.Context, mailbox string) (Selected, error) {
	if c.locked {
		return Selected{}, ErrLocked
	}
	if err := validName(mailbox); err != nil {
		return Selected{}, err
	}
	c.drain() // of the mailbox before
	c.mailbox = callbacks.Mailbox{Account: c.opts.Account, Name: mailbox}
	c.selected = Selected{}
	err := c.do(ctx, "EXAMINE", c.limits.Select, func() error {
		_, err := c.gi.Select(mailbox, &imap.SelectOptions{ReadOnly: true}).Wait()
		return err
	})
	if err != nil {
		return Selected{}, err
	}
	c.rang = false
	if c.selected.UIDValidity == 0 {
		return Selected{}, fmt.Errorf("%w: %s has none, so its mails cannot be told apart", ErrUIDValidity, mailbox)
	}
	return c.selected, nil
}

const maxName = 1000 // octets of a mailbox name

// validName keeps out what could only be sent as a literal.
func validName(mailbox string) error {
	if mailbox == "" || len(mailbox) > maxName || strings.ContainsAny(mailbox, "\r\n\x00") {
		return fmt.Errorf("imapclient: %.100q is no mailbox name", mailbox)
	}
	return nil
}
