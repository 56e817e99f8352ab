package settings

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/sink"
)

// AllSinks returns the sinks of the config: those of the older keys records and
// hooks.record, and those of the list.
func (c *Config) AllSinks() sink.List {
	return slices.Concat(c.oldSinks(), c.Sinks)
}

func (c *Config) oldSinks() (old sink.List) {
	if c.Records.File != "" {
		old = append(old, sink.Config{Name: sink.RecordsName, Type: sink.TypeFile, From: sink.FromStart, File: sink.FileConfig{Path: c.Records.File}})
	}
	if c.Hooks.Record != nil {
		old = append(old, sink.Config{Name: sink.HookRecordName, Type: sink.TypeExec, From: sink.FromStart, Exec: sink.ExecConfig{Command: c.Hooks.Record}})
	}
	return old
}

// NoSinks removes every sink.
func (c *Config) NoSinks() {
	c.Sinks, c.Records, c.Hooks.Record = nil, sink.Records{}, nil
}

// checkSinks reports a sink of the list that cannot be told from one of an older key.
func (c *Config) checkSinks() error {
	for i, s := range c.Sinks {
		if err := s.CheckWatched(c.Watched()); err != nil {
			return fmt.Errorf("sinks[%d].%w", i, err)
		}
		for _, old := range c.oldSinks() {
			if err := (sink.List{old, s}).Validate(); err != nil {
				return fmt.Errorf("sinks[%d] has the name or the path of the sink %s, which is an older key's; remove that key: %s", i, old.Name, newForm(old))
			}
		}
	}
	return nil
}

// Superseded returns a hint for each older key that has a new form.
func (c *Config) Superseded() (hints []string) {
	for _, old := range c.oldSinks() {
		hints = append(hints, newForm(old)+"; the name keeps its place in the ledger")
	}
	return hints
}

// newForm says how to write a sink of an older key.
func newForm(old sink.Config) string {
	if old.Name == sink.RecordsName {
		return "records is now written as sinks: [{name: file, type: file, from: start, path: FILE}]"
	}
	return "hooks.record is now written as sinks: [{name: command, type: exec, from: start, command: [PROGRAM, ARGUMENT]}]"
}

// forwarders are the addresses of the sinks that send reports on.
func (c *Config) forwarders() (from []string) {
	for _, s := range c.Sinks {
		if addr := s.Forwarder(); addr != "" {
			from = append(from, addr)
		}
	}
	return from
}

// Watched are the addresses of the mailboxes that are read, as far as the config shows
// them: USER@HOST, where HOST is the server if the user has no domain.
func (c *Config) Watched() (boxes []string) {
	for _, a := range c.Accounts {
		if user := a.URL.User; strings.Contains(user, "@") {
			boxes = append(boxes, user)
		} else {
			boxes = append(boxes, user+"@"+a.URL.Host)
		}
	}
	return boxes
}
