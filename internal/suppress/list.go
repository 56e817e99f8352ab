// Package suppress lists from a ledger's records the people who must get no more
// messages, the decisions about doubtful ones, and the state of the feeds. It prints
// nothing.
package suppress

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/report"
)

// Reader is the part of a ledger that the package reads. Its methods do what
// those of [ledger.Reader] do.
type Reader interface {
	Records(ctx context.Context, q ledger.Query) iter.Seq2[ledger.Row, error]
	Unsent(ctx context.Context, sink string, without ...int64) iter.Seq2[ledger.Row, error]
}

// Entry is one complainant: a recipient, or a subscriber of one tenant.
type Entry struct {
	Subscriber    string         `json:"subscriber,omitempty"`
	Rcpt          string         `json:"original_rcpt_to,omitempty"`
	RcptHash      string         `json:"rcpt_hash,omitempty"` // from a provider that gives no address
	Campaign      string         `json:"campaign,omitempty"`
	Tenant        string         `json:"tenant,omitempty"`
	Provider      string         `json:"provider"`
	Verdict       report.Verdict `json:"verdict"`
	FirstReported time.Time      `json:"first_reported,omitzero"`
	LastReceived  time.Time      `json:"last_received,omitzero"`
	Reports       int            `json:"reports"` // distinct ones
	ID            string         `json:"id"`      // of the record received last

	reports map[string]bool // report_ids, from the second on
}

// complainant is the key of an Entry. A subscriber's id means nothing without its
// tenant. One address may be several subscribers; each has an entry.
type complainant struct{ rcpt, hash, subscriber, tenant string }

// List holds the people to suppress.
type List struct {
	Entries  []*Entry // the one received last first
	Nameless int      // records with verdict review that name nobody
	Read     int64    // records that ReadNew took in, of any verdict

	byWho map[complainant]*Entry
	seen  map[int64]int64 // the last Seq that ReadNew took in, by folder
}

// Read lists the complainants of the records received at or after since; zero
// means all. With review it adds the complainants without a record of verdict yes.
func Read(ctx context.Context, l Reader, since time.Time, review bool) (*List, error) {
	list := newList()
	for _, verdict := range verdicts(review) {
		for row, err := range l.Records(ctx, ledger.Query{Since: since, Verdict: string(verdict)}) {
			if err == nil {
				err = list.add(row)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return list.sorted(), nil
}

// cursor is the name of the cursor of ReadNew in the ledger, like a sink's.
const cursor = "suppress --new"

// ReadNew lists the complainants of the records that came, or were revised, after
// the last Acks. Until these Acks are written, the same records come again.
func ReadNew(ctx context.Context, l Reader, review bool) (*List, error) {
	list := newList()
	for i, verdict := range verdicts(review) {
		for row, err := range l.Unsent(ctx, cursor) {
			if err == nil && row.Verdict == string(verdict) && !row.Replaced {
				err = list.add(row)
			}
			if err != nil {
				return nil, err
			}
			if i == 0 { // a later round may see more
				list.seen[row.FolderID] = row.Seq
				list.Read++
			}
		}
	}
	return list.sorted(), nil
}

// Acks is the change that makes the next ReadNew begin after this one.
func (l *List) Acks() (c ledger.Change) {
	for folder, seq := range l.seen {
		c.Ack = append(c.Ack, ledger.Acked{Sink: cursor, FolderID: folder, Seq: seq})
	}
	return c
}

// verdicts begin with yes: add depends on it.
func verdicts(review bool) []report.Verdict {
	if review {
		return []report.Verdict{report.SuppressYes, report.SuppressReview}
	}
	return []report.Verdict{report.SuppressYes}
}

func newList() *List {
	return &List{byWho: make(map[complainant]*Entry), seen: make(map[int64]int64)}
}

// add counts a record for its complainant. Records with verdict yes come first.
// After that no record with verdict review changes the entry: anybody could have
// sent it.
func (l *List) add(row ledger.Row) error {
	r, err := process.ReadRecord(row)
	if err != nil {
		return err
	}
	var identity report.Identity
	if r.Identity != nil {
		identity = *r.Identity
	}
	who := complainant{strings.ToLower(r.OriginalRcptTo), r.RcptHash, identity.Subscriber, identity.Tenant}
	if who.rcpt+who.hash+who.subscriber == "" {
		l.Nameless++
		return nil
	}
	verdict := report.Verdict(row.Verdict)
	e := l.byWho[who]
	if e == nil {
		e = &Entry{Verdict: verdict}
		l.byWho[who] = e
	}
	if e.Verdict != verdict {
		return nil
	}
	reported := cmp.Or(r.ReportedAt, row.At)
	if e.FirstReported.IsZero() || reported.Before(e.FirstReported) {
		e.FirstReported = reported
	}
	e.count(row.ID)
	if !row.At.Before(e.LastReceived) {
		e.Subscriber, e.Tenant, e.Campaign = identity.Subscriber, identity.Tenant, identity.Campaign
		e.Rcpt, e.RcptHash = r.OriginalRcptTo, r.RcptHash
		e.Provider, e.LastReceived, e.ID = r.Provider, row.At, row.ID
	}
	return nil
}

// count counts distinct reports. Most complainants have one, which needs no map.
func (e *Entry) count(id string) {
	report, _, _ := strings.Cut(id, ".")
	if e.Reports == 0 {
		e.Reports = 1
		return
	}
	if e.reports == nil {
		first, _, _ := strings.Cut(e.ID, ".")
		e.reports = map[string]bool{first: true}
	}
	e.reports[report] = true
	e.Reports = len(e.reports)
}

func (l *List) sorted() *List {
	l.Entries = slices.SortedFunc(maps.Values(l.byWho), func(a, b *Entry) int {
		return cmp.Or(b.LastReceived.Compare(a.LastReceived), strings.Compare(a.ID, b.ID))
	})
	return l
}
