package imapclient

import (
	"context"
	"crypto/tls"
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

// secure starts TLS on the connection.
func (w *wire) secure(ctx context.Context, conf *tls.Config, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &TimeoutError{"TLS handshake with " + conf.ServerName, limit})
	defer cancel()
	conn := tls.Client(w.raw, conf)
	w.disarm()
	if err := conn.HandshakeContext(ctx); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if ours(err) {
			return err
		}
		return fmt.Errorf("imapclient: TLS with %s: %w", conf.ServerName, err)
	}
	w.mu.Lock()
	w.conn = conn
	w.mu.Unlock()
	return nil
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
