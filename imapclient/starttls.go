package imapclient

import (
	"context"
	"fmt"
)

// starttls is RFC 9051 section 6.2.1. What was said in clear counts for nothing.
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
	clear(s.caps) // what was said in clear counts for nothing
	return s.wire.secure(ctx, s.opts.tlsConfig(), s.limits.Dial)
}
