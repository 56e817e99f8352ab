package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// The next writer's heartbeat does not date the rows of the one before.
func TestStatesOfAnEarlierRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l := openTest(t, path)
	if err := l.SetStates(t.Context(), ledger.Status{Name: "sink/a", State: ledger.StateFailing}, ledger.Status{Name: "sink/b", State: ledger.StateOK}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	l = openTest(t, path)
	defer l.Close()
	look := func() (a, b ledger.Status) {
		t.Helper()
		states, err := l.States(t.Context())
		if err != nil || len(states) != 2 {
			t.Fatalf("%+v, %v", states, err)
		}
		return states[0], states[1]
	}
	if a, b := look(); !a.Current || !b.Current {
		t.Errorf("before the next writer wrote a state: %+v, %+v", a, b)
	}
	if err := l.SetStates(t.Context(), ledger.Status{Name: "sink/b", State: ledger.StateOK}); err != nil {
		t.Fatal(err)
	}
	if a, b := look(); a.Current || a.Beat != a.At || !b.Current || !b.Run.After(a.Run) {
		t.Errorf("after it: %+v, %+v", a, b)
	}
}
