package main

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

// csvHead are the keys of a record that a CSV export has.
var csvHead = []string{
	"id", "revision", "received_at", "reported_at", "arrival_date",
	"event", "class", "provider", "feed", "feedback_type",
	"source_ip", "original_mail_from", "original_rcpt_to", "rcpt_hash", "complainant",
	"reported_domain", "original_message_id", "original_from", "original_subject",
	"subscriber", "campaign", "tenant", "verdict", "account", "folder", "uid", "codes",
}

// csvRow is a record in the order of csvHead.
func csvRow(r *report.Record) []string {
	original, identity, mailbox := some(r.Original), some(r.Identity), some(r.Mailbox)
	row := []string{
		r.ID, strconv.Itoa(r.Revision), terminal.LongTime(r.ReceivedAt), terminal.LongTime(r.ReportedAt), terminal.LongTime(r.ArrivalDate),
		string(r.Event), string(r.Class), r.Provider, r.Feed, r.FeedbackType,
		r.SourceIP, r.OriginalMailFrom, r.OriginalRcptTo, r.RcptHash, string(r.Complainant),
		strings.Join(r.ReportedDomain, " "), original.MessageID, original.From, original.Subject,
		identity.Subscriber, identity.Campaign, identity.Tenant, string(some(r.Suppress).Verdict), mailbox.Account, mailbox.Folder, strconv.Itoa(int(mailbox.UID)), codesOf(r, " "),
	}
	for i := range row {
		row[i] = inert(terminal.Printable(row[i]))
	}
	return row
}

// inert keeps a spreadsheet from running a value as a formula, also one whose sign
// is of the width that East Asian ones take: a reporter decides what most of them
// hold. Numbers and addresses stay as they are, as no program takes the apostrophe
// off again.
func inert(s string) string {
	if first, _ := utf8.DecodeRuneInString(s); s == "" || !strings.ContainsRune("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", first) || signed.MatchString(s) {
		return s
	}
	return "'" + s
}

// signed knows a number, also of a telephone, and an address in which there is
// nothing to run.
var signed = regexp.MustCompile(`^(?:[+-]\d[\d ]*(?:[.,]\d+)*(?:[eE][+-]?\d+)?|[-+](?:[A-Za-z][A-Za-z0-9._%+=-]*|\d+)@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]+)$`)
