package sink

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// mailServer is go-smtp's server with a mailbox, and with faults.
type mailServer struct {
	*smtp.Server
	addr   string // 127.0.0.1:port
	caFile string

	mu       sync.Mutex
	mails    []receivedMail
	sessions int
	ehlo     []string
	resets   int
	mail     func(from string) error // answers to MAIL, RCPT and the end of DATA
	rcpt     func(to string) error
	end      func(n int) error // n: the number of the message, from 1
	check    func(body []byte) error
	tried    int  // messages to their end
	forget   bool // keep none
	mechs    []string
	logins   []string // mechanism, user and password
}

type receivedMail struct {
	from string
	to   []string
	size int64 // of MAIL
	body []byte
}

// serveMail starts a server. change may set anything before.
func serveMail(tb testing.TB, implicit bool, change func(*mailServer)) *mailServer {
	tb.Helper()
	ca := imaptest.NewCA()
	m := &mailServer{caFile: fixture.File(tb, filepath.Join(tb.TempDir(), "ca.pem"), ca.PEM())}
	m.Server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sessions++
		m.ehlo = append(m.ehlo, c.Hostname())
		s := &mailSession{m: m, c: c}
		if m.mechs == nil {
			return plainSession{s}, nil
		}
		return s, nil
	}))
	m.Domain, m.ReadTimeout, m.WriteTimeout = "mail.example.com", 10*time.Second, 10*time.Second
	m.ErrorLog = noLog{}
	m.TLSConfig = &tls.Config{Certificates: []tls.Certificate{ca.Certificate("127.0.0.1")}}
	if change != nil {
		change(m)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	m.addr = l.Addr().String()
	if implicit {
		l = tls.NewListener(l, m.TLSConfig)
	}
	served := make(chan error, 1)
	go func() { served <- m.Serve(l) }()
	tb.Cleanup(func() {
		m.Close()
		l.Close() // Serve may begin only now
		if err := <-served; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			tb.Error(err)
		}
	})
	return m
}

type noLog struct{}

func (noLog) Printf(string, ...any) {}
func (noLog) Println(...any)        {}

// got are the mails that were taken.
func (m *mailServer) got() []receivedMail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.mails)
}

// set changes the server's answers.
func (m *mailServer) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

type mailSession struct {
	m    *mailServer
	c    *smtp.Conn
	mail receivedMail
}

// plainSession hides AUTH.
type plainSession struct{ smtp.Session }

func (s *mailSession) Reset() {
	s.m.set(func() { s.m.resets++ })
	s.mail = receivedMail{}
}
func (s *mailSession) Logout() error { return nil }

func (s *mailSession) Mail(from string, opts *smtp.MailOptions) error {
	s.m.mu.Lock()
	answer := s.m.mail
	s.m.mu.Unlock()
	if answer != nil {
		if err := answer(from); err != nil {
			return err
		}
	}
	s.mail = receivedMail{from: from, size: opts.Size}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.m.mu.Lock()
	answer := s.m.rcpt
	s.m.mu.Unlock()
	if answer != nil {
		if err := answer(to); err != nil {
			return err
		}
	}
	s.mail.to = append(s.mail.to, to)
	return nil
}

var errTear = errors.New("tear")

func (s *mailSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.m.tried++
	if s.m.end != nil {
		if err := s.m.end(s.m.tried); errors.Is(err, errTear) {
			s.c.Conn().Close()
			return err
		} else if err != nil {
			return err
		}
	}
	if s.m.check != nil {
		if err := s.m.check(b); err != nil {
			return err
		}
	}
	s.mail.body = b
	if !s.m.forget {
		s.m.mails = append(s.m.mails, s.mail)
	}
	return nil
}

func (s *mailSession) AuthMechanisms() []string { return s.m.mechs }

func (s *mailSession) Auth(mechanism string) (sasl.Server, error) {
	if mechanism == sasl.Login {
		return &loginServer{done: func(user, password string) error { return s.login(mechanism, user, password) }}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return s.login(mechanism, user, password) }), nil
}

func (s *mailSession) login(mechanism, user, password string) error {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.m.logins = append(s.m.logins, mechanism+" "+user+" "+password)
	if password != "c4n4ry" {
		return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "the password " + password + " is wrong"}
	}
	return nil
}

// loginServer is the other side of the mechanism LOGIN, which go-sasl has as a client
// only.
type loginServer struct {
	user string
	done func(user, password string) error
}

func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case response == nil:
		return []byte("Username:"), false, nil
	case l.user == "":
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.done(l.user, string(response))
}
