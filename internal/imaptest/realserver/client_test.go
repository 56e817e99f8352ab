package realserver

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/fblwatch/fblwatch/internal/imaptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client is a raw connection of a test.
type client struct {
	*imaptest.RawConn
	t testing.TB
}

func dial(t testing.TB, addr string) client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, conn)
}

func newClient(t testing.TB, conn net.Conn) client {
	t.Cleanup(func() { conn.Close() })
	return client{imaptest.NewRaw(conn), t}
}

// ok sends a command that must succeed.
func (c client) ok(command string) []string {
	c.t.Helper()
	got, err := c.Ask(command)
	if err != nil || !strings.HasPrefix(got[len(got)-1], "OK") {
		c.t.Fatalf("%s: %q, %v", command, got, err)
	}
	return got
}

// send sends one line.
func (c client) send(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c, line+"\r\n"); err != nil {
		c.t.Fatal(err)
	}
}

// body is a message of n octets.
func body(n int) []byte {
	head := []byte("Subject: test\r\n\r\n")
	return append(head, bytes.Repeat([]byte{'x'}, n-len(head))...)
}
