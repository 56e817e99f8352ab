package sink

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Records that follow each other soon share an acknowledgement. A single one has its own
// at once, and the last ones have theirs when the Pump ends, also by an error.
func TestPumpAcknowledges(t *testing.T) {
	for _, fails := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := start(t, newOutbox(), &recorder{})
			synctest.Wait()
			for seq := range int64(100) {
				p.Offer(p.out.commit(rows(1, seq+1, 1)...))
				pass(10 * time.Millisecond)
				expect(t, "records", len(p.sink.got), int(seq)+1)
				if least := int(seq) - 25; p.out.acked(1) < least {
					t.Fatalf("%d acknowledged, want %d", p.out.acked(1), least)
				}
			}
			if p.out.acks > 5 {
				t.Errorf("%d acknowledgements in a second", p.out.acks)
			}
			pass(ackEvery)
			expect(t, "acknowledged", p.out.acked(1), 100)
			pass(time.Hour)
			p.Offer(p.out.commit(rows(1, 101, 1)...))
			synctest.Wait()
			expect(t, "a single one", p.out.acked(1), 101)
			p.Offer(p.out.commit(rows(1, 102, 1)...))
			synctest.Wait()
			expect(t, "the next one", p.out.acked(1), 101)
			if !fails {
				p.end(t)
			} else {
				p.sink.set(func(context.Context) error { return ErrClosed })
				p.Offer(p.out.commit(rows(1, 103, 1)...))
				if err := <-p.result; !errors.Is(err, ErrClosed) {
					t.Errorf("Run: %v", err)
				}
				p.stop()
			}
			expect(t, "at the end", p.out.acked(1), 102)
		})
	}
}
