// Package delivery is what sinks get, and what their receivers answer: items, and the
// refusal of items that are at fault.
package delivery

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// Kind is what an Item is about.
type Kind string

const (
	KindRecord Kind = "record"
	KindAlarm  Kind = "alarm"
)

// Item is what a sink gets: a record of the ledger, or an alarm. ID, Revision, JSON (one
// object, no newline) and the columns that queries use are those of its Row. An Item is
// not for concurrent use.
type Item struct {
	Kind Kind // "" is KindRecord
	ledger.Row

	record *report.Record // of JSON, once it was asked for
}

// Items makes an Item of each row.
func Items(rows []ledger.Row) []Item {
	items := make([]Item, len(rows))
	for i := range rows {
		items[i].Row = rows[i]
	}
	return items
}

// Key is the item's idempotency key: equal each time it is sent, and another one if a
// person has it sent again. It is ID.Revision, and #n at the nth replay.
func (i *Item) Key() string {
	key := i.ID + "." + strconv.Itoa(i.Revision)
	if i.Replay > 0 {
		key += "#" + strconv.Itoa(i.Replay)
	}
	return key
}

// Column returns the value of a record's key that the ledger knows without reading the
// JSON; see rule.Values.
func (i *Item) Column(key string) (value string, known bool) {
	switch key {
	case "id":
		return i.ID, true
	case "revision":
		return strconv.Itoa(i.Revision), true
	case "event":
		return i.Event, true
	case "class":
		return i.Class, true
	case "provider":
		return i.Provider, true
	case "feed":
		return i.Feed, true
	case "source_ip":
		return i.SourceIP, true
	case "identity.campaign":
		return i.Campaign, true
	case "identity.subscriber":
		return i.Subscriber, true
	case "suppress.verdict":
		return i.Verdict, true
	}
	return "", false
}

// Record is the item's JSON, read once. Do not change it.
func (i *Item) Record() (*report.Record, error) {
	if i.record == nil {
		record := new(report.Record)
		if err := json.Unmarshal(i.JSON, record); err != nil {
			return nil, fmt.Errorf("delivery: record %s: %w", i.ID, err)
		}
		i.record = record
	}
	return i.record, nil
}
