package daemon

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/hook"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/sink"
	"github.com/fblwatch/fblwatch/internal/subprocess"
)

// A sink's row names the record that waits, and a restart does not make it
// younger.
func TestSinkStates(t *testing.T) {
	l := memory.New()
	since := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	waiting := ledger.Status{Name: "sink/command", State: ledger.StateFailing, Failing: since, Error: "no answer", Record: "0a.1", Waits: since.Add(time.Hour)}
	if got := stateOf("command", sink.Trouble{Record: "0a.1", Waits: since.Add(time.Hour), Since: since, Err: "no answer"}, nil, true); !reflect.DeepEqual(got, waiting) {
		t.Errorf("%+v", got)
	}
	if got := stateOf("command", sink.Trouble{}, nil, false); !reflect.DeepEqual(got, ledger.Status{Name: "sink/command", State: ledger.StateOK}) {
		t.Errorf("%+v", got)
	}
	commitOne(t, l, "INBOX", "1")
	waiting.Record = "1.1"
	if err := l.SetStates(t.Context(), waiting); err != nil {
		t.Fatal(err)
	}
	d := New(&settings.Config{Hooks: hook.Config{Record: subprocess.Command{"/bin/false"}}}, Options{})
	_, sinks, err := d.startSinks(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if err := sinks.pumps[0].Flush(t.Context()); err == nil {
		t.Error("the command answered")
	}
	states := sinks.states(false)
	if len(states) != 1 || states[0].Waits != since.Add(time.Hour) || states[0].Failing != since || states[0].Record == "" || !strings.Contains(states[0].Error, "/bin/false") {
		t.Errorf("%+v", states)
	}
	_ = sinks.close()
}

// leaving is a sink that takes its time to end.
type leaving struct{ sink.Sink }

func (leaving) Close() error {
	time.Sleep(5 * time.Second)
	return errors.New("killed")
}

// Sinks end at once, not one after the other: a service manager does not wait long.
func TestSinksClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sinks{opened: []sink.Sink{leaving{}, leaving{}, leaving{}}}
		start := time.Now()
		err := s.close()
		if took := time.Since(start); took != 5*time.Second || err == nil || strings.Count(err.Error(), "killed") != 3 {
			t.Errorf("%v after %v", err, took)
		}
	})
}
