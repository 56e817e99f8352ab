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
	UIDValidity uint64
	UIDNext     uint32 // 0: not told, or beyond 32 bits
	Exists      uint32
	ReadOnly    bool

	// HighestModSeq is the state of the mailbox (RFC 7162 section 3.1.2.1), to
	// be kept for Since; 0: not told.
	HighestModSeq uint64
	// Resynced: what has happened since Since was told as events.
	Resynced bool
}

// Since is what was known of a mailbox at an earlier time.
type Since struct {
	UIDValidity uint64
	ModSeq      uint64 // Selected.HighestModSeq, or what Client.HighestModSeq told later
	UID         uint32 // the highest; above it all is new and need not be told
}

// Examine opens a mailbox read-only: nothing that is done in it leaves a trace
// (RFC 9051 section 6.3.3).
func (c *Client) Examine(ctx context.Context, mailbox string) (Selected, error) {
	return c.open(ctx, mailbox, true, "")
}

// Select opens a mailbox (RFC 9051 section 6.3.2). Selected.ReadOnly tells where
// that allows no changes.
func (c *Client) Select(ctx context.Context, mailbox string) (Selected, error) {
	return c.open(ctx, mailbox, false, "")
}

func (c *Client) open(ctx context.Context, mailbox string, readOnly bool, params string) (Selected, error) {
	if c.locked {
		return Selected{}, ErrLocked
	}
	if err := validName(mailbox); err != nil {
		return Selected{}, err
	}
	err := c.tryOpen(ctx, mailbox, readOnly, params)
	if c.respelled(ctx, mailbox, err) {
		err = c.tryOpen(ctx, mailbox, readOnly, params)
	}
	if err != nil {
		return Selected{}, err
	}
	c.rang, c.risen = false, 0
	c.selected.ReadOnly = c.selected.ReadOnly || readOnly
	if c.selected.UIDValidity == 0 {
		if c.odd != "" {
			return Selected{}, fmt.Errorf("%w: %.40q of %s is no number of 64 bits, so its messages cannot be told apart", ErrUIDValidity, c.odd, mailbox)
		}
		return Selected{}, fmt.Errorf("%w: %s has none, so its messages cannot be told apart", ErrUIDValidity, mailbox)
	}
	return c.selected, nil
}

func (c *Client) tryOpen(ctx context.Context, mailbox string, readOnly bool, params string) error {
	c.drain() // of the mailbox before
	next := callbacks.Mailbox{Account: c.opts.Account, Name: mailbox}
	c.next = &next
	c.opening = true
	defer func() { c.opening = false }()
	if !c.enabled || c.mailbox.Name == "" {
		c.enter() // else the server says when
	}
	defer c.enter()
	name := "SELECT"
	if readOnly {
		name = "EXAMINE"
	}
	if params == "" && c.spelled.octets[mailbox] == "" {
		return c.do(ctx, name, c.limits.Select, func() error {
			_, err := c.gi.Select(mailbox, &imap.SelectOptions{ReadOnly: readOnly}).Wait()
			return err
		})
	}
	return c.own(ctx, c.limits.Select, strings.TrimRight(name+" "+c.arg(mailbox)+" "+params, " "))
}

// enter makes the events that follow those of the next mailbox, if there is one.
func (c *Client) enter() {
	if c.next == nil {
		return
	}
	if c.rang && c.watched != nil { // nobody will tell of it again
		c.stir(c.mailbox.Name)
	}
	c.mailbox, c.next = *c.next, nil
	c.selected, c.permanent, c.odd, c.arrived = Selected{}, nil, "", 0
	c.recents, c.risen, c.shrunk = 0, 0, false
}

// opening tells by a response code that the mailbox before is closed. A server
// says CLOSED where QRESYNC is on (RFC 7162 section 3.2.11); the others belong
// to the next mailbox for certain.
func opening(code string) bool {
	word, _, _ := strings.Cut(strings.ToUpper(code), " ")
	switch word {
	case "CLOSED", "PERMANENTFLAGS", "UIDVALIDITY", "UIDNEXT", "HIGHESTMODSEQ", "NOMODSEQ":
		return true
	}
	return false
}

const maxName = 1000 // octets of a mailbox name

// validName keeps out what could only be sent as a literal.
func validName(mailbox string) error {
	if mailbox == "" || len(mailbox) > maxName || strings.ContainsAny(mailbox, "\r\n\x00") {
		return fmt.Errorf("imapclient: %.100q is no mailbox name", mailbox)
	}
	return nil
}
