package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/mailfile"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

func (p *program) explainCommand() *cli.Command {
	return &cli.Command{
		Name:      "explain",
		Usage:     "show how one mail is read, and where each value comes from",
		ArgsUsage: "FILE",
		Description: "FILE is a mail, an mbox or a directory; - is standard input; or a folder on a\n" +
			"server, as parse takes it. A source is the part and the field that a value was read\n" +
			"from: outer, report, original, text, json; or dns or mmdb, which the config's enrich\n" +
			"asks. trust lists the fields that say who sent the message, and which of them count.\n\n" +
			"Example: fblwatch explain --number 3 ~/mail/fbl",
		Flags: []cli.Flag{
			numberFlag("number", "the `N`th mail, from 1", 1),
			&cli.StringFlag{Name: "format", Usage: "text or json", Value: "text"},
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "read by the rules of the config `FILE`: providers, identify, trust, enrich, privacy"},
			&cli.StringFlag{Name: "account", Usage: "as if found in account `NAME` of the config, which says what system took the message in"},
		},
		Action: p.explain,
	}
}

func (p *program) explain(c *cli.Context) error {
	if c.Args().Len() != 1 {
		return wrong(errors.New("one file is wanted"), "fblwatch explain FILE, or - for standard input")
	}
	format, number := c.String("format"), c.Int("number")
	if format != "text" && format != "json" {
		return wrong(fmt.Errorf("unknown format %q", format), "formats are text, json")
	}
	if number < 1 {
		return wrong(fmt.Errorf("--number %d: mails are counted from 1", number), "")
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
	path, seen := c.Args().First(), 0
	read, err := p.mailboxes([]string{path})
	if err != nil {
		return err
	}
	for message, err := range read(c.Context, path) {
		if err != nil {
			if errors.Is(err, mailfile.ErrNotMessage) {
				continue
			}
			return err
		}
		if seen++; seen < number {
			continue
		}
		e := explainMessage(c.Context, reading, message, account)
		if format == "json" {
			return e.writeJSON(p.stdout)
		}
		_, err := io.WriteString(p.stdout, e.text(terminal.Width(p.stdout)))
		return err
	}
	return failed(fmt.Errorf("%s: no mail %d, there are %d", path, number, seen), "")
}

// explanation is how one message is read.
type explanation struct {
	Mailbox  report.Mailbox    `json:"mailbox"`
	Kind     report.Kind       `json:"kind"`
	ReportID string            `json:"report_id"`
	Parts    []messagePart     `json:"parts"`
	Problems []problemLine     `json:"problems,omitempty"`
	Records  []explainedRecord `json:"records,omitempty"`
	Trace    []traceLine       `json:"trace,omitempty"`
}

// traceLine is a field of the header by which the sender is judged.
type traceLine struct {
	Name    string      `json:"name"`
	Says    string      `json:"says"`
	Counted bool        `json:"counted"`
	Why     string      `json:"why,omitempty"`
	Code    report.Code `json:"code,omitempty"`
}

type problemLine struct {
	Text string `json:"text"`
	Loss bool   `json:"loss"` // something could not be read
}

type explainedRecord struct {
	Record  json.RawMessage   `json:"record"`
	Sources map[string]string `json:"sources"` // by key: where its value was read
}

// valueRow is one value of a record; a key within a key has a dot.
type valueRow struct{ key, source, value string }

// explainMail explains a message that was found in an account; "": in none.
func explainMessage(ctx context.Context, reading process.Rules, message mailfile.Message, account string) *explanation {
	r := report.ParsePrefix(message.Body, message.Size)
	e := &explanation{
		Mailbox:  report.Mailbox{Account: account, Folder: message.Path, UID: uint32(message.Number), Size: message.Size},
		Kind:     r.Kind,
		ReportID: r.ID,
		Parts:    partsOf(message.Body),
	}
	for _, problem := range r.Problems {
		e.Problems = append(e.Problems, problemLine{problem.Text, problem.Loss})
	}
	if message.Joined {
		reading.Trust = nil // its header may be no server's
	}
	records, _ := reading.Records(ctx, r, message.Body, true, report.Envelope{Mailbox: &e.Mailbox})
	if len(records) > 0 && !message.Joined {
		e.trace(ctx, reading, message, r)
	}
	for one, own := range r.Split(records) {
		for i := range own {
			explained := explainedRecord{Record: own[i].AppendJSON(nil), Sources: map[string]string{}}
			last := ""
			for _, row := range rowsOf(explained.Record) {
				if row.key == last { // one more of a list
					continue
				}
				last = row.key
				if source := sourceOf(one, &own[0], row.key); source != "" {
					explained.Sources[terminal.Printable(row.key)] = terminal.Printable(source)
				}
			}
			e.Records = append(e.Records, explained)
		}
	}
	return e
}

// trace lists the fields by which the sender is judged. Where the config trusts
// nobody, none counts.
func (e *explanation) trace(ctx context.Context, reading process.Rules, message mailfile.Message, r *report.Report) {
	checker := reading.Trust
	if checker == nil {
		var err error
		if checker, err = trust.New(trust.Config{}, nil, reading.Providers); err != nil { // it asks nobody
			return
		}
	}
	for _, f := range checker.Trace(ctx, message.Body, r, e.Mailbox.Account, time.Time{}) {
		e.Trace = append(e.Trace, traceLine{terminal.Printable(f.Name), terminal.Printable(f.Says), f.Counted, terminal.Printable(f.Why), f.Code})
	}
}

// rowsOf lists the values of a record in the order of its JSON.
func rowsOf(line []byte) (rows []valueRow) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var walk func(key string)
	walk = func(key string) {
		token, err := d.Token()
		if err != nil {
			return // AppendJSON writes JSON
		}
		switch token {
		case json.Delim('{'):
			for d.More() {
				name, _ := d.Token()
				walk(strings.TrimPrefix(fmt.Sprintf("%s.%v", key, name), "."))
			}
			_, _ = d.Token()
		case json.Delim('['):
			for d.More() {
				walk(key)
			}
			_, _ = d.Token()
		default:
			rows = append(rows, valueRow{key: key, value: fmt.Sprint(token)})
		}
	}
	walk("")
	return rows
}

