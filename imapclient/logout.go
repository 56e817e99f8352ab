package imapclient

import (
	"context"
	"time"
)

// Close closes the connection, and waits until all goroutines of the session have
// ended. It returns ErrLocked or nil. A second Close does nothing.
func (c *Client) Close() error {
	if c.locked {
		return ErrLocked
	}
	c.shut(ErrClosed)
	return nil
}

// Logout sends LOGOUT (RFC 9051 section 6.1.3), waits at most a second for the
// answer, and closes the session. It returns ErrLocked or nil.
func (c *Client) Logout(ctx context.Context) error {
	if c.locked {
		return ErrLocked
	}
	if c.tap.ended() == nil {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		stop := context.AfterFunc(ctx, func() { c.tap.end(ErrClosed) })
		err := c.leaveIdle(true)
		if err == nil {
			c.owed("LOGOUT", c.limits.Command)
			var answer <-chan status
			if answer, err = c.tap.inject("LOGOUT"); err == nil {
				c.answer(answer)
			}
		}
		stop()
	}
	c.shut(ErrClosed)
	return nil
}
