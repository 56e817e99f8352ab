package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/smtp"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/emersion/go-sasl"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/remote"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

const (
	smtpCommand = time.Minute      // for the answer to one command
	smtpTaken   = 10 * time.Minute // for a message and the answer to it, RFC 5321 section 4.5.3.2
	smtpQuit    = 5 * time.Second
	smtpAnswer  = 1 << 20 // octets of one answer, and of the server's part of a handshake
	smtpShown   = 300     // octets of an answer that a person sees
)

// smtpServer is the server of a config (RFC 5321). net/smtp speaks with it but for
// MAIL: its own asks for SMTPUTF8 (RFC 6531) whenever it is offered.
type smtpServer struct {
	config RemoteConfig
	ehlo   string // the name in EHLO; "": that of this machine
	log    *slog.Logger

	client *smtp.Client // nil: there is no session
	conn   *smtpConn
	stop   func() bool
	taken  int // messages in this session
	size   int64
}

// smtpConn bounds each step of a session in time and in octets.
type smtpConn struct {
	net.Conn
	left int
}

func (c *smtpConn) step(limit time.Duration) {
	c.left = smtpAnswer
	_ = c.SetDeadline(time.Now().Add(limit)) // fails on a closed connection, as the next read does
}

var errSMTPAnswer = fmt.Errorf("an answer of more than %d octets", smtpAnswer)

func (c *smtpConn) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, errSMTPAnswer
	}
	n, err := c.Conn.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

// smtpError is an answer that is no success, or what broke the session.
type smtpError struct {
	step     string // "" while the session begins; MAIL, RCPT, DATA, or END: the end of the message
	code     int    // 0: the session broke
	enhanced string // RFC 3463, such as "5.7.1"
	err      error
}

func (e *smtpError) Error() string { return e.err.Error() }
func (e *smtpError) Unwrap() error { return e.err }

// about reports whether an enhanced code begins with any of the prefixes.
func (e *smtpError) about(prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(e.enhanced+".", prefix+".") {
			return true
		}
	}
	return false
}

func (s *smtpServer) fail(step string, err error) *smtpError {
	failed := &smtpError{step: step}
	what := step
	if step == "END" {
		what = "the message"
	}
	if what != "" {
		what += ": "
	}
	answer := (*textproto.Error)(nil)
	if !errors.As(err, &answer) {
		failed.err = fmt.Errorf("sink: %s: %s%w", s.config.parsed().Host, what, err)
		return failed
	}
	failed.code = answer.Code
	if word, _, _ := strings.Cut(answer.Msg, " "); strings.Count(word, ".") == 2 && strings.Trim(word, "0123456789.") == "" {
		failed.enhanced = word
	}
	text := strings.Join(strings.Fields(answer.Msg[:min(len(answer.Msg), smtpShown)]), " ")
	failed.err = fmt.Errorf("sink: %s: %sanswered %d %s", s.config.parsed().Host, what, answer.Code, terminal.Printable(text))
	return failed
}

// send sends one message, in the session that is open or in a new one. The error is a
// *smtpError, or that of ctx.
func (s *smtpServer) send(ctx context.Context, from string, to []string, message []byte) error {
	if s.client == nil {
		if err := s.open(ctx); err != nil {
			return s.ended(ctx, err)
		}
	}
	failed := s.transact(from, to, message)
	if failed == nil {
		s.taken++
		return nil
	}
	if failed.code != 0 && failed.code != 421 && ctx.Err() == nil {
		s.conn.step(s.config.timeout(smtpCommand))
		if s.client.Reset() != nil {
			s.drop()
		}
		return failed
	}
	again := s.taken > 0 && (failed.step == "MAIL" || failed.step == "RCPT") && ctx.Err() == nil
	s.drop()
	if again { // it wants a new session now and then
		return s.send(ctx, from, to, message)
	}
	return s.ended(ctx, failed)
}

