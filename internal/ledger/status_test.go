package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"
)

// Rows of older versions are read: their keys, their counts beside those, and
// sentences as text for people.
func TestParseStatus(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	since := at.Add(-time.Hour)
	const times = `"since":"2026-03-01T11:00:00Z","failing":"2026-03-01T11:00:00Z"`
	for _, test := range []struct {
		text string
		want Status
	}{
		{`{"state":"backoff",` + times + `,"err":"refused"}`, Status{State: StateBackoff, Since: since, Failing: since, Error: "refused"}},
		{`{"state":"failing","failing":"2026-03-01T11:00:00Z","err":"e","record":"0a.1","waits":"2026-03-01T11:00:00Z"}`,
			Status{State: StateFailing, Failing: since, Error: "e", Record: "0a.1", Waits: since}},
		{`{"state":"ok","ended":true,"done":3,"failed":1,"dropped":0}`,
			Status{State: StateOK, Ended: true, Counts: map[string]int64{"done": 3, "failed": 1, "dropped": 0}}},
		{`{"state":"95% of MESSAGE used (19 of 20)"}`, Status{Error: "95% of MESSAGE used (19 of 20)"}},
		{`{"uidvalidity":7,"uid":18446744073709551615}`, Status{Counts: map[string]int64{"uidvalidity": 7, "uid": -1}}},
		{`{"printing":true,"settled":false,"from":{"1":9}}`, Status{}},
		{`watching`, Status{Error: "watching"}},
		{`{}`, Status{}},
	} {
		got := ParseStatus("x", test.text, at)
		if !got.says(Status{State: test.want.State, Since: test.want.Since, Failing: test.want.Failing, Error: test.want.Error, Record: test.want.Record,
			Waits: test.want.Waits, Counts: test.want.Counts, Ended: test.want.Ended, Data: got.Data}) || got.Name != "x" || got.At != at || got.Beat != at {
			t.Errorf("%s: %+v", test.text, got)
		}
		if rest := test.want.State == "" && test.text[0] == '{' && test.want.Error == ""; rest != (string(got.Data) == test.text) {
			t.Errorf("%s: data %s", test.text, got.Data)
		}
	}
}

// What the last writer wrote is dated by its heartbeat; what another wrote before is
// not, nor what an older version wrote.
func TestDateStates(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	older := Status{Name: "a", At: noon, Beat: noon}
	if got := DateStates([]Status{older}); !got[0].Current || got[0].Beat != noon {
		t.Errorf("without a writer's row: %+v", got)
	}
	before := Status{Name: "b", At: noon, Beat: noon, Run: noon.Add(-time.Hour)}
	last := Status{Name: "c", At: noon, Beat: noon, Run: noon.Add(time.Hour)}
	writer := WriterStatus(last.Run)
	writer.At, writer.Run = noon.Add(3*time.Hour), last.Run
	for _, s := range DateStates([]Status{older, before, last, writer}) {
		want := noon
		if s.Name == "c" {
			want = writer.At
		}
		if s.Current != (s.Name == "c") || s.Beat != want || s.Name == writerName {
			t.Errorf("%+v", s)
		}
	}
}

// A board writes edges, several at once, and keeps what could not be written.
func TestBoard(t *testing.T) {
	rows, calls := make(map[string]Status), 0
	var fails error
	b := NewBoard(func(_ context.Context, states ...Status) error {
		if calls++; fails != nil {
			return fails
		}
		for _, s := range states {
			rows[s.Name] = s
		}
		return nil
	})
	look := func(what string, wantCalls int, want map[string]State) {
		t.Helper()
		got := make(map[string]State)
		for name, s := range rows {
			got[name] = s.State
		}
		if !maps.Equal(got, want) || calls != wantCalls {
			t.Errorf("%s: %v in %d calls, want %v in %d", what, got, calls, want, wantCalls)
		}
	}
	set := func(states ...Status) error { return b.Set(t.Context(), states...) }
	a, c := Status{Name: "a", State: StateDial}, Status{Name: "c", State: StateOK, Counts: map[string]int64{"done": 1}}
	set(a, c)
	look("both in one call", 1, map[string]State{"a": StateDial, "c": StateOK})
	since := rows["c"].Since
	if since.IsZero() {
		t.Error("it began at no time")
	}
	set(c, a)
	look("nothing is new", 1, map[string]State{"a": StateDial, "c": StateOK})
	c.Counts = map[string]int64{"done": 2}
	set(c)
	if look("a count", 2, map[string]State{"a": StateDial, "c": StateOK}); rows["c"].Counts["done"] != 2 || rows["c"].Since != since {
		t.Errorf("%+v", rows["c"])
	}
	b.Beat(t.Context(), a)
	look("a beat writes", 3, map[string]State{"a": StateDial, "c": StateOK})

	fails = errors.New("disk full")
	a.State = StateWatch
	if err := set(a); !errors.Is(err, fails) {
		t.Errorf("%v", err)
	}
	look("full", 4, map[string]State{"a": StateDial, "c": StateOK})
	set(a)
	fails = nil
	b.Beat(t.Context())
	look("with the next beat", 6, map[string]State{"a": StateWatch, "c": StateOK})
	set(a, c)
	look("once", 6, map[string]State{"a": StateWatch, "c": StateOK})
}

// A session does not wait longer than its context says for another one's write. The
// next write has its state.
func TestBoardContext(t *testing.T) {
	began, release := make(chan bool), make(chan bool)
	rows := make(map[string]State)
	b := NewBoard(func(_ context.Context, states ...Status) error {
		began <- true
		<-release
		for _, s := range states {
			rows[s.Name] = s.State
		}
		return nil
	})
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- b.Set(t.Context(), Status{Name: "a", State: StateDial}) }()
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	go func() { second <- b.Set(ctx, Status{Name: "c", State: StateUp}) }()
	select {
	case err := <-second:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it waits for the other write")
	}
	release <- true
	go func() { first <- b.Beat(t.Context()) }()
	<-began
	release <- true
	for range 2 {
		if err := <-first; err != nil {
			t.Error(err)
		}
	}
	if !maps.Equal(rows, map[string]State{"a": StateDial, "c": StateUp}) {
		t.Errorf("%v", rows)
	}
}

// Sessions set their states at once.
func TestBoardRace(t *testing.T) {
	writing, n := false, 0
	b := NewBoard(func(_ context.Context, states ...Status) error {
		if writing {
			t.Error("two write at once")
		}
		writing = true
		n += len(states)
		writing = false
		return nil
	})
	done := make(chan bool)
	for i := range 8 {
		go func() {
			for j := range 100 {
				b.Set(t.Context(), Status{Name: fmt.Sprint(i), State: []State{StateDial, StateUp}[j%2]})
			}
			done <- true
		}()
	}
	for range 8 {
		<-done
	}
	if n != 800 {
		t.Errorf("%d rows were written, want 800", n)
	}
}
