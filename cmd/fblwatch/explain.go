package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/mailfile"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

func (p *program) explainCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "show how one message is read, and where each value comes from",
		ArgsUsage: "FILE|ID",
		Description: "FILE is a message, an mbox or a directory; - is standard input; a URL is a folder\n" +
			"on a server, as parse takes it. ID is the id of a record or report whose message the\n" +
			"ledger keeps. The list of parts says what the reader did with each. A source is the\n" +
			"part and the field that a value was read from: outer, report, original, text, json;\n" +
			"or dns or mmdb, which enrich in the config asks. trust lists the fields that say who\n" +
			"sent the message, and which of them count.\n\n" +
			"Example: fblwatch explain --number 3 ~/mail/fbl\n" +
			"Example: fblwatch explain ce129da5cffb0c534c20a70476098aec.1",
		Flags: []cli.Flag{
			numberFlag("number", "the `N`th message, from 1", 1),
			&cli.StringFlag{Name: "format", Usage: "text or json", Value: "text"},
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "read by the rules of the config `FILE`: providers, identify, trust, enrich, privacy"},
			&cli.StringFlag{Name: "account", Usage: "read as a message of account `NAME` of the config, which names the receiving system"},
			ledgerFlag(),
		},
		Action: p.explain,
	}
}

func (p *program) explain(c *cli.Context) error {
	if c.Args().Len() != 1 {
		return wrong(errors.New("explain takes one file or id"), "fblwatch explain FILE, or - for standard input")
	}
	format, number := c.String("format"), c.Int("number")
	if format != "text" && format != "json" {
		return wrong(fmt.Errorf("unknown format %q", format), "formats are text, json")
	}
	if number < 1 {
		return wrong(fmt.Errorf("--number %d: messages are counted from 1", number), "")
	}
	config, err := p.configOf(c)
	if err != nil {
		return err
	}
	account := c.String("account")
	if c.IsSet("account") && !slices.ContainsFunc(config.Accounts, func(a settings.Account) bool { return a.Name == account }) {
		return wrong(fmt.Errorf("the config has no account %q", account), "name one of its accounts, and the config by --config")
	}
	reading, err := config.Rules(p.resolver)
	if err != nil {
		return err
	}
	message, err := p.messageOf(c, number)
	if err != nil {
		return err
	}
	e := explainMessage(c.Context, reading, message, account)
	if format == "json" {
		return e.writeJSON(p.stdout)
	}
	_, err = io.WriteString(p.stdout, e.text(terminal.Width(p.stdout)))
	return err
}

// messageOf reads the message that the argument of explain names.
func (p *program) messageOf(c *cli.Context, number int) (mailfile.Message, error) {
	path, seen := c.Args().First(), 0
	if _, err := os.Stat(path); err != nil && (idForm.MatchString(path) || shortForm.MatchString(path)) {
		return p.keptMessage(c, path)
	}
	read, err := p.mailboxes([]string{path})
	if err != nil {
		return mailfile.Message{}, err
	}
	for message, err := range read(c.Context, path) {
		if errors.Is(err, mailfile.ErrNotMessage) {
			continue
		} else if err != nil {
			return message, err
		}
		if seen++; seen == number {
			return message, nil
		}
	}
	return mailfile.Message{}, failed(fmt.Errorf("%s has no message %d: it has %s", path, number, terminal.Plural(seen, "message")), "")
}

// keptMessage reads from the ledger the message of a record or report.
func (p *program) keptMessage(c *cli.Context, id string) (mailfile.Message, error) {
	reader, err := p.openReader(c)
	if err != nil {
		return mailfile.Message{}, err
	}
	defer reader.Close()
	if id, err = wholeID(c.Context, reader, id); err != nil {
		return mailfile.Message{}, err
	}
	reportID, _, _ := strings.Cut(id, ".")
	head, err := reader.Head(c.Context, reportID)
	if err != nil {
		return mailfile.Message{}, err
	}
	if head == nil {
		return mailfile.Message{}, failed(fmt.Errorf("the ledger keeps no message with the id %s", reportID), "keep in the config says for how long it keeps messages; name the message's file instead")
	}
	message := mailfile.Message{Path: id, Number: 1, Body: head, Size: int64(len(head))}
	found := id == reportID
	for row, err := range reader.Records(c.Context, ledger.Query{ID: reportID, Replaced: true}) {
		if err != nil {
			return message, err
		}
		found = found || row.ID == id
		r, err := process.ReadRecord(row)
		if err != nil {
			return message, err
		}
		message.Size = max(message.Size, some(r.Mailbox).Size)
	}
	if !found {
		return message, failed(fmt.Errorf("no record has the id %s", id), "fblwatch records --id "+reportID+" lists those of the message")
	}
	if report.ParsePrefix(message.Body, message.Size).ID != reportID {
		fmt.Fprintln(p.stderr, "the ledger keeps a copy that privacy in the config has altered: some values differ from those of the record")
	}
	return message, nil
}
