package imapclient

import (
	"context"
	"crypto/tls"
	"fmt"
	"time"
)

// starttls is RFC 9051 section 6.2.1.
func (s *setup) starttls(ctx context.Context) error {
	if len(s.caps) == 0 {
		if err := s.capability(); err != nil {
			return err
		}
	}
	if !s.Has("STARTTLS") {
		return ErrNoSTARTTLS
	}
	st, err := s.command("STARTTLS", "STARTTLS", nil)
	if err != nil {
		return err
	}
	if st.kind != "OK" {
		return fmt.Errorf("%w: %s %s", ErrNoSTARTTLS, st.kind, st.text)
	}
	if s.wire.r.Buffered() > 0 {
		return ErrInjected
	}
	clear(s.caps) // an attacker could have sent them
	return s.wire.secure(ctx, s.opts.tlsConfig(), s.limits.Dial)
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
