package imapclient

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxCommand is how many octets a command may have. Servers accept at least 8,192
// (RFC 7162 section 4).
const maxCommand = 8000

// Notify asks the server to report new and expunged messages in these mailboxes,
// besides the open one (RFC 5465). Then Idle returns WakeOther, and Changed returns
// the mailboxes. Earlier changes are not reported. The next call replaces the list;
// a call without mailboxes ends the reports. Errors: ErrNoNotify, or a *ResponseError
// with a Backoff if the server wants a pause.
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
		// The server stops the events of the open mailbox that are not named here.
		command = "NOTIFY SET (selected (MessageNew MessageExpunge FlagChange)) (" + filter + " (MessageNew MessageExpunge))"
	}
	if len(command) > maxCommand {
		return fmt.Errorf("%w: %d mailboxes are too many", ErrNoNotify, len(mailboxes))
	}
	if err := c.enable(ctx); err != nil { // with QRESYNC it says CLOSED between two mailboxes
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

// mostNamed is how many mailboxes NOTIFY names. Dovecot accepts a hundred.
const mostNamed = 50

// filter is the filter for mailboxes (RFC 5465 section 6): their names, or if they
// are too many all of the user's own mailboxes.
func (c *Client) filter(ctx context.Context, mailboxes []string) (string, error) {
	args := make([]string, len(mailboxes))
	for i, name := range mailboxes {
		if err := validName(name); err != nil {
			return "", err
		}
		args[i] = c.spelled.arg(name)
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
			return "", fmt.Errorf("%w: so many mailboxes must all be under %[3]q, which %[2]s is not", ErrNoNotify, name, prefix)
		}
	}
	return "personal", nil
}

// Changed returns the mailboxes of Notify that have changed since the last call, in
// order of their names. INBOX is always in capitals.
func (c *Client) Changed() []string {
	changed := slices.Sorted(maps.Keys(c.changed))
	c.changed, c.stirred = nil, false
	return changed
}
