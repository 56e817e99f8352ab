package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/mailboxurl"
	"github.com/fblwatch/fblwatch/internal/mailfile"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

func (p *program) parseCommand() *cli.Command {
	return &cli.Command{
		Name:      "parse",
		Usage:     "read mailbox files, print records; no IMAP, no ledger",
		ArgsUsage: "[PATH...]",
		Description: "PATH is an mbox, Maildir, MH folder, single mail or a directory of them,\n" +
			"compressed by gzip or not; - is standard input. A URL is a folder on a server,\n" +
			"imaps://USER@HOST/FOLDER, and so is a c-client name, {HOST/imap/ssl/user=USER}INBOX;\n" +
			"its password is in FBLWATCH_PASSWORD, or is asked for.\n\n" +
			"Example: fblwatch parse -m ~/mail/fbl --format arf",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "mailbox", Aliases: []string{"m"}, Usage: "read `PATH`, like a plain argument"},
			&cli.StringFlag{Name: "format", Usage: "json (one record a line), arf (plain header lines) or table; json where stdout is no terminal, else table"},
			&cli.StringFlag{Name: "from", Usage: "only reports whose From is `ADDR`"},
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "read by the rules of the config `FILE`: providers, identify, trust, enrich, privacy"},
			&cli.BoolFlag{Name: "all", Usage: "with json: also a line {\"kind\": ..., \"mailbox\": ...} for each mail that makes no record"},
		},
		Action: p.parse,
	}
}

// maxMail is how much of one message is kept; a report says what it has to say
// long before.
const maxMessage = 8 << 20

func (p *program) parse(c *cli.Context) error {
	paths := append(c.StringSlice("mailbox"), c.Args().Slice()...)
	if len(paths) == 0 {
		return wrong(errors.New("no mailbox named"), "fblwatch parse FILE, or - for standard input")
	}
	format, err := p.format(c.String("format"), "arf")
	if err != nil {
		return err
	}
	reading, err := p.readingOf(c)
	if err != nil {
		return err
	}
	e := encoder{ctx: c.Context, reading: reading, format: format, from: c.String("from"), all: c.Bool("all"), table: p.recordTable(p.stdout)}
	if e.all && format != "json" {
		return wrong(errors.New("--all goes with --format json only"), "")
	}

	out := bufio.NewWriterSize(p.stdout, 64<<10)
	if format == "table" {
		_, _ = out.Write(e.table.AppendHead(nil)) // the error stays in out
	}
	read, err := p.mailboxes(paths)
	if err != nil {
		return err
	}
	progress := p.progress(true)
	unreadable, barren, messages, octets := 0, 0, 0, 0
	err = readMessages(c.Context, paths, read, e.encode, func(b *batch, more bool) error {
		if b.err != nil {
			progress.Clear()
			switch {
			case errors.Is(b.err, errNothing):
				barren++
				p.printError(b.err)
			case !errors.Is(b.err, mailfile.ErrNotMessage):
				unreadable++
				p.printError(b.err)
			default:
				fmt.Fprintf(p.stderr, "fblwatch: passed over: %s\n", terminal.Printable(b.err.Error()))
			}
		}
		progress.Show("%s, %d MB", terminal.Plural(b.upTo, "mail"), b.octets>>20)
		messages, octets = b.upTo, octets+len(b.out)
		if _, err := out.Write(b.out); err != nil {
			return err
		}
		if more {
			return nil
		}
		return out.Flush()
	})
	progress.Clear()
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err == nil && octets == 0 && (messages > 0 || unreadable+barren == 0) {
		fmt.Fprintln(p.stderr, nothingOf(messages, e.from, format))
	}
	if err == nil && unreadable > 0 {
		err = fmt.Errorf("%s could not be read to the end", terminal.Plural(unreadable, "file"))
	}
	if err == nil && barren > 0 {
		err = fmt.Errorf("%s gave no mail", terminal.Plural(barren, "path"))
	}
	return err
}

// nothingOf says that messages were read and nothing was printed.
func nothingOf(messages int, from, format string) string {
	text := terminal.Plural(messages, "mail") + " read, and no report among them"
	if from != "" {
		text += " from " + terminal.Printable(from)
	}
	if from == "" && format == "json" {
		text += "; --all tells of each"
	}
	return text
}

// readingOf is how messages become records by --config, else without a config.
func (p *program) readingOf(c *cli.Context) (process.Rules, error) {
	config, err := p.configOf(c)
	if err != nil {
		return process.Rules{}, err
	}
	return config.Rules(p.resolver)
}

// configOf is the config of --config, else an empty one.
func (p *program) configOf(c *cli.Context) (*settings.Config, error) {
	config := &settings.Config{}
	if c.IsSet("config") {
		var err error
		if config, err = p.config(c.Context, c.String("config")); err != nil {
			return nil, err
		}
	}
	p.warnExposed(config)
	return config, nil
}

