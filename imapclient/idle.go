package imapclient

import (
	"context"
	"fmt"
	"time"
)

// Wake says why Idle returned.
type Wake int

const (
	Rang  Wake = iota // EXISTS: there may be new mail
	Slice             // the time is over
	Ended             // the server ended IDLE by itself
)

// Idle waits in IDLE (RFC 2177) for an EXISTS, at most for slice. It sends DONE
// and does not wait for its answer, so that the next command follows at once.
// ErrNoIdle: the server refused; the session goes on.
//
// IDLE is the tap's own command and not go-imap's, whose IDLE waits for "+"
// for ever and does not notice that the server has ended it.
func (c *Client) Idle(ctx context.Context, slice time.Duration) (Wake, error) {
	end, err := c.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	if c.rang { // it came before we asked
		c.rang = false
		return Rang, nil
	}
	cont := make(chan struct{})
	c.tap.arm(`"+" after IDLE`, c.limits.IdleCont)
	answer, err := c.tap.inject("IDLE", cont)
	if err != nil {
		return 0, c.finish("IDLE", err)
	}
	timer := time.NewTimer(slice)
	defer timer.Stop()
	woken := Slice
	for {
		select {
		case ev := <-c.tap.events:
			c.serve(ev)
			if !c.rang || cont != nil {
				continue
			}
			c.rang = false
			woken = Rang
		case <-cont:
			cont = nil
			c.tap.disarm()
			if !c.rang { // else it rang while "+" was due
				continue
			}
			c.rang = false
			woken = Rang
		case st := <-answer:
			c.drain()
			c.tap.disarm()
			if st.kind != "OK" {
				return 0, fmt.Errorf("%w: %s %s", ErrNoIdle, st.kind, st.text)
			}
			if c.rang {
				c.rang = false
				return Rang, nil
			}
			return Ended, nil
		case <-timer.C:
			if cont != nil { // "+" has its own deadline
				timer.Reset(time.Second)
				continue
			}
		case <-c.tap.quit:
			return 0, c.finish("IDLE", c.tap.ended())
		}
		break
	}
	c.tap.arm("answer to DONE", c.limits.Done)
	if err := c.tap.send("DONE", "DONE"); err != nil {
		return 0, c.finish("DONE", err)
	}
	c.idle = answer
	return woken, nil
}
