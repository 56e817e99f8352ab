package imaptest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Server is a scripted IMAP server. Its mailboxes outlive its connections. It uses no
// clock, network or random numbers, so it runs in a testing/synctest bubble; call New
// inside the bubble.
//
// Set the fields before the first connection. The goroutines of the connections call
// Hook, Shape and Limit, each one call at a time. These may call all methods of the
// Server except Close.
type Server struct {
	// Greeting is the first line, without CRLF. "* PREAUTH" logs the client in,
	// "* BYE" ends the connection. The default is an OK with the capabilities.
	Greeting string
	// Caps are the capabilities. STARTTLS is added if it is possible.
	Caps []string
	// QuietCaps omits the capabilities in the greeting and in the answer to a
	// login, so that a client must ask for them.
	QuietCaps bool
	// User and Password are the only ones that may log in.
	User, Password string
	// Token is User's access token for OAUTHBEARER or XOAUTH2, if Caps offer
	// them. GoodToken, if set, decides instead. EXTERNAL logs in the user of the
	// client's certificate.
	Token     string
	GoodToken func(token string) bool
	// TLS, if set, offers STARTTLS. With ImplicitTLS every connection starts with
	// the handshake.
	TLS         *tls.Config
	ImplicitTLS bool

	// Hook is asked at every step.
	Hook func(Step) Action
	// Limit returns after how many octets to the client a connection is cut, those
	// of TLS not counted. Negative means never.
	Limit func(conn int) int64
	// Shape returns the form of the FETCH answer for a message.
	Shape func(conn int, uid uint32) Shape
	// Descending answers a FETCH from the last message to the first.
	Descending bool
	// IdleFor is how long an IDLE lasts until the server ends it with a tagged
	// OK. 0 means for ever.
	IdleFor time.Duration
	// IdleForgets: IDLE does not report what came before it, as in pymap.
	IdleForgets bool
	// IdleMute: IDLE reports nothing before DONE, as in imap4d.
	IdleMute bool
	// ReadsOne: the server loses what comes in one write with a NOOP.
	ReadsOne bool
	// IdleLoses: the server loses what comes in one write with DONE, as go-imap v1.
	IdleLoses bool

	mu         sync.Mutex
	boxes      []*mailbox
	sessions   map[*session]bool
	listeners  []net.Listener
	conns      int
	closed     bool
	steps      []Step
	transcript []string
	wg         sync.WaitGroup
}

// Shape is the form of the FETCH answer for one message. The zero Shape is the usual
// form.
type Shape struct {
	Missing    bool   // no answer at all
	UIDLast    bool   // UID after the literal, as Exchange does
	NilDate    bool   // INTERNALDATE NIL
	Date       string // value of INTERNALDATE, if not the message's
	NilBody    bool   // BODY[] NIL
	QuotedBody bool   // BODY[] "": a body of no octets as a quoted string
	Literal8   bool   // ~{n}, RFC 3516

	// Body, if set, replaces the octets of the message this time. RFC822.SIZE
	// stays.
	Body func(octets []byte) []byte
}

// New returns a server with an empty INBOX, UIDVALIDITY 1, user "user" and
// password "pass".
func New() *Server {
	s := &Server{
		Caps:     []string{"IMAP4rev1", "LITERAL+", "SASL-IR", "IDLE", "ID", "UNSELECT", "AUTH=PLAIN", "AUTH=LOGIN"},
		User:     "user",
		Password: "pass",
		sessions: make(map[*session]bool),
	}
	s.AddMailbox("INBOX", `\Subscribed`)
	return s
}

var errClosed = errors.New("imaptest: server closed")

// Dial connects to the server in memory, and ignores the address. The connection
// lasts until either side closes it.
func (s *Server) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	client, server := newDuplex()
	c, err := s.open(server)
	if err != nil {
		return nil, err
	}
	switch c.ask(Dial, 0, 0, addr).Do {
	case Silent:
		c.end()
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: network, Err: context.Cause(ctx)}
	case Cut:
		c.end()
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	go c.serve()
	return client, nil
}

// Serve serves a client on conn until either side closes it.
func (s *Server) Serve(conn net.Conn) {
	if c, err := s.open(conn); err == nil {
		c.serve()
	}
}

// Listen serves a port of the loopback, for programs that cannot use Dial, and returns
// the address.
func (s *Server) Listen() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		ln.Close()
		return "", errClosed
	}
	s.listeners = append(s.listeners, ln)
	s.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			if c, err := s.open(conn); err == nil {
				go c.serve()
			}
		}
	})
	return ln.Addr().String(), nil
}

// open makes the session of a connection. Serve or end it.
func (s *Server) open(conn net.Conn) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		conn.Close()
		return nil, errClosed
	}
	s.conns++
	c := newSession(s, s.conns, conn)
	s.sessions[c] = true
	s.wg.Add(1)
	return c, nil
}

// Close ends all connections and waits for every goroutine of the server.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for _, ln := range s.listeners {
		ln.Close()
	}
	s.mu.Unlock()
	s.Disconnect()
	s.wg.Wait()
	return nil
}

// Disconnect cuts all current connections.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.sessions {
		c.raw.Close()
	}
}

// Conns is the number of connections so far.
func (s *Server) Conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Open is the number of current connections.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Steps returns all steps so far, in order. After a session without faults it is the
// list of points where one may fail.
func (s *Server) Steps() []Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Step(nil), s.steps...)
}

// Transcript returns the lines of all connections, such as "1 C: a NOOP". Secrets are
// shown; literals are shown by their size.
func (s *Server) Transcript() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.transcript...)
}

func (s *Server) note(conn int, side, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		s.transcript = append(s.transcript, fmt.Sprintf("%d %s: %s", conn, side, line))
	}
}
