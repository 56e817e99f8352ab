package imapclient

import (
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

// lostAfter is how long a command that went out with DONE may be unanswered after
// the answer to IDLE. Then a NOOP finds out whether the server has lost it.
const lostAfter = 3 * time.Second

// idle sends IDLE. cont is closed by its "+". With noop, a NOOP precedes it in the
// same write, and told is the answer to that.
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
	t.emit(func(l listener) { l.told(callbacks.Parse, "ignored: a + that answers nothing") })
}

// endIdle makes the next command send DONE in the same write: that takes one packet,
// and one round trip. It returns false if the server has ended IDLE already.
func (t *tap) endIdle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leaving = t.idling != ""
	return t.leaving
}

// done returns the DONE that is still to be sent, or nil.
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

// leave sends the DONE without a command.
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

// follower is a command that was written after DONE and before the answer to
// IDLE. The server of go-imap v1 reads DONE through a buffer of its own, and loses
// the rest of the buffer.
type follower struct {
	tag   string
	line  []byte
	along bool // it was in one write with DONE
}

// follows notes a command, or the rest of one. Call it before the write.
func (t *tap) follows(tag string, p []byte, along bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch n := len(t.followers); {
	case tag != "" && t.ending:
		t.followers = append(t.followers, follower{tag, slices.Clone(p), along})
	case tag == "" && n > 0:
		t.followers[n-1].line = append(t.followers[n-1].line, p...)
	}
}

// settle removes a follower that is answered, at least in part. Call it with mu
// held.
func (t *tap) settle(tag string) {
	i := slices.IndexFunc(t.followers, func(b follower) bool { return b.tag == tag })
	if i < 0 {
		return
	}
	if t.followers[i].along && !t.resent {
		t.quirks.readsOn.Store(true)
	}
	t.followers = slices.Delete(t.followers, i, i+1)
	if len(t.followers) == 0 && t.doubt != nil {
		t.doubt.Stop()
	}
}

// idleOver handles the answer to IDLE. Call it with mu held.
func (t *tap) idleOver() {
	if t.resent = false; len(t.followers) > 0 {
		t.doubt = time.AfterFunc(lostAfter, func() { t.emit(func(listener) { t.probe() }) })
	}
}

// probe finds out by a NOOP whether the server has lost the commands that follow
// DONE: it has if the NOOP is answered before them.
func (t *tap) probe() {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.mu.Lock()
	if len(t.followers) == 0 || t.probing != "" || t.midLine {
		t.mu.Unlock()
		return
	}
	tag, _ := t.tag()
	t.probing = tag
	t.mu.Unlock()
	t.send(tag+" NOOP", tag+" NOOP")
}

// probed handles the answer to the NOOP, and returns the commands to send again.
// Call it with mu held.
func (t *tap) probed() (lost []byte) {
	t.probing = ""
	for _, b := range t.followers {
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
	t.log("C: ", "<the commands after DONE, again>")
	t.put(lost)
}