// sourceOf says where a record's value was read: what the report's reader says
// of it, else the field of that name.
func sourceOf(r *report.Report, rec *report.Record, key string) string {
	top, rest, _ := strings.Cut(key, ".")
	for _, k := range []string{key, top} {
		if source := rec.Derived[k]; source != "" {
			return source
		}
	}
	field := func(source string, names ...string) string {
		for _, name := range names {
			if len(r.Header(source).Values(name)) > 0 {
				return source + ":" + textproto.CanonicalMIMEHeaderKey(name)
			}
		}
		return ""
	}
	switch top {
	case "fingerprint", "complainant", "recipients", "tags", "derived", "identity", "suppress", "mailbox", "parse":
		return "" // ours
	case "source":
		if rest == "reverse_dns" {
			return "dns"
		}
		return "mmdb"
	case "arrival_date", "arrival_date_raw":
		return field(report.FromReport, "arrival-date", "received-date")
	case "rcpt_hash":
		return field(report.FromReport, "original-rcpt-to")
	case "reported_at":
		if r.Outer.Date.Equal(rec.ReportedAt) {
			return "outer:Date"
		}
		return "outer:Received"
	case "reporter":
		if rest == "from" || rest == "from_domain" {
			return "outer:From"
		}
		return ""
	case "extensions":
		return field(report.FromReport, rest)
	case "original":
		switch rest {
		case "from_domain":
			rest = "from"
		case "dkim_domains":
			rest = "dkim-signature"
		}
		return field(report.FromOriginal, strings.ReplaceAll(rest, "_", "-"))
	}
	return field(report.FromReport, strings.ReplaceAll(top, "_", "-"))
}

func (e *explanation) writeJSON(w io.Writer) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
