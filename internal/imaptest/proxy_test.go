package imaptest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// echo is a server that sends back what it gets.
func echo(t *testing.T) (addr string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				io.Copy(conn, conn)
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		wg.Wait()
	})
	return ln.Addr().String()
}

func octets(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// there sends b through a proxy and back, and returns what came, and after
// what time the first and the last of it.
func there(t *testing.T, addr string, b []byte) (got []byte, first, last time.Duration, err error) {
	start := time.Now()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(start.Add(20 * time.Second))
	go func() {
		if _, err := conn.Write(b); err == nil {
			conn.(*net.TCPConn).CloseWrite()
		}
	}()
	got = make([]byte, len(b)+1)
	n, err := io.ReadAtLeast(conn, got, 1)
	first = time.Since(start)
	if err == nil {
		var more int
		more, err = io.ReadFull(conn, got[n:])
		n += more
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) { // of the extra octet
		err = nil
	}
	return got[:n], first, time.Since(start), err
}

func TestDelayProxy(t *testing.T) {
	addr := echo(t)
	b := octets(1 << 20)
	for name, test := range map[string]struct {
		roundTrip   time.Duration
		bandwidth   int64
		first, last time.Duration // at least
	}{
		"counts only": {},
		"far":         {100 * time.Millisecond, 0, 200 * time.Millisecond, 200 * time.Millisecond},
		"slow":        {0, 4 << 20, 0, 250 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := NewDelayProxy(t, addr, test.roundTrip, test.bandwidth)
			got, first, last, err := there(t, p.Addr(), b)
			if err != nil || !bytes.Equal(got, b) {
				t.Fatalf("%d octets came back of %d, %v", len(got), len(b), err)
			}
			if first < test.first || last < test.last {
				t.Errorf("the first octet came after %v, the last after %v", first, last)
			}
			// Ten times of what must be is for the machine, and is no way
			// at which one octet waits for another.
			if most := 10 * (test.last + 100*time.Millisecond); last > most {
				t.Errorf("the last octet came after %v", last)
			}
			if up, down := p.Octets(); up != int64(len(b)) || down != int64(len(b)) {
				t.Errorf("counted %d and %d octets of %d", up, down, len(b))
			}
		})
	}
}

// TestChaosProxy: whatever comes upon a connection, what arrives is how its
// octets begin; and all the fates there are come.
func TestChaosProxy(t *testing.T) {
	t.Parallel()
	p := NewChaosProxy(t, echo(t), 1)
	b := octets(64 << 10)
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			conn, err := net.Dial("tcp", p.Addr())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(chaosLife + time.Second))
			wg.Go(func() {
				for {
					if _, err := conn.Write(b); err != nil {
						return
					}
				}
			})
			buf := make([]byte, len(b))
			for {
				n, err := io.ReadFull(conn, buf)
				if !bytes.HasPrefix(b, buf[:n]) {
					t.Error("octets were changed")
				}
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	got := p.Fates()
	t.Log(got)
	for _, fate := range fateNames {
		if fate != fateNames[fateOwn] && !strings.Contains(got, fate+":") {
			t.Errorf("no connection was %s: %s", fate, got)
		}
	}
	p.Calm()
	if got, _, _, err := there(t, p.Addr(), b); err != nil || !bytes.Equal(got, b) {
		t.Errorf("once calm: %d octets came back of %d, %v", len(got), len(b), err)
	}
}
