package imaptest

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy accepts connections on a loopback port, and connects each to target.
type proxy struct {
	target string
	ln     net.Listener
	carry  func(n int, client, server *net.TCPConn) // n from 1; returns when both may be closed

	up, down atomic.Int64 // octets to the server and to the client
	wg       sync.WaitGroup

	mu     sync.Mutex
	open   map[*net.TCPConn]bool
	closed bool
}

// startProxy returns a proxy that ends with its test.
func startProxy(tb testing.TB, target string, p *proxy) {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p.target, p.ln, p.open = target, ln, make(map[*net.TCPConn]bool)
	p.wg.Go(p.accept)
	tb.Cleanup(func() {
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		ln.Close()
		p.cut()
		p.wg.Wait()
	})
}

// Addr is the host and port to connect to.
func (p *proxy) Addr() string { return p.ln.Addr().String() }

// Octets is how many octets went to the server and to the client.
func (p *proxy) Octets() (up, down int64) { return p.up.Load(), p.down.Load() }

func (p *proxy) accept() {
	for n := 1; ; n++ {
		conn, err := p.ln.Accept()
		if err != nil {
			return
		}
		client := conn.(*net.TCPConn)
		p.wg.Go(func() {
			defer client.Close()
			conn, err := net.Dial("tcp", p.target)
			if err != nil {
				return
			}
			server := conn.(*net.TCPConn)
			defer server.Close()
			if p.hold(client, server) {
				p.carry(n, client, server)
			}
			p.drop(client, server)
		})
	}
}

// hold registers connections for cut. It returns false if the proxy is closed.
func (p *proxy) hold(conns ...*net.TCPConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.open[c] = true
	}
	return !p.closed
}

func (p *proxy) drop(conns ...*net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.open, c)
	}
}

// cut closes all current connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		c.Close()
	}
}
