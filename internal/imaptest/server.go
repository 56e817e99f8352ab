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

// Server is a scripted IMAP server. Its mailboxes outlive its connections. It
// uses no clock, no network and no randomness of its own, so that it runs in a
// testing/synctest bubble; there New must be called inside the bubble.
//
// The fields are set before the first connection. Hook, Shape and Limit are
// called from the goroutines of the connections, one at a time within each;
// they may call the Server's methods but Close.
type Server struct {
	// Greeting is the first line, without CRLF; "* PREAUTH" and "* BYE" mean
	// what they say. By default it is an OK that holds the capabilities.
	Greeting string
	// Caps are the capabilities; STARTTLS joins them where it is possible.
	Caps []string
	// QuietCaps keeps the capabilities out of the greeting and of the answer
	// to a login, so that a client must ask for them.
	QuietCaps bool
	// User and Password are the only ones that may log in.
	User, Password string
	// Token is the access token that logs User in by OAUTHBEARER or XOAUTH2, if
	// Caps offer them; GoodToken, where set, decides instead. A client's
	// certificate logs in whom it names, by EXTERNAL.
	Token     string
	GoodToken func(token string) bool
	// TLS, where set, offers STARTTLS; with ImplicitTLS every connection
	// starts with the handshake.
	TLS         *tls.Config
	ImplicitTLS bool

	// Hook is asked at every step.
	Hook func(Step) Action
	// Limit says after how many octets written to the client, TLS's own not
	// counted, a connection is cut; negative means never.
	Limit func(conn int) int64
	// Shape says how the answer for a message is to look.
	Shape func(conn int, uid uint32) Shape
	// Descending answers a FETCH from the last message to the first.
	Descending bool
	// IdleFor is how long an IDLE lasts before the server ends it with a
	// tagged OK; 0 is for ever.
	IdleFor time.Duration
	// IdleForgets keeps IDLE from telling what came before it, as pymap does.
	IdleForgets bool
	// IdleMute has IDLE tell nothing before DONE, as imap4d does.
	IdleMute bool
	// ReadsOne loses what is read together with a NOOP.
	ReadsOne bool
	// IdleLoses loses what is read together with DONE, as go-imap v1 does.
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

// Shape bends the FETCH answer of one message. The zero Shape is the usual one.
type Shape struct {
	Missing    bool   // no answer at all
	UIDLast    bool   // UID behind the literal, as Exchange does
	NilDate    bool   // INTERNALDATE NIL
	Date       string // INTERNALDATE's value, where it is another than the message's
	NilBody    bool   // BODY[] NIL
	QuotedBody bool   // BODY[] "": a body of no octets as a quoted string
	Literal8   bool   // ~{n}, RFC 3516

	// Body, where set, gives the octets that the server takes for the message
	// this time; RFC822.SIZE stays.
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

// Dial connects to the server in memory, whatever the address. The other end
// is served until either side closes it.
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

// Serve speaks with the client behind conn until either side closes it.
func (s *Server) Serve(conn net.Conn) {
	if c, err := s.open(conn); err == nil {
		c.serve()
	}
}

// Listen serves a loopback port, for programs that cannot be given Dial, and
// returns its address.
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

// open numbers a connection; its session must be served or ended.
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

// Disconnect cuts every connection there is now.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.sessions {
		c.raw.Close()
	}
}

// Conns is how many connections there have been.
func (s *Server) Conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Open is how many connections there are now.
func (s *Server) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// Steps lists every step so far, in the order in which they were reached. Run
// over a clean session it is the list of places where one may fail.
func (s *Server) Steps() []Step {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Step(nil), s.steps...)
}

// Transcript lists the lines of all connections, such as "1 C: a NOOP"; secrets
// are shown, literals by their size.
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
