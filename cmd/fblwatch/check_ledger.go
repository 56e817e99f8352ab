package main

import (
	"cmp"
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

// staleAfter is the age at which a row is stale. A writer notes a heartbeat each 30
// seconds.
const staleAfter = 5 * time.Minute

// reported returns the rows of state that check reports: those of the config's
// accounts, sinks and hooks. Of an account it reports what its last writer wrote, and
// no folder that has ended while another is watched. Feeds and quotas are asked for
// instead.
func reported(states []ledger.Status, config *settings.Config) (rows []ledger.Status) {
	owner := make(map[string]string)         // account, by the row's name
	latest := make(map[string]ledger.Status) // by account
	open := make(map[string]bool)            // account has a row of that run that has not ended
	for _, s := range states {
		for _, a := range config.Accounts {
			folder, found := strings.CutPrefix(s.Name, ledger.SessionStatus+a.Name+"/")
			if !found || folder != "*" && !a.Reads(folder) {
				continue
			}
			owner[s.Name] = a.Name
			if last := latest[a.Name]; s.Run.After(last.Run) || s.Run.Equal(last.Run) && s.At.After(last.At) {
				latest[a.Name], open[a.Name] = s, s.Run.Equal(last.Run) && open[a.Name]
			}
			if s.Run.Equal(latest[a.Name].Run) && !s.State.Ends() {
				open[a.Name] = true
			}
		}
	}
	for _, s := range states {
		report := false
		switch account, session := owner[s.Name]; {
		case session:
			last := latest[account]
			report = s.Run.Equal(last.Run) && (s.State != ledger.StateFailed || s.At.Equal(last.At)) &&
				(s.State != ledger.StateClosed || !open[account] || s.Run.IsZero()) &&
				(!s.Run.IsZero() || last.At.Sub(s.At) < staleAfter) // an older version wrote each row twice a minute
		case s.Name == ledger.HooksStatus:
			report = len(config.Hooks.Commands()) > 0
		default:
			name, isSink := strings.CutPrefix(s.Name, ledger.SinkStatus)
			report = isSink && (name == sink.StdoutName || slices.ContainsFunc(config.AllSinks(), func(c sink.Config) bool { return c.Name == name }))
		}
		if report {
			rows = append(rows, s)
		}
	}
	return rows
}

// state shows what a session, a sink or the hooks said last. A stale row is no failure:
// watch may be stopped on purpose. Nor is a sweep that failed: check tries itself what
// the sweep needs.
func (t *trial) state(s ledger.Status, now time.Time) {
	at, age := s.Beat.Format(time.DateTime), now.Sub(s.Beat)
	if s.State == ledger.StateFailed {
		t.say("was", s.Name, fmt.Sprintf("the last sweep failed at %s, %s ago: %s", at, terminal.Duration(age), s.Error))
		return
	}
	text := fmt.Sprintf("%s, as of %s", cmp.Or(string(s.State), "unknown"), at)
	old := age >= staleAfter
	stale := (old || t.unwritten || !s.Current) && s.State != ledger.StateClosed && !s.Ended
	switch {
	case stale && old:
		text += fmt.Sprintf(", which is stale: nothing has written it for %s", terminal.Duration(age))
	case stale && t.unwritten:
		text += fmt.Sprintf(", %s ago, and no fblwatch writes this ledger", terminal.Duration(age))
	case stale:
		text += fmt.Sprintf(", %s ago, and another fblwatch writes this ledger now", terminal.Duration(age))
	case old:
		text += ", " + terminal.Duration(age) + " ago"
	}
	fails := s.State != ledger.StateClosed && (s.State.Fails() || !s.Failing.IsZero())
	hint := ""
	if fails {
		if !s.Failing.IsZero() {
			text += "; failing for " + terminal.Duration(now.Sub(s.Failing))
		}
		if s.Record != "" {
			text += fmt.Sprintf("; record %s waits since %s, for %s", s.Record, s.Waits.Format(time.DateTime), terminal.Duration(now.Sub(s.Waits)))
			hint = "the later records of its folder wait too; fblwatch records --id " + s.Record + " shows it"
		}
	}
	if s.Error != "" {
		text += ": " + s.Error
	}
	switch {
	case fails && (s.Current || strings.HasPrefix(s.Name, ledger.SinkStatus)): // a sink that works again has another row
		t.fail(s.Name, failed(errors.New(text), hint))
	case stale:
		t.say("stale", s.Name, text)
	default:
		t.ok(s.Name, "%s", text)
	}
}

const withheldMost = 10 // UIDs named of a folder

// withheld names the messages that a server lists and does not give.
func (t *trial) withheld(folders []ledger.Claim) {
	for _, f := range folders {
		var uids []string
		var since time.Time
		n := 0
		for _, p := range f.Checkpoint.Pending {
			if p.Withheld.IsZero() {
				continue
			}
			if n++; n <= withheldMost {
				uids = append(uids, fmt.Sprint(p.UID))
			}
			if since.IsZero() || p.Withheld.Before(since) {
				since = p.Withheld
			}
		}
		if n > withheldMost {
			uids = append(uids, "...")
		}
		if n > 0 {
			t.say("WAITS", f.Folder.Account+"/"+f.Folder.Name, fmt.Sprintf("the server lists %s but has returned nothing for them since %s: UID %s; fblwatch asks again, and finally records them as unparsed",
				terminal.Plural(n, "message"), since.UTC().Format(time.RFC3339), strings.Join(uids, ", ")))
		}
	}
}
