package imapclient

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/callbacks"
)

// maxCommand is how many octets a command may have; servers take 8,192 at least
// (RFC 7162 section 4).
const maxCommand = 8000

// Notify asks the server to tell of new and expunged messages in these mailboxes,
// whichever one is open (RFC 5465): then Idle returns WakeOther, and Changed says
// which. What has happened before is not told. It lasts until the next call; none
// of the mailboxes ends it. ErrNoNotify: the server does not offer it, or refuses,
// and not for a Backoff only.
func (c *Client) Notify(ctx context.Context, mailboxes ...string) error {
	if c.locked {
		return ErrLocked
	}
	if !c.Has("NOTIFY") {
		return ErrNoNotify
	}
	filter, err := c.filter(ctx, mailboxes)
	if err != nil {
		return err
	}
	command := "NOTIFY NONE"
	if len(mailboxes) > 0 {
		// An event of the open mailbox that is not named here is no longer told.
		command = "NOTIFY SET (selected (MessageNew MessageExpunge FlagChange)) (" + filter + " (MessageNew MessageExpunge))"
	}
	if len(command) > maxCommand {
		return fmt.Errorf("%w: not of %d at once", ErrNoNotify, len(mailboxes))
	}
	if err := c.enable(ctx); err != nil { // so that it says where one mailbox's news end
		return err
	}
	err = c.own(ctx, c.limits.Command, command)
	if errors.As(err, new(*ResponseError)) && Backoff(err) == 0 {
		return fmt.Errorf("%w: %s", ErrNoNotify, bare(err))
	}
	if err == nil {
		c.watched, c.overflow = make(map[string]bool), false
		for _, name := range mailboxes {
			c.watched[inbox(name)] = true
		}
	}
	return err
}

// mostNamed is how many mailboxes are named to NOTIFY; Dovecot takes a hundred.
const mostNamed = 50

// filter names mailboxes (RFC 5465 section 6): each, or where they are many all
// that are the user's own, if all of them are.
func (c *Client) filter(ctx context.Context, mailboxes []string) (string, error) {
	args := make([]string, len(mailboxes))
	for i, name := range mailboxes {
		if err := validName(name); err != nil {
			return "", err
		}
		args[i] = c.arg(name)
	}
	if len(args) <= mostNamed {
		return "mailboxes (" + strings.Join(args, " ") + ")", nil
	}
	prefix, _, err := c.namespace(ctx)
	if err != nil && !errors.As(err, new(*ResponseError)) {
		return "", err
	}
	for _, name := range mailboxes {
		if !strings.HasPrefix(inbox(name), prefix) && inbox(name) != "INBOX" {
			return "", fmt.Errorf("%w: not of so many, of which %s is not under %q", ErrNoNotify, name, prefix)
		}
	}
	return "personal", nil
}

// Changed lists the mailboxes of Notify that have changed since the last call.
func (c *Client) Changed() []string {
	changed := slices.Sorted(maps.Keys(c.changed))
	c.changed, c.stirred = nil, false
	return changed
}

// stir notes that a mailbox has changed, if anybody wants to know.
func (c *Client) stir(mailbox string) {
	if !c.watched[inbox(mailbox)] {
		return
	}
	if c.changed == nil {
		c.changed = make(map[string]bool)
	}
	c.changed[inbox(mailbox)] = true
	c.stirred = true
}

// overflowed takes NOTIFICATIONOVERFLOW: the server has given up telling, so
// everything may have changed (RFC 5465 section 5.8).
func (c *Client) overflowed() {
	c.overflow = c.watched != nil
	for name := range c.watched {
		c.stir(name)
	}
}

// statusLine takes a STATUS line: the answer to Status, or news of a mailbox.
func (c *Client) statusLine(octets string, st callbacks.Status) {
	mailbox := c.name(octets)
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

// inbox gives the one name without case its usual form.
func inbox(name string) string {
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	return name
}
