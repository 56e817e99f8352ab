package demo

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// imapServer is an IMAP server in this process, with one user and an INBOX.
type imapServer struct {
	user     *imapmemserver.User
	password string
	server   *imapserver.Server
	listener net.Listener
	served   chan error
}

const username = "demo"

func startServer() (*imapServer, error) {
	s := &imapServer{password: rand.Text(), served: make(chan error, 1)}
	s.user = imapmemserver.NewUser(username, s.password)
	if err := s.user.Create("INBOX", nil); err != nil {
		return nil, err
	}
	memory := imapmemserver.New()
	memory.AddUser(s.user)
	s.server = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return pollingSession{memory.NewSession()}, nil, nil
		},
		Logger:       log.New(io.Discard, "", 0),
		InsecureAuth: true, // it listens on loopback only
	})
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	go func() { s.served <- s.server.Serve(s.listener) }()
	return s, nil
}

func (s *imapServer) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

// deliver puts a message into INBOX and returns its UID.
func (s *imapServer) deliver(message []byte) (uint32, error) {
	data, err := s.user.Append("INBOX", bytes.NewReader(message), &imap.AppendOptions{Time: time.Now()})
	if err != nil {
		return 0, fmt.Errorf("demo server: %w", err)
	}
	return uint32(data.UID), nil
}

func (s *imapServer) close() {
	_ = s.server.Close() // closes the listener and every connection
	<-s.served
}

// pollingSession announces to an IDLE client also messages that came just before the
// IDLE. The in-memory server forgets them.
type pollingSession struct{ imapserver.Session }

const pollEvery = 20 * time.Millisecond

func (s pollingSession) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		if err := s.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		case <-ticker.C:
		}
	}
}
