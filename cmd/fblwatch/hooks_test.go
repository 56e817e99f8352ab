package main

import (
	"testing"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/child"
	"github.com/fblwatch/fblwatch/internal/hook"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/watch"
)

func TestHookState(t *testing.T) {
	l := ledger.NewMemory()
	defer l.Close()
	for _, test := range []struct {
		counts hook.Counts
		want   string
	}{
		{hook.Counts{}, ""},
		{hook.Counts{Done: 3, Failed: 1}, `{"state":"ok","done":3,"failed":1,"dropped":0}`},
		{hook.Counts{Done: 3, Dropped: 2}, `{"state":"dropping","err":"2 events dropped since the start: their commands are too slow","done":3,"failed":0,"dropped":2}`},
	} {
		if err := hookState(t.Context(), l, test.counts); err != nil {
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
	for _, command := range []child.Command{nil, {"/usr/local/bin/ring"}} {
		var account watch.Account
		(&Config{Hooks: hook.Config{Debug: command}}).listen(&account, callbacks.Nop{}, &hook.Hooks{})
		if account.IMAP.Debug != (command != nil) {
			t.Errorf("%v: %v", command, account.IMAP.Debug)
		}
	}
}
