package imaptest

import (
	"fmt"
	"testing"
)

// Filled is a server whose INBOX has n messages. It is closed with the test, if
// not before. body makes a message from its number, which counts from 1; nil
// means Body.
func Filled(tb testing.TB, n int, body func(n int) []byte) *Server {
	if body == nil {
		body = Body
	}
	s := New()
	tb.Cleanup(func() { s.Close() })
	for i := 1; i <= n; i++ {
		s.Append("INBOX", body(i))
	}
	return s
}

// Body is a small message with its number in it.
func Body(n int) []byte { return fmt.Appendf(nil, "Subject: mail %d\r\n\r\nhello %d\r\n", n, n) }
