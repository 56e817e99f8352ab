package imapclient

import (
	"sync"
	"time"
)

const (
	poolMost   = 1 << 17 // octets of the largest buffer that is kept for the next message
	bufferStep = 1 << 12 // a buffer is a multiple of so many octets, to serve other messages too
)

// Message is one message of a FETCH (RFC 9051 section 7.5.2). At most one of Gone,
// Withheld and Bodyless is true; then Body is nil.
type Message struct {
	UID          uint32
	InternalDate time.Time // when the server received it; zero: not known
	Size         int64     // octets of the whole message (RFC822.SIZE); -1: not known
	Body         []byte    // its first octets, as many as asked for
	Asked        int64     // octets of Body that were asked for

	// Gone: the message does not exist any more. The server did not mention it in
	// the answers to two requests, and SEARCH does not list it.
	Gone bool
	// Withheld: the server did not mention the message in two answers, but SEARCH
	// lists it. Ask again later; some servers never give such a message.
	Withheld bool
	// Bodyless: the server knows the message, but sent no body.
	Bodyless bool

	buf  *[]byte
	turn int // see asked
}

// Release returns the memory of Body for the next message. Do not use Body after
// it. A Message that is not released costs new memory only.
func (m *Message) Release() {
	if m.buf != nil && cap(*m.buf) <= poolMost {
		buffers.Put(m.buf)
	}
	m.Body, m.buf = nil, nil
}

// newMessage makes a message with a Body of n octets.
func newMessage(n int) *Message {
	m := &Message{buf: buffers.Get().(*[]byte)}
	if cap(*m.buf) < n {
		*m.buf = make([]byte, (n+bufferStep-1)/bufferStep*bufferStep)
	}
	m.Body = (*m.buf)[:n]
	return m
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}
