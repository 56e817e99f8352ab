package sqlite

import (
	"encoding/json"
	"fmt"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// marks is the part of a checkpoint that a folder's row keeps as JSON. Times are milliseconds since 1970, UTC.
type marks struct {
	Gaps     []gapMark        `json:"gaps,omitempty"`
	Known    []knownMark      `json:"known,omitempty"`
	Withheld map[uint32]int64 `json:"withheld,omitempty"` // of pending UIDs
	Again    uint32           `json:"again,omitempty"`
}

type gapMark struct {
	Low   uint32 `json:"low"`
	High  uint32 `json:"high"`
	Since int64  `json:"since"`
}

type knownMark struct {
	UID  uint32 `json:"uid"`
	Mark string `json:"mark"`
}

// formatMarks writes what formatPending leaves out; "" if there is nothing.
func formatMarks(c *ledger.Checkpoint) string {
	m := marks{Again: c.Again}
	for _, g := range c.Gaps {
		m.Gaps = append(m.Gaps, gapMark{g.Low, g.High, ledger.Milli(g.Since)})
	}
	for _, k := range c.Known {
		m.Known = append(m.Known, knownMark(k))
	}
	for _, p := range c.Pending {
		if !p.Withheld.IsZero() {
			if m.Withheld == nil {
				m.Withheld = make(map[uint32]int64)
			}
			m.Withheld[p.UID] = ledger.Milli(p.Withheld)
		}
	}
	if m.Gaps == nil && m.Known == nil && m.Withheld == nil && m.Again == 0 {
		return ""
	}
	b, _ := json.Marshal(m) // of numbers and strings only: it cannot fail
	return string(b)
}

// parseCheckpoint reads the two columns of a checkpoint.
func parseCheckpoint(c *ledger.Checkpoint, pending, text string) (err error) {
	if c.Pending, err = parsePending(pending); err != nil || text == "" {
		return err
	}
	var m marks
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return fmt.Errorf("ledger: the marks of a checkpoint are damaged: %w", err)
	}
	c.Again = m.Again
	for _, g := range m.Gaps {
		c.Gaps = append(c.Gaps, ledger.Gap{Low: g.Low, High: g.High, Since: ledger.FromMilli(g.Since)})
	}
	for _, k := range m.Known {
		c.Known = append(c.Known, ledger.Known(k))
	}
	for i, p := range c.Pending {
		if ms, ok := m.Withheld[p.UID]; ok {
			c.Pending[i].Withheld = ledger.FromMilli(ms)
		}
	}
	return nil
}
