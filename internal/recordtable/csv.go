package recordtable

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/report"
)

// CSVHead are the keys of a record that a CSV export has.
var CSVHead = []string{
	"id", "revision", "received_at", "reported_at", "arrival_date",
	"event", "class", "provider", "feed", "feedback_type",
	"source_ip", "original_mail_from", "original_rcpt_to", "rcpt_hash", "complainant",
	"reported_domain", "original_message_id", "original_from", "original_subject",
	"subscriber", "campaign", "tenant", "verdict", "account", "folder", "uid", "codes",
}

// CSVRow is a record in the order of CSVHead. No value holds a control character, such
// as a newline.
func CSVRow(r *report.Record) []string {
	original, identity, mailbox := cmp.Or(r.Original, new(report.Original)), cmp.Or(r.Identity, new(report.Identity)), cmp.Or(r.Mailbox, new(report.Mailbox))
	row := []string{
		r.ID, strconv.Itoa(r.Revision), terminal.LongTime(r.ReceivedAt), terminal.LongTime(r.ReportedAt), terminal.LongTime(r.ArrivalDate),
		string(r.Event), string(r.Class), r.Provider, r.Feed, r.FeedbackType,
		r.SourceIP, r.OriginalMailFrom, r.OriginalRcptTo, r.RcptHash, string(r.Complainant),
		strings.Join(r.ReportedDomain, " "), original.MessageID, original.From, original.Subject,
		identity.Subscriber, identity.Campaign, identity.Tenant, string(cmp.Or(r.Suppress, new(report.Suppress)).Verdict), mailbox.Account, mailbox.Folder, strconv.Itoa(int(mailbox.UID)), Codes(r, " "),
	}
	for i := range row {
		row[i] = Inert(terminal.Printable(row[i]))
	}
	return row
}

// Codes joins the codes of a record's verdict. Records of earlier versions have
// none.
func Codes(r *report.Record, separator string) string {
	var codes []string
	for _, code := range cmp.Or(r.Suppress, new(report.Suppress)).Codes {
		codes = append(codes, string(code))
	}
	return strings.Join(codes, separator)
}

// Inert keeps a spreadsheet from running a value as a formula: it puts an apostrophe
// before one that begins with a sign, also with a full-width sign. Reporters write
// most values. Numbers and addresses stay as they are, because no program removes
// the apostrophe.
func Inert(s string) string {
	if first, _ := utf8.DecodeRuneInString(s); s == "" || !strings.ContainsRune("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", first) || signed.MatchString(s) {
		return s
	}
	return "'" + s
}

// signed matches a number, a telephone number, and an address that no spreadsheet
// can run.
var signed = regexp.MustCompile(`^(?:[+-]\d[\d ]*(?:[.,]\d+)*(?:[eE][+-]?\d+)?|[-+](?:[A-Za-z][A-Za-z0-9._%+=-]*|\d+)@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z][A-Za-z0-9-]+)$`)
