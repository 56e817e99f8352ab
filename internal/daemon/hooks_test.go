package daemon

import (
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/hook"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/subprocess"
	"github.com/fblwatch/fblwatch/internal/watch"
)

func TestHookState(t *testing.T) {
	l := memory.New()
	defer l.Close()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		counts  hook.Counts
		trouble hook.Trouble
		want    string
	}{
		{hook.Counts{}, hook.Trouble{}, ""},
		{hook.Counts{Done: 3, Failed: 1}, hook.Trouble{}, `{"state":"ok","done":3,"failed":1,"dropped":0}`}, // it works again
		{hook.Counts{Done: 3, Failed: 1}, hook.Trouble{Err: "exists: /bin/false: exit status 1", Since: noon},
			`{"state":"failing","failing":"2026-03-01T12:00:00Z","err":"exists: /bin/false: exit status 1","done":3,"failed":1,"dropped":0}`},
		{hook.Counts{Done: 3, Dropped: 2}, hook.Trouble{Err: "2 events dropped", Since: noon, Dropping: true},
			`{"state":"dropping","failing":"2026-03-01T12:00:00Z","err":"2 events dropped","done":3,"failed":0,"dropped":2}`},
	} {
		if err := hookState(t.Context(), l, test.counts, test.trouble, false); err != nil {
			t.Fatal(err)
		}
		states, err := l.States(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, s := range states {
			got += s.Value
		}
		if got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

// Protocol lines are made only where a command wants them.
func TestDebugOnlyForHook(t *testing.T) {
	for _, command := range []subprocess.Command{nil, {"/usr/local/bin/ring"}} {
		var account watch.Account
		listen(&settings.Config{Hooks: hook.Config{Debug: command}}, &account, callbacks.Nop{}, &hook.Hooks{})
		if account.IMAP.Debug != (command != nil) {
			t.Errorf("%v: %v", command, account.IMAP.Debug)
		}
	}
}
