package imapclient

import (
	"bytes"
	"strings"
)

// inject sends a command of our own. The channel receives the answer; it has room
// for it, so nothing must wait.
func (t *tap) inject(command string) (<-chan status, error) {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.mu.Lock()
	tag, answer := t.tag()
	t.due()
	t.mu.Unlock()
	line := tag + " " + command
	done := t.done()
	t.log("C: ", line)
	t.follows(tag, []byte(line+"\r\n"), done != nil)
	_, err := t.put(append(done, line+"\r\n"...))
	return answer, err
}

// Write sends go-imap's commands, and notes their tags.
func (t *tap) Write(p []byte) (int, error) {
	t.writing.Lock()
	defer t.writing.Unlock()
	tag, _, ok := bytes.Cut(p, []byte(" "))
	if !ok || t.midLine {
		tag = nil
	} else {
		t.mu.Lock()
		t.theirs[string(tag)] = true
		t.due()
		t.mu.Unlock()
	}
	t.midLine = len(p) > 0 && p[len(p)-1] != '\n'
	done := t.done()
	t.follows(string(tag), p, done != nil)
	if t.debug != nil {
		t.log("C: ", strings.TrimRight(string(p), "\r\n"))
	}
	if done == nil {
		return t.put(p)
	}
	n, err := t.put(append(done, p...))
	return max(0, n-len(done)), err
}
