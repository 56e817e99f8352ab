package trust

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestKeysAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := publish(t, "a.example")
		k := newKeys(z, time.Now)
		ask := func(domain string, want error, asked int) {
			t.Helper()
			if _, err := k.lookup(context.Background(), "s._domainkey."+domain, false); err != want {
				t.Errorf("%s: %v, want %v", domain, err, want)
			}
			if z.asked != asked {
				t.Errorf("%s: asked %d times, want %d", domain, z.asked, asked)
			}
		}
		ask("a.example", nil, 1)
		ask("a.example", nil, 1)
		ask("gone.example", errNoKey, 2)
		z.err = errServFail
		ask("down.example", errUnavailable, 3)
		ask("down.example", errUnavailable, 3)
		ask("a.example", nil, 3)
		z.err = nil
		time.Sleep(keepFailure)
		ask("down.example", errNoKey, 4)
		time.Sleep(keepNoKey)
		ask("gone.example", errNoKey, 5)
		time.Sleep(keepKey)
		ask("a.example", nil, 6)

		for i := range 2 * maxKeys {
			ask(fmt.Sprintf("%d.example", i), errNoKey, 7+i)
		}
		if len(k.cached) > maxKeys {
			t.Errorf("keeps %d answers", len(k.cached))
		}
	})
}

// A caller that gives up says nothing of the DNS.
func TestCancelledLookupIsNotKept(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	z := &zone{hangs: true, records: map[string][]string{"a": {keyRecord(t, keyOf(t, "a"))}}}
	k := newKeys(z, time.Now)
	if _, err := k.lookup(ctx, "a", false); err != errUnavailable {
		t.Errorf("got %v", err)
	}
	z.hang(false)
	if got, err := k.lookup(context.Background(), "a", false); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestKeysAreAskedOnce: of all that want one key at the same time one asks; where
// that one gives up, another does.
func TestKeysAreAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		domains := []string{"a.example", "b.example", "c.example"}
		z := publish(t, domains...)
		z.takes = 50 * time.Millisecond
		k := newKeys(z, time.Now)
		var wg sync.WaitGroup
		start := time.Now()
		for i := range 60 {
			wg.Go(func() {
				if _, err := k.lookup(t.Context(), "s._domainkey."+domains[i%3], false); err != nil {
					t.Error(err)
				}
			})
		}
		if wg.Wait(); z.asked != 3 || time.Since(start) != z.takes {
			t.Errorf("asked %d times, took %v", z.asked, time.Since(start))
		}

		z.hang(true)
		ctx, cancel := context.WithCancel(t.Context())
		for _, ctx := range []context.Context{ctx, t.Context()} {
			wg.Go(func() {
				if _, err := k.lookup(ctx, "s._domainkey.d.example", false); ctx == t.Context() && err != errNoKey {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		time.Sleep(time.Second)
		z.hang(false)
		cancel()
		if wg.Wait(); z.asked != 5 {
			t.Errorf("asked %d times, want 5", z.asked)
		}
	})
}

// TestSilentResolver: one that does not answer costs its time limit once, and
// little from then on; that some names get no answer does not keep a known
// reporter's from being asked for.
func TestSilentResolver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := publish(t, "a.example", "b.example")
		z.hang(true)
		k, n := newKeys(z, time.Now), 0
		lookup := func(domain string, known bool) (took time.Duration, err error) {
			ctx, cancel := context.WithTimeout(t.Context(), defaultTimeout)
			defer cancel()
			start := time.Now()
			_, err = k.lookup(ctx, "s._domainkey."+domain, known)
			return time.Since(start), err
		}
		batch := func(names int) time.Duration {
			var wg sync.WaitGroup
			start := time.Now()
			for range names {
				n++
				domain := fmt.Sprintf("%d.example", n)
				wg.Go(func() {
					if _, err := lookup(domain, false); err != errUnavailable {
						t.Errorf("%s: %v", domain, err)
					}
				})
			}
			wg.Wait()
			return time.Since(start)
		}
		if took := batch(1); took != probeTime {
			t.Errorf("one name: %v", took)
		}
		z.hang(false)
		if _, err := lookup("c.example", false); err != errNoKey { // not kept from asking
			t.Error(err)
		}
		k.others = silence{}
		z.hangs, z.asked = true, 0
		for i := range 3 {
			if took := batch(16); took != probeTime || z.asked != 16*(1+i) {
				t.Errorf("it never answered: %v, %d questions", took, z.asked)
			}
			if took := batch(1000); took != 0 || z.asked != 16*(1+i) {
				t.Errorf("it has just not answered: %v, %d questions", took, z.asked)
			}
			time.Sleep(keepSilence)
		}
		if took := batch(10); took != probeTime {
			t.Errorf("took %v", took)
		}
		z.hang(false)
		if _, err := lookup("a.example", true); err != nil {
			t.Errorf("a known reporter's name: %v", err)
		}
		if _, err := lookup("b.example", false); err != errUnavailable {
			t.Errorf("another name: %v", err)
		}
		time.Sleep(keepSilence)
		if took, err := lookup("b.example", false); took != 0 || err != nil {
			t.Errorf("when it is back: %v, %v", took, err)
		}
		if took, err := lookup("gone.example", false); took != 0 || err != errNoKey {
			t.Errorf("when it is back, another name: %v, %v", took, err)
		}

		// It answered a while ago: each question has the time of its message.
		z.hangs, z.asked = true, 0
		if took := batch(12); took != defaultTimeout || z.asked != 12 {
			t.Errorf("it stops: %v, %d questions", took, z.asked)
		}
		if took := batch(1000); took != 0 || z.asked != 12 {
			t.Errorf("it has stopped: %v, %d questions", took, z.asked)
		}
	})
}

// A message whose time is over asks nothing, and its other names are not said to
// have failed.
func TestLateLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := publish(t, "a.example")
		k := newKeys(z, time.Now)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		time.Sleep(2 * time.Second)
		if _, err := k.lookup(ctx, "s._domainkey.a.example", false); err != errUnavailable || z.asked != 0 {
			t.Errorf("%v, %d questions", err, z.asked)
		}
		if _, err := k.lookup(t.Context(), "s._domainkey.a.example", false); err != nil {
			t.Error(err)
		}
	})
}

// asks notes the names that it is asked for.
type asks struct{ names []string }

func (a *asks) LookupTXT(_ context.Context, name string) ([]string, error) {
	a.names = append(a.names, name)
	return nil, errServFail
}

// The search list of this machine has no part in a key's name.
func TestAbsoluteNames(t *testing.T) {
	asked := &asks{}
	k := newKeys(absolute{asked}, time.Now)
	for _, domain := range []string{"fbl.example.net", "example"} {
		_, _ = k.lookup(t.Context(), "s._domainkey."+domain, true)
	}
	if want := []string{"s._domainkey.fbl.example.net.", "s._domainkey.example."}; !slices.Equal(asked.names, want) {
		t.Errorf("asked for %q", asked.names)
	}
	c, err := New(Config{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, is := c.keys.resolver.(absolute); !is {
		t.Errorf("the system's resolver is %T", c.keys.resolver)
	}
}
