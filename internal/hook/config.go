// Package hook runs a user's commands for the events of IMAP sessions.
//
// A command gets its event as one line of JSON on stdin. The keys, if they are known:
//
//	event                     as in the config: exists, expunged, flags, ...
//	at                        the time of the event, RFC 3339 in UTC
//	account                   as in the config
//	mailbox, uidvalidity      of all events except log and debug; list and lsub
//	                          have no uidvalidity
//	n                         exists: the number of messages
//	seq, uid                  expunged, flags; searched has a uid
//	flags                     flags: a list
//	delim, attrs              list, lsub: a string and a list
//	messages, uidnext, unseen, recent, size
//	                          status: numbers
//	level                     notify, log: info, parse, warn, error, bye
//	code, text                notify; log and debug have text only
//
// Mailboxes, flags, codes and texts come from the server. Do not trust them.
//
// The environment has PATH, HOME, USER, LOGNAME, LANG, LC_ALL, LC_CTYPE, TZ and TMPDIR
// of fblwatch's own, if they are set, and FBLWATCH_EVENT, FBLWATCH_ACCOUNT and
// FBLWATCH_MAILBOX, in which control characters are escaped. It has nothing else.
//
// Commands never delay a session. Four run at once. One that runs for 30 seconds is
// killed. 1,000 events wait at most: then the oldest is dropped. Processes that a
// command leaves in its process group end with it. Events may come out of order. Use a
// sink for data that must not be lost.
package hook

import (
	"fmt"
	"maps"
	"slices"

	"github.com/fblwatch/fblwatch/internal/subprocess"
)

// Config names commands by event. An event without a command is ignored.
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

	// Record is an older key for a sink of the type exec. Hooks do not run it.
	Record subprocess.Command `yaml:"record"`
}

// Commands returns the commands that are set, by their keys in the config.
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

// Find returns an error if a program does not exist or is not executable. The error
// names its key.
func (c Config) Find() error {
	commands := c.Commands()
	for _, event := range slices.Sorted(maps.Keys(commands)) {
		if err := commands[event].Find(); err != nil {
			return fmt.Errorf("hooks.%s: %w", event, err)
		}
	}
	return nil
}
