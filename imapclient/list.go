package imapclient

import (
	"context"
	"fmt"
	"strings"

	"github.com/emersion/go-imap/v2"

	"github.com/fblwatch/fblwatch/callbacks"
)

// List is one mailbox of the server (RFC 9051 section 7.3.1).
type List struct {
	Mailbox string   // name in UTF-8, as the methods of Client take it
	Delim   rune     // between the levels of the name; 0: no hierarchy
	Attrs   []string // such as \HasChildren
}

// Selectable reports whether the mailbox can be opened: it has neither \Noselect
// nor \NonExistent.
func (l List) Selectable() bool {
	for _, a := range l.Attrs {
		if strings.EqualFold(a, `\Noselect`) || strings.EqualFold(a, `\NonExistent`) {
			return false
		}
	}
	return true
}

const maxLists = 1 << 16 // mailboxes of one answer

// LSub returns the mailboxes that the user has subscribed to (RFC 3501 section
// 6.3.9) and that match an IMAP pattern, see List. They may not exist.
func (c *Client) LSub(ctx context.Context, pattern string) ([]List, error) {
	return c.list("LSUB", pattern, func() error {
		return c.own(ctx, c.limits.Command, `LSUB "" `+mailboxArg(pattern))
	})
}

func (c *Client) list(name, pattern string, run func() error) ([]List, error) {
	if c.locked {
		return nil, ErrLocked
	}
	if err := validName(pattern); err != nil {
		return nil, err
	}
	c.listing, c.lists = name, nil
	err := run()
	lists := c.lists
	c.listing, c.lists = "", nil
	octets := make([]string, len(lists))
	for i, l := range lists {
		octets[i] = l.Mailbox
	}
	c.learn(lists)
	return c.matching(name, pattern, lists, octets), err
}

// matching drops mailboxes that the pattern does not match: Twisted reads a pattern
// as the beginning of a name. A mailbox with a spelling of its own may match by the
// shown or the decoded name.
func (c *Client) matching(command, pattern string, lists []List, octets []string) []List {
	if pattern == "" { // asks for the hierarchy delimiter (RFC 9051 section 6.3.9)
		return lists
	}
	kept := lists[:0]
	for i, l := range lists {
		if matches(pattern, l.Mailbox, l.Delim) || matches(pattern, decodeName(octets[i]), l.Delim) {
			kept = append(kept, l)
		}
	}
	if left := len(lists) - len(kept); left > 0 && !c.overlists {
		c.overlists = true
		c.h.Log(callbacks.Warn, fmt.Sprintf("the server answers %s with names that the pattern %q does not match: %d of %d left out", command, pattern, left, len(lists)))
	}
	return kept
}

// listed takes a line of LIST or LSUB.
func (c *Client) listed(name, octets string, delim rune, attrs []string) {
	mailbox := c.name(octets)
	if name == c.listing {
		if len(c.lists) == maxLists {
			c.tap.end(fmt.Errorf("%w: more than %d mailboxes in answer to %s", ErrProtocol, maxLists, name))
			return
		}
		c.lists = append(c.lists, List{octets, delim, attrs}) // list names it
	}
	if name == "LSUB" {
		c.h.LSub(mailbox, delim, attrs)
	} else {
		c.h.List(mailbox, delim, attrs)
	}
}

// Status returns the counts of a mailbox without opening it (RFC 9051 section
// 6.3.11): messages, UIDNEXT, UIDVALIDITY and unseen. A count is nil if the server
// did not send it. A refusal is a *ResponseError.
func (c *Client) Status(ctx context.Context, mailbox string) (callbacks.Status, error) {
	if c.locked {
		return callbacks.Status{}, ErrLocked
	}
	if err := validName(mailbox); err != nil {
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
		err = c.own(ctx, c.limits.Command, "STATUS "+c.arg(mailbox)+" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)")
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

// Noop asks the server for news (RFC 9051 section 6.1.2). The Handler receives them
// before Noop returns.
func (c *Client) Noop(ctx context.Context) error {
	return c.do(ctx, "NOOP", c.limits.Command, func() error { return c.gi.Noop().Wait() })
}

// Rang reports whether the number of messages in the open mailbox has risen since
// the last call or the last Idle.
func (c *Client) Rang() bool {
	rang := c.rang
	c.rang = false
	return rang
}
