package survey

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// slowDNS answers after a time, or when it is told to stop.
type slowDNS struct {
	takes time.Duration
	asked int
}

func (d *slowDNS) LookupTXT(ctx context.Context, _ string) ([]string, error) {
	d.asked++
	select {
	case <-time.After(d.takes):
		return []string{"v=DKIM1"}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A sample asks for each name once, and ends whatever the DNS does.
func TestOnceDNS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &slowDNS{takes: 50 * time.Second}
		dns := newOnceDNS(slow)
		start := time.Now()
		for _, name := range []string{"a", "b", "a", "c", "b", "d", "e"} {
			records, err := dns.LookupTXT(t.Context(), name)
			if answered := name == "a" || name == "b"; answered != (err == nil && len(records) == 1) {
				t.Errorf("%s: %q, %v", name, records, err)
			}
		}
		if took := time.Since(start); took != sampleDNS || slow.asked != 3 || !dns.spent() {
			t.Errorf("%v for %d questions", took, slow.asked)
		}
		if _, err := dns.LookupTXT(t.Context(), "f"); !errors.Is(err, errDNSTime) {
			t.Error(err)
		}
	})
}
