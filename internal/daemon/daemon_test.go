package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// setUp is a server with n reports, and a config with a file of records.
func setUp(t *testing.T, n int) (*imaptest.Server, *settings.Config) {
	t.Helper()
	server := imaptest.New()
	t.Cleanup(func() { server.Close() })
	for i := range n {
		server.Append("INBOX", sample.Report(i, 0))
	}
	address, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := fmt.Sprintf("ledger: %s/l.db\nrecords: {file: %s/records}\naccounts: [{name: a, url: 'imap://user@%s', password: pass}]\n", dir, dir, address)
	config, err := settings.Parse([]byte(text), "config.yaml", os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	return server, config
}

// recordsOf are the ids of the ledger's records.
func recordsOf(t *testing.T, config *settings.Config) (ids []string) {
	t.Helper()
	reader, err := backend.OpenReader(t.Context(), config.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for row, err := range reader.Records(t.Context(), ledger.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, row.ID)
	}
	return ids
}

func lines(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("\n"))
}

// A message that comes while the Daemon runs is in the ledger and in the sinks a
// moment later; both observers hear of it. The Daemon then stops, and can run again.
func TestRun(t *testing.T) {
	server, config := setUp(t, 1)
	for round := 1; round <= 2; round++ {
		ctx, cancel := context.WithCancel(t.Context())
		committed := make(chan int, 10)
		var mu sync.Mutex
		states := make(map[string]bool)
		var stdout bytes.Buffer
		d := New(config, Options{Stdout: &stdout, Observer: watch.Join(
			watch.Observer{Committed: func(done ledger.Committed) { committed <- len(done.Rows) }},
			watch.Observer{State: func(s ledger.Status) {
				mu.Lock()
				defer mu.Unlock()
				states[s.Name+" "+string(s.State)] = true
			}},
		)})
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		next := func() {
			t.Helper()
			select {
			case <-committed:
			case err := <-ended:
				t.Fatalf("it ended: %v", err)
			case <-time.After(20 * time.Second):
				t.Fatal("nothing was committed")
			}
		}
		if round == 1 {
			next()
		}
		server.Append("INBOX", sample.Report(round, 0))
		next()
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if got, file := len(recordsOf(t, config)), lines(t, config.Records.File); got != round+1 || file != round+1 {
			t.Errorf("round %d: %d records in the ledger, %d in the file", round, got, file)
		}
		if got, want := strings.Count(stdout.String(), "\n"), map[int]int{1: 2, 2: 1}[round]; got != want {
			t.Errorf("round %d: %d records on stdout, want %d", round, got, want)
		}
		if !states["session/a/INBOX watch"] || !states["session/a/INBOX closed"] {
			t.Errorf("round %d: states %v", round, states)
		}
	}
	if n := server.Open(); n != 0 {
		t.Errorf("%d connections are open", n)
	}
}

func TestSweep(t *testing.T) {
	_, config := setUp(t, 3)
	var seen []watch.Progress
	observer := watch.Observer{Progress: func(at watch.Progress) { seen = append(seen, at) }}
	if err := New(config, Options{Observer: observer}).Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, file := len(recordsOf(t, config)), lines(t, config.Records.File); got != 3 || file != 3 {
		t.Errorf("%d records in the ledger, %d in the file", got, file)
	}
	if n := len(seen); n < 2 || seen[n-1] != (watch.Progress{}) || seen[n-2].Account != "a" || seen[n-2].Done != 3 {
		t.Errorf("progress %+v", seen)
	}
}

// The counts of a sink go on over restarts.
func TestCountsGoOn(t *testing.T) {
	server, config := setUp(t, 3)
	l, err := backend.Open(t.Context(), config.Ledger)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.SetStates(t.Context(), ledger.Status{Name: "sink/file", State: ledger.StateFailing, Error: "x", Counts: map[string]int64{"delivered": 10, "tries": 4}}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	for round, want := range []int64{13, 13, 15} {
		if round == 2 {
			server.Append("INBOX", sample.Report(7, 0))
			server.Append("INBOX", sample.Report(8, 0))
		}
		if err := New(config, Options{}).Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		reader, err := backend.OpenReader(t.Context(), config.Ledger)
		if err != nil {
			t.Fatal(err)
		}
		states, err := reader.States(t.Context())
		reader.Close()
		i := slices.IndexFunc(states, func(s ledger.Status) bool { return s.Name == "sink/file" })
		if err != nil || i < 0 || !maps.Equal(states[i].Counts, map[string]int64{"delivered": want}) {
			t.Errorf("round %d: %+v, %v; want %d", round, states, err, want)
		}
	}
}

// A dry run reads and prints what is new, and leaves everything as it was.
func TestDryRun(t *testing.T) {
	server, config := setUp(t, 2)
	config.Accounts[0].After = watch.After{Report: watch.Action{Do: "flag", Arg: "x"}}
	var stdout bytes.Buffer
	if err := New(config, Options{DryRun: true, Stdout: &stdout}).Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(stdout.String(), "\n"); n != 2 {
		t.Errorf("%d records on stdout", n)
	}
	for _, path := range []string{config.Ledger, config.Records.File} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	if flags := server.Flags("INBOX", 1); len(flags) != 0 {
		t.Errorf("flags %v", flags)
	}
}

// Of several accounts that fail, Failed hears of all but the last, whose error Sweep
// returns; those that work are read.
func TestSweepGoesOn(t *testing.T) {
	_, config := setUp(t, 1)
	good := config.Accounts[0]
	bad := good
	bad.Password = "wrong"
	config.Accounts = nil
	for _, name := range []string{"x", "a", "y"} {
		a := bad
		if name == "a" {
			a = good
		}
		a.Name = name
		config.Accounts = append(config.Accounts, a)
	}
	var failed []error
	err := New(config, Options{Failed: func(err error) { failed = append(failed, err) }}).Sweep(t.Context())
	if err == nil || !strings.HasPrefix(err.Error(), "account y: ") || len(failed) != 1 || !strings.HasPrefix(failed[0].Error(), "account x: ") {
		t.Errorf("%v; before it %v", err, failed)
	}
	if got := len(recordsOf(t, config)); got != 1 {
		t.Errorf("%d records", got)
	}
}

// A mistake in the config is a *settings.Error.
func TestConfigError(t *testing.T) {
	_, config := setUp(t, 0)
	config.Hooks.Exists = []string{"/none/such"}
	for name, run := range map[string]func(context.Context) error{"run": New(config, Options{}).Run, "sweep": New(config, Options{}).Sweep} {
		if err := run(t.Context()); !errors.As(err, new(*settings.Error)) || !strings.Contains(err.Error(), "hooks.exists") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
