package daemon

import (
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/hook"
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
	if got := stateOf(sink.Trouble{Record: "0a.1", Waits: since.Add(time.Hour), Since: since, Err: "no answer"}, true); got !=
		(stateRow{State: "failing", Failing: since, Err: "no answer", Record: "0a.1", Waits: since.Add(time.Hour)}) {
		t.Errorf("%+v", got)
	}
	if got := stateOf(sink.Trouble{}, false); got != (stateRow{State: "ok"}) {
		t.Errorf("%+v", got)
	}
	commitOne(t, l, "INBOX", "1")
	value := `{"state":"failing","failing":"2026-03-02T09:00:00Z","err":"no answer","record":"1.1","waits":"2026-03-02T10:00:00Z"}`
	if err := l.SetState(t.Context(), "sink/command", value); err != nil {
		t.Fatal(err)
	}
	d := New(&settings.Config{Hooks: hook.Config{Record: subprocess.Command{"/bin/false"}}}, Options{})
	_, sinks, err := d.startSinks(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if err := sinks.flush(t.Context()); err == nil {
		t.Error("the command answered")
	}
	if err := sinks.states(t.Context(), l, false); err != nil {
		t.Fatal(err)
	}
	states, err := l.States(t.Context())
	if err != nil || len(states) != 2 { // with that of what was printed
		t.Fatalf("%v, %v", states, err)
	}
	if row := readState(states[1]); row.Waits != since.Add(time.Hour) || row.Failing != since || row.Record == "" || !strings.Contains(row.Err, "/bin/false") {
		t.Errorf("%+v", row)
	}
	_ = sinks.close()
}
