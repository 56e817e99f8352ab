package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/sink"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// stateRow is the last word of a session, a sink or the hooks in the ledger. Not
// every row has every key.
type stateRow struct {
	State   string    `json:"state"`
	Failing time.Time `json:"failing,omitzero"` // since when nothing works
	Err     string    `json:"err,omitempty"`
	Record  string    `json:"record,omitempty"` // the id of the record that a sink does not take
	Waits   time.Time `json:"waits,omitzero"`   // since when that record waits
	Ended   bool      `json:"ended,omitempty"`  // nobody writes the row again before the next start
}

func readState(s ledger.State) (row stateRow) {
	if err := json.Unmarshal([]byte(s.Value), &row); err != nil {
		row.State = s.Value
	}
	return row
}

// failingStates are those of rows without a time of their own, too.
var failingStates = []string{"backoff", "throttled", "auth-failed", "failed", "failing", "dropping"}

func (r stateRow) fails() bool {
	return r.State != "closed" && (!r.Failing.IsZero() || slices.Contains(failingStates, r.State))
}

const (
	sessionState = "session/" // begins the name of a session's row of state: account and folder follow
	hooksState   = "hooks"
	sinkState    = "sink/" // begins the name of a sink's row of state
	// staleAfter is when a row is too old to tell of now: what runs writes its
	// row twice a minute.
	staleAfter = 5 * time.Minute
)

// told lists the rows of state that check tells of: those of the config's
// accounts, sinks and hooks. A folder that is not in the config any more has
// none, nor one whose row nobody writes while the account's other rows are
// written. Feeds and quotas are told of as they are now.
func told(states []ledger.State, config *settings.Config) (rows []ledger.State) {
	newest := make(map[string]time.Time) // by account
	owner := make(map[string]string)     // account, by the row's name
	for _, s := range states {
		for _, a := range config.Accounts {
			folder, found := strings.CutPrefix(s.Name, sessionState+a.Name+"/")
			if !found || folder != "*" && !a.Reads(folder) {
				continue
			}
			owner[s.Name] = a.Name
			if s.At.After(newest[a.Name]) {
				newest[a.Name] = s.At
			}
		}
	}
	for _, s := range states {
		tell := false
		switch account, session := owner[s.Name]; {
		case session:
			tell = newest[account].Sub(s.At) < staleAfter && (!ended(s) || s.At.Equal(newest[account]))
		case s.Name == hooksState:
			tell = len(config.Hooks.Commands()) > 0
		default:
			name, isSink := strings.CutPrefix(s.Name, sinkState)
			tell = isSink && (name == sink.StdoutName || slices.ContainsFunc(config.AllSinks(), func(c sink.Config) bool { return c.Name == name }))
		}
		if tell {
			rows = append(rows, s)
		}
	}
	return rows
}

// ended reports whether a session's row is of a sweep that failed: it says how that
// ended, and not how the account is now.
func ended(s ledger.State) bool {
	return strings.HasPrefix(s.Name, sessionState) && readState(s).State == "failed"
}

// state shows what a session, a sink or the hooks said last. A row that nobody
// writes any more is no check of its own: that watch is not running may be meant
// so. Nor is a sweep that failed: check tries itself what the sweep needs.
func (t *trial) state(s ledger.State, now time.Time) {
	row, age := readState(s), now.Sub(s.At)
	if ended(s) {
		t.say("was", s.Name, fmt.Sprintf("the last sweep failed at %s, %s ago: %s", s.At.Format(time.DateTime), terminal.Duration(age), row.Err))
		return
	}
	text := fmt.Sprintf("%s, as of %s", row.State, s.At.Format(time.DateTime))
	old := age >= staleAfter
	stale := (old || t.unwritten) && row.State != "closed" && !row.Ended
	switch {
	case stale && old:
		text += fmt.Sprintf(", which is stale: nothing has written it for %s", terminal.Duration(age))
	case stale:
		text += fmt.Sprintf(", which is stale: it is %s old, and no fblwatch writes this ledger", terminal.Duration(age))
	case old:
		text += ", " + terminal.Duration(age) + " ago"
	}
	hint := ""
	if row.fails() {
		if !row.Failing.IsZero() {
			text += "; failing for " + terminal.Duration(now.Sub(row.Failing))
		}
		if row.Record != "" {
			text += fmt.Sprintf("; record %s waits since %s, for %s", row.Record, row.Waits.Format(time.DateTime), terminal.Duration(now.Sub(row.Waits)))
			hint = "the later records of its folder wait too; fblwatch records --id " + row.Record + " shows it"
		}
	}
	if row.Err != "" {
		text += ": " + row.Err
	}
	switch {
	case row.fails():
		t.fail(s.Name, failed(errors.New(text), hint))
	case stale:
		t.say("stale", s.Name, text)
	default:
		t.ok(s.Name, "%s", text)
	}
}
