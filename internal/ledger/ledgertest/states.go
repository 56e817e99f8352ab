package ledgertest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// States lists the states of a ledger without what the ledger sets, and fails unless
// that is right for one that was opened lately.
func States(t *testing.T, l ledger.Reader) []ledger.Status {
	t.Helper()
	states, err := l.States(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range states {
		s := &states[i]
		if age := time.Since(s.At); age < 0 || age > time.Minute || s.Beat.Before(s.At) || s.Data == nil && (!s.Current || s.Run.IsZero()) {
			t.Errorf("%s: written at %v by the run of %v, beat %v, current %v", s.Name, s.At, s.Run, s.Beat, s.Current)
		}
		s.At, s.Run, s.Beat, s.Current = time.Time{}, time.Time{}, time.Time{}, false
	}
	return states
}

func testStates(t *testing.T, l ledger.Ledger) {
	set := func(states ...ledger.Status) {
		t.Helper()
		if err := l.SetStates(t.Context(), states...); err != nil {
			t.Fatal(err)
		}
	}
	session := ledger.Status{Name: "session/a/INBOX", State: ledger.StateBackoff, Since: Noon, Failing: Noon.Add(-time.Hour), Error: "no route to host"}
	sink := ledger.Status{Name: "sink/command", State: ledger.StateFailing, Since: Noon, Failing: Noon, Error: "exit status 1", Record: "0a.1", Waits: Noon}
	hooks := ledger.Status{Name: "hooks", State: ledger.StateOK, Since: Noon, Counts: map[string]int64{"done": 3, "failed": 0}, Ended: true}
	data := ledger.Status{Name: "printed", Data: json.RawMessage(`{"printing":true}`)}
	set(sink, ledger.Status{Name: "hooks", State: ledger.StateDropping, Counts: map[string]int64{"dropped": 1}}, data)
	set(session, hooks)
	want := []ledger.Status{hooks, data, session, sink}
	Diff(t, "states", States(t, l), want)

	// All or nothing.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.SetStates(ctx, ledger.Status{Name: "hooks"}, ledger.Status{Name: "new"}); err == nil {
		t.Error("states were set on an ended context")
	}
	bad := ledger.Status{Name: "bad", State: ledger.StateOK, Since: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)} // no JSON
	if err := l.SetStates(t.Context(), ledger.Status{Name: "hooks"}, bad); err == nil {
		t.Error("a state that cannot be written was set")
	}
	Diff(t, "states", States(t, l), want)
}

// A heartbeat dates the rows, also those that did not change.
func testBeat(t *testing.T, l ledger.Ledger) {
	set := func(states ...ledger.Status) {
		t.Helper()
		if err := l.SetStates(t.Context(), states...); err != nil {
			t.Fatal(err)
		}
	}
	set(ledger.Status{Name: "sink/a", State: ledger.StateOK})
	time.Sleep(20 * time.Millisecond)
	between := time.Now()
	time.Sleep(5 * time.Millisecond)
	set()
	states, err := l.States(t.Context())
	if err != nil || len(states) != 1 || !states[0].At.Before(between) || !states[0].Beat.After(between) || !states[0].Current {
		t.Errorf("%+v, %v; want one before %v with a beat after it", states, err, between)
	}
}
