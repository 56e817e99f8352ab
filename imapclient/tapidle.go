package imapclient

import (
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

// lostAfter is how long a command that went out with DONE may be unanswered,
// once IDLE is, before the server is asked whether it has it.
const lostAfter = 3 * time.Second

// idle sends IDLE; cont is closed when its "+" has come. With noop, a NOOP goes
// ahead in the same write, and told is its answer.
func (t *tap) idle(noop bool) (answer, told <-chan status, cont <-chan struct{}, err error) {
	t.writing.Lock()
	defer t.writing.Unlock()
	var lines []byte
	t.mu.Lock()
	if noop {
		var tag string
		tag, told = t.tag()
		lines = append(lines, tag+" NOOP\r\n"...)
		t.log("C: ", tag+" NOOP")
	}
	tag, answer := t.tag()
	t.idling, t.cont = tag, make(chan struct{})
	t.chatter.anew()
	cont = t.cont
	t.due()
	t.mu.Unlock()
	t.log("C: ", tag+" IDLE")
	_, err = t.put(append(lines, tag+" IDLE\r\n"...))
	return answer, told, cont, err
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
	t.emit(func(l listener) { l.told(callbacks.Parse, "passed over a stray +") })
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
	t.writing.Lock()
	defer t.writing.Unlock()
	done := t.done()
	if done == nil {
		return nil
	}
	_, err := t.put(done)
	return err
}

// behind is a command that was written after DONE and before the answer to
// IDLE. go-imap v1's server reads DONE through a buffer of its own, and loses
// what else was in it.
type behind struct {
	tag   string
	line  []byte
	along bool // in one write with DONE
}

// follows notes a command, or the rest of one. It is called before the write.
func (t *tap) follows(tag string, p []byte, along bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch n := len(t.behind); {
	case tag != "" && t.ending:
		t.behind = append(t.behind, behind{tag, slices.Clone(p), along})
	case tag == "" && n > 0:
		t.behind[n-1].line = append(t.behind[n-1].line, p...)
	}
}

// settle takes a command off that was answered, at least in part. It is called
// with mu held.
func (t *tap) settle(tag string) {
	i := slices.IndexFunc(t.behind, func(b behind) bool { return b.tag == tag })
	if i < 0 {
		return
	}
	if t.behind[i].along && !t.resent {
		t.quirks.readsOn.Store(true)
	}
	t.behind = slices.Delete(t.behind, i, i+1)
	if len(t.behind) == 0 && t.doubt != nil {
		t.doubt.Stop()
	}
}

// idleOver is called with mu held when IDLE has been answered.
func (t *tap) idleOver() {
	if t.resent = false; len(t.behind) > 0 {
		t.doubt = time.AfterFunc(lostAfter, func() { t.emit(func(listener) { t.probe() }) })
	}
}

// probe asks, by a NOOP, whether the server has lost the commands behind DONE:
// where they are answered no sooner than the NOOP, it has.
func (t *tap) probe() {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.mu.Lock()
	if len(t.behind) == 0 || t.probing != "" || t.midLine {
		t.mu.Unlock()
		return
	}
	tag, _ := t.tag()
	t.probing = tag
	t.mu.Unlock()
	t.send(tag+" NOOP", tag+" NOOP")
}

// probed takes the answer to the NOOP, and returns the commands to send again. It
// is called with mu held.
func (t *tap) probed() (lost []byte) {
	t.probing = ""
	for _, b := range t.behind {
		lost = append(lost, b.line...)
	}
	if lost != nil {
		t.resent = true
		t.quirks.doneAlone.Store(true)
	}
	return lost
}

// sendAgain sends the lost commands once more.
func (t *tap) sendAgain(l listener, lost []byte) {
	l.warn("the server loses a command that comes with DONE: it is sent again, and from now on after the answer to DONE")
	t.writing.Lock()
	defer t.writing.Unlock()
	t.log("C: ", "<the commands behind DONE, again>")
	t.put(lost)
}

// answering tells that a FETCH is being answered: no command behind DONE was lost.
func (t *tap) answering() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.behind) > 0 {
		t.settle(t.behind[0].tag)
	}
}
