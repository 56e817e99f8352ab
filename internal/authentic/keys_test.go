package authentic

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestKeysAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := publish(t, "a.example")
		k := &keys{resolver: z, now: time.Now, cached: make(map[string]answer)}
		ask := func(domain string, want error, asked int) {
			t.Helper()
			if _, err := k.lookup(context.Background(), "s._domainkey."+domain); err != want {
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
	k := &keys{resolver: z, now: time.Now, cached: make(map[string]answer)}
	if _, err := k.lookup(ctx, "a"); err != errUnavailable {
		t.Errorf("got %v", err)
	}
	z.hangs = false
	if got, err := k.lookup(context.Background(), "a"); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}