// format checks a --format; without one it is json, or table on a terminal.
func (p *program) format(name, other string) (string, error) {
	switch name {
	case "":
		if terminal.IsTerminal(p.stdout) {
			return "table", nil
		}
		return "json", nil
	case "json", "table", other:
		return name, nil
	}
	return "", wrong(fmt.Errorf("unknown format %q", name), "formats are json, "+other+", table")
}

// encoder makes one message's part of the output.
type encoder struct {
	ctx     context.Context
	reading process.Rules
	format  string
	from    string // empty: any
	all     bool
	table   *terminal.Table
}

func (e encoder) encode(dst []byte, m mailfile.Message) []byte {
	r := report.ParsePrefix(m.Body, m.Size)
	if e.from != "" && !strings.EqualFold(e.from, r.Outer.From) {
		return dst
	}
	if e.format == "arf" {
		if r.Kind == report.KindReport {
			dst = appendARF(dst, r)
		}
		return dst
	}
	mailbox := report.Mailbox{Folder: m.Path, UID: uint32(m.Number)}
	reading := e.reading
	if m.Joined {
		reading.Trust = nil // its header may be no server's
	}
	records, _ := reading.Records(e.ctx, r, m.Body, true, report.Envelope{ProcessedAt: time.Now(), Mailbox: &mailbox})
	for i := range records {
		if m.Joined {
			records[i].Parse.Warnings = append(slices.Clip(records[i].Parse.Warnings), "file: it stands behind another message, with no line between")
		}
		if e.format == "table" {
			dst = e.table.AppendRow(dst, recordCells(&records[i]))
		} else {
			dst = append(records[i].AppendJSON(dst), '\n')
		}
	}
	if e.all && len(records) == 0 {
		mailbox.Size, mailbox.MessageID = m.Size, r.Outer.MessageID
		line, err := json.Marshal(struct {
			Kind    report.Kind    `json:"kind"`
			Mailbox report.Mailbox `json:"mailbox"`
		}{r.Kind, mailbox})
		if err == nil { // strings and numbers always marshal
			dst = append(append(dst, line...), '\n')
		}
	}
	return dst
}

// mailReader yields the messages of one mailbox.
type messageReader func(ctx context.Context, path string) iter.Seq2[mailfile.Message, error]

// mailboxes reads paths, and folders on servers where a path is a URL or a
// c-client name.
func (p *program) mailboxes(paths []string) (messageReader, error) {
	remote := make(map[string]settings.Account)
	for _, path := range paths {
		if !mailboxurl.IsRemote(path) {
			continue
		}
		a, err := p.named(path, "")
		if err != nil {
			hint := "a file of that name begins with ./"
			if errors.Is(err, mailboxurl.ErrPassword) {
				hint = "set FBLWATCH_PASSWORD, or wait to be asked"
			}
			return nil, wrong(fmt.Errorf("mailbox: %w", err), hint)
		}
		a.URL.Folder = cmp.Or(a.URL.Folder, "INBOX")
		remote[path] = a
	}
	return func(ctx context.Context, path string) iter.Seq2[mailfile.Message, error] {
		if a, ok := remote[path]; ok {
			return p.remoteMessages(ctx, a)
		}
		return filled(ctx, path, mailfile.Read(ctx, path, mailfile.Options{MaxMessage: maxMessage, Stdin: p.stdin}))
	}, nil
}

var errNothing = errors.New("nothing to read")

// filled yields the messages of a path that was named, and an error where there are
// none: a person, or a program, expects some.
func filled(ctx context.Context, path string, messages iter.Seq2[mailfile.Message, error]) iter.Seq2[mailfile.Message, error] {
	return func(yield func(mailfile.Message, error) bool) {
		found, passed := false, 0
		for message, err := range messages {
			switch {
			case err == nil && message.Size == 0 && message.Path == path:
				continue
			case !errors.Is(err, mailfile.ErrNotMessage):
				found = true
			case message.Path == path: // in a directory it may stand beside messages
				found = true
				err = failed(errors.New(err.Error()), "name an mbox, a Maildir, an MH folder, a single mail or a directory of them; unpack an archive first")
			default:
				passed++
			}
			if !yield(message, err) {
				return
			}
		}
		if found || ctx.Err() != nil {
			return
		}
		what := "is empty: there is no mail in it"
		if passed > 0 {
			what = fmt.Sprintf("has no mail in it, but %s of another kind", terminal.Plural(passed, "file"))
		} else if info, err := os.Stat(path); err == nil && info.IsDir() {
			what = "has no mail in it"
		}
		yield(mailfile.Message{Path: path}, failed(fmt.Errorf("%w: %s %s", errNothing, path, what), "name a mailbox with mails in it; fblwatch parse --help says of which kinds"))
	}
}

// readAll yields the messages at all paths; it ends early only with ctx.
func readAll(ctx context.Context, paths []string, read messageReader, yield func(mailfile.Message, error) bool) {
	for _, path := range paths {
		for message, err := range read(ctx, path) {
			if !yield(message, err) || ctx.Err() != nil {
				return
			}
		}
	}
}
