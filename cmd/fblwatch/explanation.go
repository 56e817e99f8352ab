package main

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/textproto"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/mailfile"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// explanation shows how one message is read.
type explanation struct {
	Mailbox  report.Mailbox    `json:"mailbox"`
	Kind     report.Kind       `json:"kind"`
	ReportID string            `json:"report_id"`
	Parts    []messagePart     `json:"parts"`
	Problems []problemLine     `json:"problems,omitempty"`
	Records  []explainedRecord `json:"records,omitempty"`
	Trace    []traceLine       `json:"trace,omitempty"`
}

// traceLine is a field of the header that says who sent the message.
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

// explainMessage explains a message that was found in an account; "" means in none.
func explainMessage(ctx context.Context, reading process.Rules, message mailfile.Message, account string) *explanation {
	r := report.ParsePrefix(message.Body, message.Size)
	e := &explanation{
		Mailbox:  report.Mailbox{Account: account, Folder: message.Path, UID: uint32(message.Number), Size: message.Size},
		Kind:     r.Kind,
		ReportID: r.ID,
		Parts:    partsOf(r, message.Body),
	}
	for _, problem := range r.Problems {
		e.Problems = append(e.Problems, problemLine{problem.Text, problem.Loss})
	}
	if message.Joined {
		reading.Trust = nil // no server may have written its header
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

// messagePart is one part of a message, and what the reader did with it.
type messagePart struct {
	Depth    int        `json:"depth"`
	Path     string     `json:"path,omitempty"`
	Type     string     `json:"type"`
	Encoding string     `json:"encoding,omitempty"`
	Name     string     `json:"name,omitempty"`
	Octets   int        `json:"octets"` // of its body, encoded
	Use      report.Use `json:"use"`
	Why      report.Why `json:"why,omitempty"`
}

const maxShownParts = 100

func partsOf(r *report.Report, message []byte) (parts []messagePart) {
	outermost := 0
	for i, part := range r.Parts(message) {
		if i == maxShownParts {
			break
		}
		depth := 0
		if part.Path != "" {
			depth = 1 + strings.Count(part.Path, ".")
		}
		if i == 0 {
			outermost = depth // 1 in a message that is no multipart
		}
		parts = append(parts, messagePart{depth - outermost, part.Path, terminal.Printable(cmp.Or(part.Type, "text/plain")),
			terminal.Printable(part.Encoding), terminal.Printable(part.Name), part.Size, part.Use, part.Why})
	}
	return parts
}

// trace lists the fields that say who sent the message. If the config trusts
// nobody, none counts.
func (e *explanation) trace(ctx context.Context, reading process.Rules, message mailfile.Message, r *report.Report) {
	checker := reading.Trust
	if checker == nil {
		var err error
		if checker, err = trust.New(trust.Config{}, nil, reading.Providers); err != nil { // it asks no DNS
			return
		}
	}
	for _, f := range checker.Trace(ctx, message.Body, r, e.Mailbox.Account, time.Time{}) {
		e.Trace = append(e.Trace, traceLine{terminal.Printable(f.Name), terminal.Printable(f.Says), f.Counted, terminal.Printable(f.Why), f.Code})
	}
}

// sourceOf returns where a value of a record was read: from the reader of the
// report, else the field of that name.
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
	case "fingerprint", "complainant", "recipients", "derived", "identity", "suppress", "mailbox", "parse":
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
