// Package hook runs a user's commands for the events of IMAP sessions.
//
// A command gets its event as one line of JSON on stdin. Its keys, where they
// are known:
//
//	event                     as in the config: exists, expunged, flags, ...
//	at                        when it happened, RFC 3339 in UTC
//	account                   as in the config
//	mailbox, uidvalidity      of all events but log and debug; list and lsub
//	                          have no uidvalidity
//	n                         exists: the number of messages
//	seq, uid                  expunged, flags; searched has a uid
//	flags                     flags: a list
//	delim, attrs              list, lsub: a text and a list
//	messages, uidnext, unseen, recent, size
//	                          status: numbers
//	level                     notify, log: info, parse, warn, error, bye
//	code, text                notify; log and debug have a text
//
// Mailboxes, flags, codes and texts are the server's words: whoever it is that
// runs it writes them.
//
// Its environment has PATH, HOME, USER, LOGNAME, LANG, LC_ALL, LC_CTYPE, TZ and
// TMPDIR of ours, where they are set, and FBLWATCH_EVENT, FBLWATCH_ACCOUNT and
// FBLWATCH_MAILBOX, in which control characters are escaped; nothing else.
//
// Commands never hold up a session: four run at once, each for 30 seconds at
// most, then it is killed; up to 1,000 events wait, then the oldest is dropped.
// What a command has left running in its process group ends with it. No order
// is promised. What must not be lost is a sink.
package hook

import (
	"fmt"
	"maps"
	"slices"

	"github.com/fblwatch/fblwatch/internal/subprocess"
)

// Config names a command for each event that is to have one, and one for the
// records.
type Config struct {
	Exists     subprocess.Command `yaml:"exists"`
	Expunged   subprocess.Command `yaml:"expunged"`
	Flags      subprocess.Command `yaml:"flags"`
	Searched   subprocess.Command `yaml:"searched"`
	List       subprocess.Command `yaml:"list"`
	LSub       subprocess.Command `yaml:"lsub"`
	Status     subprocess.Command `yaml:"status"`
	Notify     subprocess.Command `yaml:"notify"`
	Log        subprocess.Command `yaml:"log"`
	Debug      subprocess.Command `yaml:"debug"`
	Critical   subprocess.Command `yaml:"critical"`
	NoCritical subprocess.Command `yaml:"nocritical"`

	// Record is no event but a sink, internal/sink's: it loses none.
	Record subprocess.Command `yaml:"record"`
}

// Commands are the commands there are, by the keys of the config.
func (c Config) Commands() map[string]subprocess.Command {
	commands := map[string]subprocess.Command{
		"exists": c.Exists, "expunged": c.Expunged, "flags": c.Flags, "searched": c.Searched,
		"list": c.List, "lsub": c.LSub, "status": c.Status, "notify": c.Notify,
		"log": c.Log, "debug": c.Debug, "critical": c.Critical, "nocritical": c.NoCritical,
		record: c.Record,
	}
	maps.DeleteFunc(commands, func(_ string, command subprocess.Command) bool { return command == nil })
	return commands
}

const record = "record"

// Find returns why a command cannot be run, and nil where all can.
func (c Config) Find() error {
	commands := c.Commands()
	for _, event := range slices.Sorted(maps.Keys(commands)) {
		if err := commands[event].Find(); err != nil {
			return fmt.Errorf("hooks.%s: %w", event, err)
		}
	}
	return nil
}
