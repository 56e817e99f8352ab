package imapclient

import "github.com/fblwatch/fblwatch/callbacks"

// idle sends IDLE; cont is closed when its "+" has come.
func (t *tap) idle() (answer <-chan status, cont <-chan struct{}, err error) {
	t.mu.Lock()
	tag, answer := t.tag()
	t.idling, t.cont = tag, make(chan struct{})
	cont = t.cont
	t.due()
	t.mu.Unlock()
	return answer, cont, t.send(tag+" IDLE", tag+" IDLE")
}

func (t *tap) continuation() {
	t.mu.Lock()
	cont := t.cont
	t.cont = nil
	t.due()
	t.mu.Unlock()
	if cont != nil {
		close(cont)
		return
	}
	t.emit(func(c *Client) { c.h.Log(callbacks.Parse, "passed over a stray +") })
}

// endIdle has DONE sent right before the next command, in one write: the two take
// one packet, and the server does not answer the first on its own. false: the
// server has ended IDLE already.
func (t *tap) endIdle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leaving = t.idling != ""
	return t.leaving
}

// done returns the DONE that is still to be sent, unless the server has ended
// IDLE meanwhile.
func (t *tap) done() []byte {
	t.mu.Lock()
	leaving := t.leaving
	if leaving {
		t.leaving, t.ending = false, true
		t.due()
	}
	t.mu.Unlock()
	if !leaving {
		return nil
	}
	t.log("C: ", "DONE")
	return []byte("DONE\r\n")
}

// leave sends a DONE that no command took along.
func (t *tap) leave() error {
	done := t.done()
	if done == nil {
		return nil
	}
	_, err := t.put(done)
	return err
}