// ended returns the error of ctx if that is why a session broke.
func (s *smtpServer) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// tooLarge returns what to say if the server takes no message of size octets.
func (s *smtpServer) tooLarge(size int) string {
	if s.size == 0 || int64(size) <= s.size {
		return ""
	}
	return fmt.Sprintf("the message has %d octets, and the server takes at most %d", size, s.size)
}

func (s *smtpServer) transact(from string, to []string, message []byte) *smtpError {
	limit := s.config.timeout(smtpCommand)
	command := func(step string, code int, format string, args ...any) *smtpError {
		s.conn.step(limit)
		id, err := s.client.Text.Cmd(format, args...)
		if err == nil {
			s.client.Text.StartResponse(id)
			_, _, err = s.client.Text.ReadResponse(code)
			s.client.Text.EndResponse(id)
		}
		if err != nil {
			return s.fail(step, err)
		}
		return nil
	}
	size := ""
	if offered, _ := s.client.Extension("SIZE"); offered {
		size = " SIZE=" + strconv.Itoa(len(message))
	}
	if text := s.tooLarge(len(message)); text != "" {
		return &smtpError{step: "MAIL", code: 552, enhanced: "5.3.4", err: errors.New("sink: " + text)}
	}
	if failed := command("MAIL", 250, "MAIL FROM:<%s>%s", from, size); failed != nil {
		return failed
	}
	for _, addr := range to {
		if failed := command("RCPT", 25, "RCPT TO:<%s>", addr); failed != nil {
			return failed
		}
	}
	if failed := command("DATA", 354, "DATA"); failed != nil {
		return failed
	}
	s.conn.step(s.config.timeout(smtpTaken))
	w := s.client.Text.DotWriter()
	_, err := w.Write(message)
	if closed := w.Close(); err == nil {
		err = closed
	}
	if err == nil {
		_, _, err = s.client.Text.ReadResponse(250)
	}
	if err != nil {
		return s.fail("END", err)
	}
	return nil
}

// open begins a session: TLS where it is needed, and the login.
func (s *smtpServer) open(ctx context.Context) error {
	limit := s.config.timeout(smtpCommand)
	url := s.config.parsed()
	conf, err := s.config.tls().Config()
	if err != nil {
		return s.fail("", err)
	}
	conf.ServerName = url.Hostname()
	port := map[string]string{"smtp": "25", "smtps": "465"}[url.Scheme]
	if url.Port() != "" {
		port = url.Port()
	} else if url.Scheme == "smtp" && s.config.User != "" {
		port = "587" // RFC 6409
	}
	dialer := net.Dialer{Timeout: limit}
	raw, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(url.Hostname(), port))
	if err != nil {
		return s.fail("", err)
	}
	s.conn, s.taken, s.size = &smtpConn{Conn: raw}, 0, 0
	s.stop = context.AfterFunc(ctx, func() { _ = raw.Close() })
	if err := s.begin(ctx, conf, limit); err != nil {
		s.drop()
		return s.fail("", err)
	}
	return nil
}

var (
	errNoSTARTTLS = errors.New("does not offer STARTTLS; use smtps://, or write insecure: true if the way there is yours alone")
	errNoAuth     = errors.New("offers none of AUTH PLAIN and AUTH LOGIN")
)

func (s *smtpServer) begin(ctx context.Context, conf *tls.Config, limit time.Duration) (err error) {
	url := s.config.parsed()
	s.conn.step(limit)
	conn := net.Conn(s.conn)
	if url.Scheme == "smtps" {
		conn = tls.Client(conn, conf)
	}
	if s.client, err = smtp.NewClient(conn, url.Hostname()); err != nil { // reads the greeting
		_ = s.conn.Close()
		return err
	}
	s.conn.step(limit)
	if err := s.client.Hello(s.name()); err != nil {
		return err
	}
	if url.Scheme == "smtp" && s.secured() {
		if offered, _ := s.client.Extension("STARTTLS"); !offered {
			return errNoSTARTTLS
		}
		s.conn.step(limit)
		if err := s.client.StartTLS(conf); err != nil {
			return err
		}
	}
	if _, value := s.client.Extension("SIZE"); value != "" {
		if size, err := strconv.ParseInt(value, 10, 64); err == nil && size > 0 {
			s.size = size
		}
	}
	if s.config.User == "" {
		return nil
	}
	return s.login(ctx, limit)
}

