package imaptest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// stale reports whether the UIDs that the client knows are no longer valid.
func (c *session) stale() bool {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	return c.box != nil && c.box.uidValidity != c.validity
}

func (c *session) bye() error {
	if err := c.line(Push, "* BYE UIDVALIDITY changed"); err != nil {
		return err
	}
	return errCut
}

func (c *session) noop([]arg) (string, error) {
	if c.srv.ReadsOne {
		c.buf = nil
	}
	return "OK " + c.command + " completed", c.sync()
}

// sync sends the client the changes in the mailbox since the last sync.
func (c *session) sync() error {
	lines, stale := c.news()
	if stale {
		return c.bye()
	}
	for _, line := range lines {
		if err := c.line(Push, "* "+line); err != nil {
			return err
		}
	}
	return nil
}

func (c *session) news() (lines []string, stale bool) {
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	for _, b := range c.stirred {
		if b != c.box {
			lines = append(lines, b.notice())
		}
	}
	c.stirred = nil
	if c.box == nil || c.box.uidValidity != c.validity {
		return lines, c.box != nil
	}
	for i := 0; i < len(c.view); {
		if _, ok := c.box.index(c.view[i]); ok {
			i++
			continue
		}
		if c.qresync {
			lines = append(lines, fmt.Sprintf("VANISHED %d", c.view[i]))
		} else {
			lines = append(lines, fmt.Sprintf("%d EXPUNGE", i+1))
		}
		c.view = slices.Delete(c.view, i, i+1)
	}
	if n := len(c.box.messages); n > len(c.view) {
		seen := make(map[uint32]bool, n)
		for _, uid := range c.view {
			seen[uid] = true
		}
		for _, m := range c.box.messages {
			if !seen[m.UID] {
				c.view = append(c.view, m.UID)
			}
		}
		lines = append(lines, fmt.Sprintf("%d EXISTS", n))
	}
	for _, uid := range c.changed {
		if i, ok := c.box.index(uid); ok {
			lines = append(lines, c.flagsLine(i))
		}
	}
	c.changed = nil
	return lines, false
}

// flagsLine needs Server.mu.
func (c *session) flagsLine(i int) string {
	m, modSeq := c.box.messages[i], ""
	if c.qresync {
		modSeq = fmt.Sprintf(" MODSEQ (%d)", m.modSeq)
	}
	return fmt.Sprintf("%d FETCH (UID %d FLAGS (%s)%s)", i+1, m.UID, strings.Join(m.Flags, " "), modSeq)
}

func (c *session) idle([]arg) (string, error) {
	if err := c.line(Continue, "+ idling"); err != nil {
		return "", err
	}
	if err := c.emit(Idling, 0, nil); err != nil {
		return "", err
	}
	if c.srv.IdleForgets {
		c.news()
	}
	var expired <-chan time.Time
	if c.srv.IdleFor > 0 {
		timer := time.NewTimer(c.srv.IdleFor)
		defer timer.Stop()
		expired = timer.C
	}
	for {
		if line, ok := c.bufferedLine(); ok {
			if !strings.EqualFold(line, "DONE") {
				return "BAD expected DONE", nil
			}
			if c.srv.IdleLoses {
				c.buf = nil
			}
			c.command = "DONE"
			if err := c.act(Received, nil, c.ask(Received, 0, 0, line)); err != nil {
				return "", err
			}
			return "OK IDLE completed", c.sync()
		}
		if !c.srv.IdleMute {
			if err := c.sync(); err != nil {
				return "", err
			}
		}
		select {
		case chunk, ok := <-c.in.chunks:
			if !ok {
				return "", errGone
			}
			c.buf = append(c.buf, chunk...)
		case <-c.wake:
		case <-expired:
			return "OK IDLE ended by the server", nil
		}
	}
}
