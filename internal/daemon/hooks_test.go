package daemon

import (
	"reflect"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/hook"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/subprocess"
	"github.com/fblwatch/fblwatch/internal/watch"
)

func TestHookState(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	counts := func(done, failed, dropped int64) map[string]int64 {
		return map[string]int64{"done": done, "failed": failed, "dropped": dropped}
	}
	for _, test := range []struct {
		counts  hook.Counts
		trouble hook.Trouble
		want    ledger.Status
	}{
		{hook.Counts{Done: 3, Failed: 1}, hook.Trouble{}, ledger.Status{State: ledger.StateOK, Counts: counts(3, 1, 0)}}, // it works again
		{hook.Counts{Done: 3, Failed: 1}, hook.Trouble{Err: "exists: /bin/false: exit status 1", Since: noon},
			ledger.Status{State: ledger.StateFailing, Failing: noon, Error: "exists: /bin/false: exit status 1", Counts: counts(3, 1, 0)}},
		{hook.Counts{Done: 3, Dropped: 2}, hook.Trouble{Err: "2 events dropped", Since: noon, Dropping: true},
			ledger.Status{State: ledger.StateDropping, Failing: noon, Error: "2 events dropped", Counts: counts(3, 0, 2)}},
	} {
		test.want.Name = "hooks"
		if got := hookStates(test.counts, test.trouble, false); len(got) != 1 || !reflect.DeepEqual(got[0], test.want) {
			t.Errorf("got %+v, want %+v", got, test.want)
		}
	}
	if got := hookStates(hook.Counts{}, hook.Trouble{}, true); len(got) != 0 {
		t.Errorf("without an event: %+v", got)
	}
}

// Protocol lines are made only where a command wants them.
func TestDebugOnlyForHook(t *testing.T) {
	for _, command := range []subprocess.Command{nil, {"/usr/local/bin/ring"}} {
		var account watch.Account
		listen(&settings.Config{Hooks: hook.Config{Debug: command}}, &account, &hook.Hooks{})
		if account.IMAP.Debug != (command != nil) {
			t.Errorf("%v: %v", command, account.IMAP.Debug)
		}
	}
}
