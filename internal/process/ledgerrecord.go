package process

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// LedgerRecord is a record with its JSON and the columns of the ledger. It keeps no text of
// r, which may be part of a message.
func LedgerRecord(r *report.Record, json []byte) ledger.Record {
	row := ledger.Record{
		ID: r.ID, Revision: r.Revision, At: r.ReceivedAt, JSON: json,
		Event: string(r.Event), Class: string(r.Class), Provider: strings.Clone(r.Provider), Feed: r.Feed, SourceIP: strings.Clone(r.SourceIP),
	}
	if row.At.IsZero() {
		row.At = r.ProcessedAt
	}
	if r.Original != nil {
		row.Domain = strings.Clone(r.Original.FromDomain)
	}
	if r.Identity != nil {
		row.Campaign, row.Subscriber = strings.Clone(r.Identity.Campaign), strings.Clone(r.Identity.Subscriber)
		if r.Event == report.Complaint || r.Event == report.OptOut { // other events need no identity
			row.Identity = string(r.Identity.Status)
		}
	}
	if r.Suppress != nil {
		row.Verdict = string(r.Suppress.Verdict)
	}
	return row
}

// ReadRecord reads the record that a row of the ledger holds.
func ReadRecord(row ledger.Row) (r report.Record, err error) {
	if err := json.Unmarshal(row.JSON, &r); err != nil {
		return r, fmt.Errorf("record %s of the ledger is unreadable: %w", row.ID, err)
	}
	return r, nil
}
