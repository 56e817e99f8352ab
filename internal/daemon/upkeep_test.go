package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// A failure that lasts is logged once, not once a minute.
func TestEveryLogsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		results := []error{nil, errors.New("a"), errors.New("a"), errors.New("b"), nil, nil, errors.New("a")}
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		every(ctx, time.Minute, func() error {
			calls++
			if calls > len(results) {
				cancel()
				return ctx.Err()
			}
			return results[calls-1]
		}, "looking", log)
		want := []string{
			`level=WARN msg=looking err=a`,
			`level=WARN msg=looking err=b`,
			`level=INFO msg="looking: works again"`,
			`level=WARN msg=looking err=a`,
			``,
		}
		if got := out.String(); got != strings.Join(want, "\n") {
			t.Errorf("got\n%s", got)
		}
	})
}

// Of the sinks and hooks, only what is no count is written at once.
func TestEdges(t *testing.T) {
	row := func(name string, state ledger.State, err string, n int64) ledger.Status {
		return ledger.Status{Name: name, State: state, Error: err, Counts: map[string]int64{"n": n}}
	}
	last := make(edges)
	for i, step := range []struct {
		states []ledger.Status
		want   string
	}{
		{[]ledger.Status{row("sink/a", ledger.StateOK, "", 0), row("hooks", ledger.StateOK, "", 0)}, "sink/a hooks"},
		{[]ledger.Status{row("sink/a", ledger.StateOK, "", 1), row("hooks", ledger.StateOK, "", 1)}, ""},
		{[]ledger.Status{row("sink/a", ledger.StateFailing, "x", 1), row("hooks", ledger.StateFailing, "x", 1)}, "sink/a hooks"},
		{[]ledger.Status{row("sink/a", ledger.StateFailing, "y", 2), row("hooks", ledger.StateFailing, "y", 2)}, "sink/a"},
		{[]ledger.Status{row("sink/a", ledger.StateFailing, "y", 3)}, ""},
	} {
		var names []string
		for _, s := range last.of(step.states) {
			names = append(names, s.Name)
			if s.Counts == nil {
				t.Errorf("step %d: %s has lost its counts", i, s.Name)
			}
		}
		if got := strings.Join(names, " "); got != step.want {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
}
