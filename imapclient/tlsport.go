package imapclient

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// A server with TLS from the first octet waits for the client. So a connection
// without TLS to such a port is silent. After greetingDoubt, doubt finds out.
const (
	greetingDoubt = time.Second     // without a greeting
	probeTime     = 5 * time.Second // for the answer to a handshake
	implicitPort  = 993             // RFC 8314 section 7.3
)

// doubt ends the connection with ErrTLSPort if no greeting comes and the port is
// one for TLS: by its number, or because a second connection is answered in TLS.
// It lasts until stop returns.
func (s *setup) doubt(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-time.After(greetingDoubt):
		case <-ctx.Done():
			return
		}
		if s.opts.port() == implicitPort || s.opts.Dial == nil && speaksTLS(ctx, s.wire.raw.RemoteAddr()) {
			s.wire.end(ErrTLSPort)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// speaksTLS reports whether a server answers a handshake in TLS, also by a refusal.
// It sends nothing but the handshake.
func speaksTLS(ctx context.Context, addr net.Addr) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, addr.Network(), addr.String())
	if err != nil {
		return false
	}
	defer conn.Close()
	seen := &firstOctets{Conn: conn}
	_ = tls.Client(seen, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx)
	return isTLS(seen.first)
}

// firstOctets keeps the first two octets that are read.
type firstOctets struct {
	net.Conn
	first []byte
}

func (f *firstOctets) Read(p []byte) (int, error) {
	n, err := f.Conn.Read(p)
	f.first = append(f.first, p[:min(n, max(0, 2-len(f.first)))]...)
	return n, err
}

// isTLS reports whether b begins an alert or a handshake record (RFC 8446 section
// 5.1).
func isTLS(b []byte) bool { return len(b) >= 2 && (b[0] == 21 || b[0] == 22) && b[1] == 3 }
