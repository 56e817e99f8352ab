package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

func (p *program) foldersCommand() *cli.Command {
	return &cli.Command{
		Name:        "folders",
		Usage:       "list the folders of the accounts, with the number of messages in each",
		Description: "Example: fblwatch folders --url imaps://fbl@imap.example.com",
		Flags:       sessionFlags(),
		Action:      p.folders,
	}
}

func (p *program) folders(c *cli.Context) error {
	config, err := p.setup(c)
	if err != nil {
		return err
	}
	return p.eachSession(c, config, p.listFolders)
}

// eachSession does something with each account in turn, and goes on with the
// next where it fails.
func (p *program) eachSession(c *cli.Context, config *settings.Config, do func(*cli.Context, settings.Account) error) error {
	var last error
	for _, a := range config.Accounts {
		err := do(c, a)
		if c.Context.Err() != nil {
			return c.Context.Err()
		}
		if err != nil && last != nil {
			p.printError(last)
		}
		if err != nil {
			last = fmt.Errorf("account %s: %w", a.Name, err)
		}
	}
	return last
}

func (p *program) listFolders(c *cli.Context, a settings.Account) error {
	options, err := p.imapOptions(a)
	if err != nil {
		return err
	}
	client, err := imapclient.Dial(c.Context, options)
	if err != nil {
		return err
	}
	defer client.Close()
	lists, err := client.List(c.Context, "*")
	if err != nil {
		return err
	}
	subscribed, err := client.LSub(c.Context, "*")
	if err != nil && !errors.As(err, new(*imapclient.ResponseError)) { // some have no LSUB any more
		return err
	}
	slices.SortFunc(lists, func(a, b imapclient.List) int { return strings.Compare(a.Mailbox, b.Mailbox) })

	var refused []error
	list := terminal.Sheet{Columns: []terminal.Column{
		{Title: "ACCOUNT", Rank: 1}, {Title: "MESSAGES"}, {Title: "UNSEEN", Rank: 2}, {Title: "SUBSCRIBED", Rank: 3}, {Title: "FOLDER"},
	}}
	print := func() error { return list.Write(p.stdout, terminal.Width(p.stdout), p.colours(p.stdout)) }
	for _, l := range lists {
		mark := "-"
		if slices.ContainsFunc(subscribed, func(s imapclient.List) bool { return s.Mailbox == l.Mailbox }) {
			mark = "yes"
		}
		if !l.Selectable() {
			list.Row(a.Name, "-", "-", mark, l.Mailbox)
			continue
		}
		status, err := client.Status(c.Context, l.Mailbox)
		if refuses(err) {
			refused = append(refused, fmt.Errorf("folder %q: %w", l.Mailbox, err))
		} else if err != nil {
			return errors.Join(print(), err)
		}
		list.Row(a.Name, number(status.Messages), number(status.Unseen), mark, l.Mailbox)
	}
	if err := print(); err != nil {
		return err
	}
	if err := client.Logout(c.Context); err != nil || len(refused) == 0 {
		return err
	}
	return failed(errors.Join(refused...), "the server refuses STATUS for these folders; the others are listed")
}

// refuses reports whether a server refused one command and takes others.
func refuses(err error) bool {
	return errors.As(err, new(*imapclient.ResponseError)) && imapclient.Backoff(err) == 0
}

func number(n *uint32) string {
	if n == nil {
		return "?"
	}
	return fmt.Sprint(*n)
}
