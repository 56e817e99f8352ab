package imapclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/emersion/go-imap/v2/imapclient"

	"github.com/fblwatch/fblwatch/callbacks"
)

// Dial connects, starts TLS, logs in and returns the session. After a refused login
// it calls Options.Login again and connects again. ctx limits Dial only, not the
// session. On error nothing stays open.
//
// Errors: *AuthError (refused login), *ResponseError (refused greeting or
// CAPABILITY), *ByeError, *TimeoutError, ErrNoMechanism, ErrNoSTARTTLS, ErrTLSPort,
// ErrInjected, ErrInsecure, ErrPin, ErrProtocol, the error of Options.Login, the
// cause of ctx, and the errors of crypto/tls and net. After a refusal, errors.Is
// with ErrTemporary means try again later, with ErrExpired get a new token.
func Dial(ctx context.Context, opts Options) (*Client, error) {
	if opts.Login == nil {
		return nil, errors.New("imapclient: Options.Login is not set")
	}
	if !opts.private() && !opts.Insecure && isRemote(opts.Host) {
		return nil, ErrInsecure // a host name is looked at after the connection
	}
	c := &Client{
		opts:    opts,
		limits:  opts.Timeouts.withDefaults(),
		quirks:  opts.quirks(),
		h:       opts.handler(),
		caps:    make(map[string]bool),
		mailbox: callbacks.Mailbox{Account: opts.Account},
	}
	s := setup{Client: c}
	for {
		err := s.connect(ctx)
		if err == nil {
			break
		}
		if errors.As(err, new(again)) {
			continue
		}
		if errors.As(err, new(*AuthError)) && s.challenge.Trial < maxTrials {
			s.challenge.Last = err
			if err = s.ask(ctx); err == nil {
				c.log(callbacks.Warn, s.challenge.Last.Error()) // otherwise the error below says it
				continue
			}
		}
		c.log(callbacks.Error, err.Error())
		return nil, err
	}
	c.tap = newTap(s.wire, c.limits, c.quirks)
	c.gi = imapclient.New(c.tap, nil)
	if err := c.gi.WaitGreeting(); err != nil {
		c.shut(err)
		return nil, c.over(c.tap.ended())
	}
	return c, nil
}

// connect makes a connection and one trial to log in. A connection with a refused
// login is not used again.
func (s *setup) connect(ctx context.Context) error {
	address := net.JoinHostPort(s.opts.Host, strconv.Itoa(s.opts.port()))
	s.Client.log(callbacks.Info, "dial "+address)
	conn, err := s.dial(ctx, address)
	if err != nil {
		if ours(err) {
			return err
		}
		return fmt.Errorf("imapclient: connecting to %s: %w", address, err)
	}
	var debug func(string)
	if s.opts.Debug {
		debug = s.h.Debug
	}
	s.wire = newWire(conn, s.limits.Write, debug)
	s.wire.veil = &s.veil
	s.tags, s.bye = 0, nil
	s.said.limit(setupLines, setupOctets)
	clear(s.caps)
	defer context.AfterFunc(ctx, func() { s.wire.end(context.Cause(ctx)) })()
	if err := s.run(ctx); err != nil {
		if cause := s.wire.ended(); cause != nil && context.Cause(ctx) != nil {
			err = fmt.Errorf("imapclient: %s: %w", address, context.Cause(ctx))
		}
		s.wire.end(err)
		return err
	}
	s.wire.disarm()
	return nil
}

func (c *Client) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.limits.Dial, &TimeoutError{"connection to " + address, c.limits.Dial})
	defer cancel()
	dial := c.opts.Dial
	if dial == nil {
		dial = (&net.Dialer{
			KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 4},
			Control:         userTimeout,
		}).DialContext
	}
	conn, err := dial(ctx, "tcp", address)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return conn, err
}

// isRemote reports whether host is an IP address that is not loopback.
func isRemote(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && !addr.IsLoopback()
}

// isLoopback reports whether the other end is on this machine.
func isLoopback(conn net.Conn) bool {
	a, ok := conn.RemoteAddr().(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}

func (s *setup) run(ctx context.Context) error {
	if s.opts.Security == ImplicitTLS {
		if err := s.wire.secure(ctx, s.opts.tlsConfig(), s.limits.Dial); err != nil {
			return err
		}
	}
	s.wire.armTotal("greeting", s.limits.Greeting)
	stop := func() {}
	if s.opts.Security != ImplicitTLS {
		stop = s.doubt(ctx)
	}
	preauth, err := s.greeting()
	stop()
	if s.wire.ended() == ErrTLSPort {
		return ErrTLSPort
	}
	if err != nil {
		return err
	}
	if s.opts.Security == STARTTLS {
		if preauth { // the command is not allowed any more, RFC 9051 section 7.1.4
			return fmt.Errorf("%w: it greets with PREAUTH", ErrNoSTARTTLS)
		}
		if err := s.starttls(ctx); err != nil {
			return err
		}
	}
	if preauth {
		err = s.capability()
	} else {
		err = s.admitted(ctx)
	}
	if err == nil {
		err = s.identify()
	}
	if err == nil {
		err = s.compress() // the last: what it is agreed in is not compressed
	}
	return err
}

// admitted logs in if that is safe.
func (s *setup) admitted(ctx context.Context) error {
	if !s.opts.private() && !s.opts.Insecure && !isLoopback(s.wire.raw) {
		return ErrInsecure
	}
	return s.trial(ctx)
}

func (s *setup) greeting() (preauth bool, err error) {
	if b, _ := s.wire.r.Peek(2); isTLS(b) {
		return false, ErrTLSPort
	}
	line, err := s.readLine()
	if err != nil {
		return false, err
	}
	rest, ok := bytes.CutPrefix(line, []byte("* "))
	st, isStatus := s.wire.readStatus(rest)
	if !ok || !isStatus {
		return false, fmt.Errorf("%w: greeting was %q: is this an IMAP server, and the right port for TLS or not?", ErrProtocol, s.excerpt(line))
	}
	s.untagged(rest)
	switch st.kind {
	case "OK":
		return false, nil
	case "PREAUTH":
		return true, nil
	}
	return false, st.responseError("greeting")
}
