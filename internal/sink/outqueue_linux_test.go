package sink

import (
	"errors"
	"net"
	"syscall"
	"testing"
	"time"
)

// What a receiver that was gone did not take is known although its end was read.
func TestAcknowledged(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	pair := func() (client, server *net.TCPConn) {
		t.Helper()
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		accepted, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { accepted.Close() })
		return conn.(*net.TCPConn), accepted.(*net.TCPConn)
	}
	write := func(conn net.Conn, octets int) {
		t.Helper()
		conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		if _, err := conn.Write(make([]byte, octets)); err != nil && octets < 1<<20 {
			t.Fatal(err)
		}
	}

	client, server := pair()
	write(client, 100)
	if err := acknowledged(client, time.Second); err != nil {
		t.Errorf("taken: %v", err)
	}
	server.Close()

	client, server = pair()
	server.Close()
	if n, _ := client.Read(make([]byte, 1)); n != 0 {
		t.Fatal("it said something")
	}
	write(client, 100)
	if err := acknowledged(client, time.Second); !errors.Is(err, errEarly) || !errors.Is(err, syscall.EPIPE) {
		t.Errorf("gone: %v", err)
	}

	client, server = pair()
	if err := server.SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	write(client, 64<<20) // more than the kernels hold
	if err := acknowledged(client, 50*time.Millisecond); !errors.Is(err, errStays) {
		t.Errorf("silent: %v", err)
	}
}
