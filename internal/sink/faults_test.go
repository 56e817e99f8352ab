package sink

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// flushed runs a Pump from out to s while do runs.
func flushed(t *testing.T, out Outbox, s Sink, do func(p *Pump)) {
	t.Helper()
	p := NewPump(Config{Name: "x"}, out, s, slog.New(slog.DiscardHandler))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	do(p)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestPoison: one record of 1,000 is at fault. The others arrive in their order, and it is
// the only dead letter. TestHTTPPoison is the same over HTTP.
func TestPoison(t *testing.T) {
	// poisons make record n of all one at fault.
	poisons := map[string]func(t *testing.T, r receiver, all []ledger.Row, n int){
		"exec": func(_ *testing.T, r receiver, all []ledger.Row, n int) { r.refuse(all[n].ID) },
		"syslog": func(_ *testing.T, _ receiver, all []ledger.Row, n int) {
			all[n].JSON = fmt.Appendf(nil, `{"id":%q,"x":%q}`, all[n].ID, strings.Repeat("x", syslogMost))
		},
	}
	poisons["rsyslog"] = poisons["syslog"]
	for name, poison := range poisons {
		for _, n := range []int{0, 499, 500, 999} {
			t.Run(fmt.Sprintf("%s %d", name, n), func(t *testing.T) {
				r, s := contracts[name].begin(t)
				defer closeSink(t, s)
				all := rows(1, 1, 1000)
				poison(t, r, all, n)
				out := newOutbox(all...)
				flushed(t, out, s, func(p *Pump) {
					if err := p.Flush(t.Context()); err != nil {
						t.Error(err)
					}
				})
				expectIDs(t, r.written(), slices.Delete(idsOf(all), n, n+1))
				if len(out.dead) != 1 || out.dead[0].ID != all[n].ID || out.acked(1) != 1000 {
					t.Errorf("dead: %+v; acknowledged up to %d", out.dead, out.acked(1))
				}
			})
		}
	}
}

// TestOutages: records arrive while a receiver is down, and all of them in order once it
// is back; none is dead. TestOutage of package daemon is an hour of that.
func TestOutages(t *testing.T) {
	for name, c := range contracts {
		t.Run(name, func(t *testing.T) {
			r, s := c.begin(t)
			defer closeSink(t, s)
			if r.down == nil {
				t.Skip("it cannot be down")
			}
			if c.rows == nil {
				c.rows = rows
			}
			n := 20
			if c.many == 0 {
				n = 2000
			}
			all := c.rows(1, 1, n)
			out := newOutbox(all[:1]...)
			flushed(t, out, s, func(p *Pump) {
				if err := p.Flush(t.Context()); err != nil {
					t.Error(err)
				}
				r.down(true)
				for next := 1; next < n; {
					part := all[next:min(next+300, n)]
					p.Offer(out.commit(part...))
					next += len(part)
					if err := p.Flush(t.Context()); err == nil {
						t.Error("down, and Flush fails not")
					}
				}
				r.down(false)
				if err := p.Flush(t.Context()); err != nil {
					t.Error(err)
				}
			})
			expectIDs(t, firsts(r.written()), idsOf(all))
			if len(out.dead) != 0 || out.acked(1) != n {
				t.Errorf("dead: %+v; acknowledged up to %d", out.dead, out.acked(1))
			}
		})
	}
}
