package imapclient

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

func (t *tap) Read(p []byte) (int, error) {
	for {
		switch {
		case len(t.out) > 0:
			n := copy(p, t.out)
			t.out = t.out[n:]
			return n, nil
		default:
			t.reads(false)
			line, err := t.readLine()
			if err == nil {
				err = t.segment(line)
			}
			if err != nil {
				return 0, t.fail(err)
			}
		}
	}
}

// fail ends the connection after an error of reading.
func (t *tap) fail(err error) error {
	if t.onWire != 0 {
		err = &FetchError{UID: t.onWire, Octets: t.came, Err: err}
	}
	t.end(err)
	return err
}

// segment takes one physical line: a whole response, or a part of one before or
// after a literal.
func (t *tap) segment(b []byte) error {
	if t.debug != nil {
		t.log("S: ", string(b))
	}
	if err := t.chatter.add(1, len(b)); err != nil {
		return err
	}
	first := len(t.line) == 0 && t.body == nil
	if first {
		if len(b) > 0 && b[0] == '+' {
			t.continuation()
			return nil
		}
		tag, rest, _ := bytes.Cut(b, []byte(" "))
		if st, ok := t.readStatus(rest); ok {
			return t.status(string(tag), st) // its text may end in {12}, which is no literal here
		}
	}
	if len(t.line)+len(b) > maxLine {
		return fmt.Errorf("%w: a response of over %d octets", ErrProtocol, maxLine)
	}
	t.line = append(t.line, b...)
	if head, size, ok := literalSize(t.line); ok {
		t.line = head
		return t.literal(size)
	}
	line, body := t.line, t.body
	t.line, t.body = t.line[:0], nil
	return t.response(line, body)
}

// literal takes the size of a literal that follows the line so far.
func (t *tap) literal(size int64) error {
	seq, name, rest := untagged(t.line)
	if name == "FETCH" && t.body == nil {
		if f := parseFetch(seq, rest); f.open {
			t.line = t.line[:0] // f holds it
			return t.bodyLiteral(f, size)
		}
	}
	if size > maxLine-int64(len(t.line)) {
		return fmt.Errorf("%w: a literal of %d octets in %s", ErrProtocol, size, clean(t.veil.overString(name)))
	}
	if err := t.chatter.add(0, int(size)); err != nil {
		return err
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(t.r, b); err != nil {
		return err
	}
	t.line = append(t.line, quote(b)...)
	return nil
}

// untagged splits "* 12 FETCH (...)" and "* SEARCH 1 2".
func untagged(line []byte) (num uint32, name string, rest []byte) {
	p := parser{line}
	if string(p.token()) != "*" {
		return 0, "", nil
	}
	word := p.token()
	if len(word) > 0 && word[0] >= '0' && word[0] <= '9' {
		q := parser{word}
		num, word = q.number(), p.token()
	}
	return num, upper(word), p.b
}

// response takes a whole untagged line. If body is not nil, it is the FETCH whose
// body was in the line, and line is what followed the body.
func (t *tap) response(line []byte, body *fetchLine) error {
	if body != nil {
		f := *body
		f.items(line)
		f.hasBody = true
		return t.fetched(f, body)
	}
	if err := t.tardy(); err != nil {
		return err
	}
	num, name, rest := untagged(line)
	switch name {
	case "FETCH":
		return t.fetched(parseFetch(num, rest), nil)
	case "EXISTS":
		t.chatter.allow(num)
		t.emit(func(l listener) { l.exists(num) })
	case "EXPUNGE":
		if num != 0 {
			t.emit(func(l listener) { l.expunged(num, 0, false) })
		}
	case "VANISHED":
		t.vanished(rest)
	case "SEARCH":
		nums, beyond := parseNumbers(rest)
		t.emit(func(l listener) {
			l.searched(nums)
			l.beyond(beyond)
		})
	case "LIST", "LSUB":
		mailbox, delim, attrs := parseList(rest)
		t.emit(func(l listener) { l.listed(name, mailbox, delim, attrs) })
	case "STATUS":
		mailbox, st := parseStatusLine(rest)
		t.emit(func(l listener) { l.statusLine(mailbox, st) })
	case "FLAGS":
		t.emit(func(l listener) { l.enter() })
	case "ENABLED":
		words := strings.Fields(string(rest))
		t.emit(func(l listener) { l.enabledLine(words) })
	case "NAMESPACE":
		prefix, delim := parseNamespace(rest)
		t.emit(func(l listener) { l.namespaceLine(prefix, delim) })
	case "QUOTA":
		quotas := parseQuota(rest)
		t.emit(func(l listener) { l.quotaLine(quotas) })
	case "RECENT":
		t.emit(func(l listener) { l.recent(num) })
	case "CAPABILITY", "ID", "ESEARCH", "QUOTAROOT":
	default:
		line = t.veil.over(line)
		text := string(line[:min(len(line), 200)])
		t.emit(func(l listener) { l.told(callbacks.Parse, "ignored: "+clean(text)) })
	}
	return nil
}

// status takes a status response.
func (t *tap) status(tag string, st status) error {
	if tag == "*" {
		if err := t.tardy(); err != nil {
			return err
		}
		t.emit(func(l listener) { l.notified(st) })
		if st.kind == "BYE" { // some servers leave it to the client to close
			time.AfterFunc(byeGrace, func() { t.end(io.EOF) }) // as if it had closed
		}
		return nil
	}
	if st.kind != "OK" && st.kind != "NO" && st.kind != "BAD" {
		return fmt.Errorf("%w: the answer to a command is %s", ErrProtocol, st.kind)
	}
	t.mu.Lock()
	answer, ours := t.own[tag]
	goIMAP := t.theirs[tag]
	delete(t.own, tag)
	delete(t.theirs, tag)
	t.settle(tag)
	var lost []byte
	switch {
	case tag == "":
	case tag == t.idling:
		t.idling, t.cont, t.leaving, t.ending = "", nil, false, false
		t.idleOver()
	case tag == t.probing:
		lost = t.probed()
	}
	t.due()
	t.mu.Unlock()
	if lost != nil {
		t.emit(func(l listener) { t.sendAgain(l, lost) })
	}
	switch {
	case ours:
		answer <- st
	case goIMAP:
		t.emit(func(l listener) { l.tagged(st) })
		t.out = fmt.Appendf(t.out, "%s %s done\r\n", tag, st.kind) // it dies of odd codes and texts
	default:
		t.emit(func(l listener) {
			l.told(callbacks.Parse, "an answer to no command: "+clean(t.veil.overString(tag))+" "+st.kind+" "+st.text)
		})
	}
	return nil
}

// reads sets whether a body is read, or lines.
func (t *tap) reads(body bool) {
	if t.reading != body {
		t.reading = body
		t.inBody(body)
	}
}

// vanished turns "VANISHED (EARLIER) 41,43:116" (RFC 7162) into events.
func (t *tap) vanished(rest []byte) {
	p := parser{rest}
	earlier := p.list() != nil
	for _, part := range strings.Split(p.word(), ",") {
		from, to, isRange := strings.Cut(part, ":")
		a, b := parser{[]byte(from)}, parser{[]byte(to)}
		lo := a.number()
		hi := lo
		if isRange {
			hi = b.number()
		}
		if lo > hi {
			lo, hi = hi, lo
		}
		for uid := uint64(lo); uid <= uint64(hi) && uid != 0; uid++ {
			if !t.chatter.vanish() {
				return
			}
			gone := uint32(uid)
			t.emit(func(l listener) { l.expunged(0, gone, earlier) })
		}
	}
}
