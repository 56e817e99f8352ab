package imapclient

import (
	"context"
	"fmt"
)

const maxLists = 1 << 16 // mailboxes of one answer

// LSub returns the mailboxes that the user has subscribed to (RFC 3501 section
// 6.3.9) and that match an IMAP pattern, see List. They may not exist.
func (c *Client) LSub(ctx context.Context, pattern string) ([]List, error) {
	return c.list("LSUB", pattern, func() error {
		return c.own(ctx, c.limits.Command, `LSUB "" `+mailboxArg(pattern))
	})
}

func (c *Client) list(name, pattern string, run func() error) ([]List, error) {
	if err := c.ready(pattern); err != nil {
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
	c.spelled.learn(lists)
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
		c.warn(fmt.Sprintf("the server answers %s with names that the pattern %q does not match: %d of %d left out", command, pattern, left, len(lists)))
	}
	return kept
}

// listed takes a line of LIST or LSUB.
func (c *Client) listed(name, octets string, delim rune, attrs []string) {
	mailbox := c.spelled.name(octets)
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

// respelled reports whether the server has another spelling for a refused name, so
// that another try is worth it. It lists all mailboxes, once a session.
func (c *Client) respelled(ctx context.Context, mailbox string, refusal error) bool {
	if !isRefusal(refusal) || c.spelled.asked || c.spelled.octets[mailbox] != "" || !canBeOdd(mailbox) {
		return false
	}
	c.spelled.asked = true
	_, err := c.listOnce(ctx, "*")
	return err == nil && c.spelled.octets[mailbox] != ""
}

// List returns the mailboxes that match an IMAP pattern (RFC 9051 section 6.3.9):
// "*" matches anything, "%" anything within one level. Case does not matter. A
// mailbox that the server lists although it does not match is left out, with one
// warning a session. If the server refuses the pattern, or may spell it otherwise,
// List asks for all mailboxes and matches them itself. More than 65,536 mailboxes are
// ErrProtocol. A refusal is a *ResponseError.
func (c *Client) List(ctx context.Context, pattern string) ([]List, error) {
	lists, err := c.listOnce(ctx, pattern)
	if pattern == "*" || err != nil && !isRefusal(err) || err == nil && (len(lists) > 0 || !canBeOdd(pattern)) {
		return lists, err
	}
	all, allErr := c.listOnce(ctx, "*")
	if allErr != nil {
		if isRefusal(allErr) {
			return nil, err
		}
		return nil, allErr
	}
	c.spelled.asked = true
	for _, l := range all {
		if matches(pattern, l.Mailbox, l.Delim) {
			lists = append(lists, l)
		}
	}
	return lists, nil
}

// listOnce is one LIST.
func (c *Client) listOnce(ctx context.Context, pattern string) ([]List, error) {
	return c.list("LIST", pattern, func() error {
		return c.do(ctx, "LIST", c.limits.Command, func() error {
			return c.gi.List("", pattern, nil).Close()
		})
	})
}
