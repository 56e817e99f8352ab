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

// Dial connects, secures the connection, logs in and returns the session. It
// ends within ctx; on error nothing is left open. Errors: *AuthError where the
// login was refused, ErrNoSTARTTLS, ErrInjected, ErrInsecure, *TimeoutError,
// and those of crypto/tls and net.
func Dial(ctx context.Context, opts Options) (*Client, error) {
	if opts.Login == nil {
		return nil, errors.New("imapclient: Options.Login is not set")
	}
	if opts.Security == Plain && !opts.Insecure && isRemote(opts.Host) {
		return nil, ErrInsecure // the others are looked at once connected
	}
	c := &Client{
		opts:    opts,
		limits:  opts.Timeouts.withDefaults(),
		h:       opts.handler(),
		caps:    make(map[string]bool),
		mailbox: callbacks.Mailbox{Account: opts.Account},
	}
	address := net.JoinHostPort(opts.Host, strconv.Itoa(opts.port()))
	c.log(callbacks.Info, "dial "+address)
	conn, err := c.dial(ctx, address)
	if err != nil {
		if !ours(err) {
			err = fmt.Errorf("imapclient: connecting to %s: %w", address, err)
		}
		c.log(callbacks.Error, err.Error())
		return nil, err
	}
	var debug func(string)
	if opts.Debug {
		debug = c.h.Debug
	}
	w := newWire(conn, c.limits.Write, debug)
	defer context.AfterFunc(ctx, func() { w.end(context.Cause(ctx)) })()
	s := setup{Client: c, wire: w}
	if err := s.run(ctx); err != nil {
		if cause := w.ended(); cause != nil && context.Cause(ctx) != nil {
			err = fmt.Errorf("imapclient: %s: %w", address, context.Cause(ctx))
		}
		w.end(err)
		c.log(callbacks.Error, err.Error())
		return nil, err
	}
	w.disarm()
	c.tap = newTap(w, c.limits)
	c.gi = imapclient.New(c.tap, nil)
	if err := c.gi.WaitGreeting(); err != nil {
		c.shut(err)
		return nil, c.over(c.tap.ended())
	}
	return c, nil
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

// secure puts TLS on the connection.
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

// isRemote tells whether host is an address that is surely not on this machine.
func isRemote(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && !addr.IsLoopback()
}

// isLoopback tells whether the other end is on this machine.
func isLoopback(conn net.Conn) bool {
	a, ok := conn.RemoteAddr().(*net.TCPAddr)
	return ok && a.IP.IsLoopback()
}
