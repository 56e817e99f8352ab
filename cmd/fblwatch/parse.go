package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/mailfile"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

func (p *program) parseCommand() *cli.Command {
	return &cli.Command{
		Name:      "parse",
		Usage:     "read mailbox files, print records; no IMAP, no ledger",
		ArgsUsage: "[PATH...]",
		Description: "PATH is an mbox, Maildir, MH folder, single message or a directory of them,\n" +
			"compressed by gzip or not; - is standard input. A URL is a folder on a server,\n" +
			"imaps://USER@HOST/FOLDER, and so is a c-client name, {HOST/imap/ssl/user=USER}INBOX.\n" +
			"The password comes from FBLWATCH_PASSWORD or the terminal.\n\n" +
			"Example: fblwatch parse -m ~/mail/fbl --format arf",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "mailbox", Aliases: []string{"m"}, Usage: "read `PATH`, like a plain argument"},
			&cli.StringFlag{Name: "format", Usage: "json (one record a line), arf (plain header lines) or table; the default is table on a terminal, else json"},
			&cli.StringFlag{Name: "from", Usage: "only reports from the address `ADDR`"},
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "read by the rules of the config `FILE`: providers, identify, trust, enrich, privacy"},
			&cli.BoolFlag{Name: "all", Usage: "with json: also a line {\"kind\": ..., \"mailbox\": ...} for each message that makes no record"},
		},
		Action: p.parse,
	}
}

func (p *program) parse(c *cli.Context) error {
	paths := append(c.StringSlice("mailbox"), c.Args().Slice()...)
	if len(paths) == 0 {
		return wrong(errors.New("parse needs a mailbox"), "fblwatch parse FILE, or - for standard input")
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
		return wrong(errors.New("--all needs --format json"), "")
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
	err = readMessages(c.Context, paths, read, e.start, func(b *batch, more bool) error {
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
				fmt.Fprintf(p.stderr, "fblwatch: skipped: %s\n", terminal.Printable(b.err.Error()))
			}
		}
		progress.Show("%s, %d MB", terminal.Plural(b.upTo, "message"), b.octets>>20)
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
		err = fmt.Errorf("%s had no message", terminal.Plural(barren, "path"))
	}
	return err
}

// nothingOf is the line for messages of which none was printed.
func nothingOf(messages int, from, format string) string {
	text := terminal.Plural(messages, "message") + " read, no report found"
	if from != "" {
		text += " from " + terminal.Printable(from)
	}
	if from == "" && format == "json" {
		text += "; --all lists each"
	}
	return text
}

// encoder writes one message's part of the output.
type encoder struct {
	ctx     context.Context
	parser  *report.Parser // of one worker
	reading process.Rules
	format  string
	from    string // empty: any
	all     bool
	table   *terminal.Table
}

// start is encode for one worker.
func (e encoder) start() func([]byte, mailfile.Message) []byte {
	e.parser = new(report.Parser)
	return e.encode
}

func (e encoder) encode(dst []byte, m mailfile.Message) []byte {
	r, err := e.parser.Parse(e.ctx, m.Body, m.Size)
	if err != nil { // the end of ctx, which ends readMessages too
		return dst
	}
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
			records[i].Parse.Warnings = append(slices.Clip(records[i].Parse.Warnings), "file: no line separates it from the message before")
		}
		if e.format == "table" {
			dst = e.table.AppendRow(dst, recordtable.Cells(&records[i]))
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

// appendARF writes a report's fields as plain header lines, one blank line
// after them, in the order of RFC 5965 section 3 and RFC 6591 section 3.2.
func appendARF(dst []byte, r *report.Report) []byte {
	line := func(name string, values ...string) {
		for _, v := range values {
			if v != "" {
				dst = append(append(append(append(dst, name...), ": "...), terminal.Printable(v)...), '\n')
			}
		}
	}
	number := func(name string, n int) {
		if n != 0 {
			line(name, strconv.Itoa(n))
		}
	}
	line("Feedback-Type", r.FeedbackType)
	line("User-Agent", r.UserAgent)
	line("Version", r.Version)
	line("Original-Envelope-Id", r.OriginalEnvelopeID)
	line("Original-Mail-From", r.OriginalMailFrom)
	line("Original-Rcpt-To", r.OriginalRcptTo...)
	line("Arrival-Date", r.ArrivalDateRaw)
	if m := r.ReportingMTA; m != nil && m.Type != "" {
		line("Reporting-MTA", m.Type+"; "+m.Name)
	} else if m != nil {
		line("Reporting-MTA", m.Name)
	}
	line("Source-IP", r.SourceIP)
	number("Source-Port", r.SourcePort)
	number("Incidents", r.Incidents)
	line("Authentication-Results", r.AuthenticationResults...)
	line("Reported-Domain", r.ReportedDomain...)
	line("Reported-URI", r.ReportedURI...)

	a := &r.AuthFailure
	line("Auth-Failure", a.AuthFailure)
	line("Delivery-Result", a.DeliveryResult)
	line("Identity-Alignment", a.IdentityAlignment)
	line("DKIM-Domain", a.DKIMDomain)
	line("DKIM-Identity", a.DKIMIdentity)
	line("DKIM-Selector", a.DKIMSelector)
	line("DKIM-Selector-DNS", a.DKIMSelectorDNS)
	line("DKIM-Canonicalized-Header", a.DKIMCanonicalizedHeader)
	line("DKIM-Canonicalized-Body", a.DKIMCanonicalizedBody)
	line("DKIM-ADSP-DNS", a.DKIMADSPDNS)
	line("SPF-DNS", a.SPFDNS...)

	for _, name := range slices.Sorted(maps.Keys(r.Extensions)) {
		line(textproto.CanonicalMIMEHeaderKey(name), r.Extensions[name]...)
	}
	return append(dst, '\n')
}
