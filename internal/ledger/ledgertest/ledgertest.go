// Package ledgertest holds every ledger to one contract, and fills ledgers for tests.
package ledgertest

import (
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// Run holds a ledger to the comments in package ledger. open returns an empty one;
// Run closes it.
func Run(t *testing.T, open func(t *testing.T) ledger.Ledger) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, ledger.Ledger)
	}{
		{"ClaimsFence", testClaimsFence},
		{"OrderPerFolder", testOrderPerFolder},
		{"Duplicates", testDuplicates},
		{"AllOrNothing", testAllOrNothing},
		{"Checkpoint", testCheckpoint},
		{"BadBatch", testBadBatch},
		{"Unsent", testUnsent},
		{"UnsentSnapshot", testUnsentSnapshot},
		{"Register", testRegister},
		{"Records", testRecords},
		{"ReportIDs", testReportIDs},
		{"RecordsPages", testRecordsPages},
		{"HostileText", testHostileText},
		{"Long", testLong},
		{"Heads", testHeads},
		{"Prune", testPrune},
		{"Todos", testTodos},
		{"States", testStates},
		{"Beat", testBeat},
		{"Counts", testCounts},
		{"Revise", testRevise},
		{"ReviseCounts", testReviseCounts},
		{"ReviseStale", testReviseStale},
		{"Brake", testBrake},
		{"BrakeRevise", testBrakeRevise},
		{"BrakeRace", testBrakeRace},
		{"Kept", testKept},
		{"Places", testPlaces},
		{"Dead", testDead},
		{"DeadMany", testDeadMany},
		{"Lag", testLag},
		{"Batches", testBatches},
		{"Waitings", testWaitings},
		{"Acted", testActed},
		{"ReplaySince", testReplaySince},
		{"ReplayDead", testReplayDead},
		{"ReplayID", testReplayID},
		{"PruneDead", testPruneDead},
		{"DeliveriesAtOnce", testDeliveriesAtOnce},
		{"DeliveriesCancelled", testDeliveriesCancelled},
		{"CancelledReads", testCancelledReads},
		{"ReadersBesideWriters", testReadersBesideWriters},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := open(t)
			defer func() {
				if err := l.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			}()
			test.run(t, l)
		})
	}
}

var (
	Inbox = ledger.Folder{Account: "yahoo", Name: "INBOX"}
	Junk  = ledger.Folder{Account: "yahoo", Name: "Junk"}
	Noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func Claim(t *testing.T, l ledger.Ledger, f ledger.Folder) ledger.Claim {
	t.Helper()
	c, err := l.Claim(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// message makes a message with n records.
func Message(id string, n int) ledger.Message {
	m := ledger.Message{ReportID: id, UIDValidity: 9, UID: 1, Kind: "arf", At: Noon, Head: []byte("From: " + id)}
	for i := 1; i <= n; i++ {
		rid := fmt.Sprintf("%s.%d", id, i)
		m.Records = append(m.Records, ledger.Record{ID: rid, Revision: 1, At: Noon, JSON: fmt.Appendf(nil, `{"id":%q}`, rid),
			Event: "complaint", Class: "fbl", Provider: "yahoo", Feed: "cfl", SourceIP: "192.0.2.1", Domain: "example.com",
			Campaign: "c", Subscriber: "s", Verdict: "review"})
	}
	return m
}

func Commit(t *testing.T, l ledger.Ledger, c ledger.Claim, messages ...ledger.Message) ledger.Committed {
	t.Helper()
	done, err := l.Commit(t.Context(), c, ledger.Batch{Messages: messages})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func Rows(t *testing.T, rows iter.Seq2[ledger.Row, error]) []ledger.Row {
	t.Helper()
	var all []ledger.Row
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	return all
}

// places writes rows as "folder/seq=id", one string to compare.
func Places(rows []ledger.Row) string {
	var s []string
	for _, r := range rows {
		s = append(s, fmt.Sprintf("%s/%d=%s", r.Folder.Name, r.Seq, r.ID))
	}
	return strings.Join(s, " ")
}

func Want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func Diff(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}