// secured reports whether smtp:// needs STARTTLS. A password is sent in no other way.
func (s *smtpServer) secured() bool {
	plain := s.config.Insecure || remote.IsLoopback(s.config.parsed().Hostname())
	return !plain || s.config.User != "" || s.config.tls() != remote.TLS{}
}

func (s *smtpServer) login(ctx context.Context, limit time.Duration) error {
	password, err := s.config.source().Get(ctx)
	if err != nil {
		return err
	}
	_, offered := s.client.Extension("AUTH")
	var client sasl.Client
	for _, mechanism := range strings.Fields(offered) {
		if strings.EqualFold(mechanism, sasl.Plain) {
			client = sasl.NewPlainClient("", s.config.User, password.Reveal())
			break
		}
		if strings.EqualFold(mechanism, sasl.Login) {
			client = sasl.NewLoginClient(s.config.User, password.Reveal())
		}
	}
	if client == nil {
		return errNoAuth
	}
	s.conn.step(limit)
	err = s.client.Auth(saslAuth{client})
	if answer := (*textproto.Error)(nil); errors.As(err, &answer) {
		return hidden(answer, password)
	}
	return err
}

// hidden is the answer without the password, which a server may repeat.
func hidden(answer *textproto.Error, password imapclient.Secret) error {
	text := strings.ReplaceAll(answer.Msg, password.Reveal(), password.String())
	return &textproto.Error{Code: answer.Code, Msg: "to the login: " + text}
}

// saslAuth lets a SASL client log in.
type saslAuth struct{ sasl.Client }

func (a saslAuth) Start(server *smtp.ServerInfo) (mechanism string, first []byte, err error) {
	if !server.TLS {
		return "", nil, errNoSTARTTLS
	}
	return a.Client.Start()
}

func (a saslAuth) Next(challenge []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	return a.Client.Next(challenge)
}

// name is the name in EHLO: this machine's where it has a domain, else its address
// (RFC 5321 section 4.1.4).
func (s *smtpServer) name() string {
	if s.ehlo != "" {
		return s.ehlo
	}
	if name, err := os.Hostname(); err == nil && strings.Contains(name, ".") && isEHLO(name) {
		return name
	}
	addr, ok := s.conn.LocalAddr().(*net.TCPAddr)
	switch {
	case !ok:
		return "localhost"
	case addr.IP.To4() == nil:
		return "[IPv6:" + addr.IP.String() + "]"
	}
	return "[" + addr.IP.String() + "]"
}

func isEHLO(name string) bool {
	return name != "" && len(name) <= 255 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") == ""
}

// probe opens a session, logs in, and ends the session.
func (s *smtpServer) probe(ctx context.Context) (said string, err error) {
	if err := s.open(ctx); err != nil {
		return "", s.ended(ctx, err)
	}
	defer s.close()
	s.conn.step(s.config.timeout(smtpCommand))
	if err := s.client.Noop(); err != nil {
		return "", s.ended(ctx, s.fail("NOOP", err))
	}
	said = s.config.parsed().Host + " answers"
	if state, encrypted := s.client.TLSConnectionState(); encrypted {
		said += " over " + tls.VersionName(state.Version)
	}
	if s.config.User != "" {
		said += ", and takes the login of " + s.config.User
	}
	return said, nil
}

// close ends the session, if there is one.
func (s *smtpServer) close() {
	if s.client == nil {
		return
	}
	s.conn.step(smtpQuit)
	_ = s.client.Quit() // the messages are taken, whatever it says
	s.drop()
}

func (s *smtpServer) drop() {
	s.stop()
	_ = s.conn.Close()
	s.client = nil
}
