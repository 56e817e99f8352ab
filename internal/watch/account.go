// Package watch reads the folders of IMAP accounts into the ledger, once or for ever:
// sessions, search, fetch, process, commit.
package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
)

// Account is one account to read. IMAP (without its Handler), Folders and
// Ledger must be set.
type Account struct {
	Name    string
	IMAP    imapclient.Options
	Folders []string // names, or IMAP patterns with * and %
	Ledger  Store
	Handler callbacks.Handler // nil: none. One event at a time of each session; a watch may have several
	Log     *slog.Logger      // nil: none

	// LogEvents logs what the Handler gets, but for errors that Run returns or logs to
	// Log; nil: does not.
	LogEvents *slog.Logger

	Rules process.Rules // make the records of messages

	// NoHeads stores nothing of the messages. Reprocess cannot read them then.
	NoHeads bool

	// All reads every folder from its first UID again, once. Already recorded
	// messages are skipped by their report_id.
	All bool

	// Since is how old a message may have been when its folder was first read for
	// its records to be acted upon; 0: any age. See process.Doubts.
	Since time.Duration

	// After is what is done to messages after the commit. With any action the folders
	// are opened for changes (SELECT), else read-only (EXAMINE).
	After After

	// Resync reports to the Handler what was expunged between two sessions of this
	// Run, and which flags were changed if the server has QRESYNC (RFC 7162).
	Resync bool

	// OnUIDValidity is what to do with a folder whose UIDVALIDITY changed (RFC 9051
	// section 2.3.1.1): "rescan" reads all of it again and skips already recorded
	// messages; "new-only" reads what came since the day before the last commit;
	// "stop" leaves it alone until one of the two is chosen. Empty: "rescan".
	OnUIDValidity string

	// Watch is how new messages are noticed: "notify" by one connection on which the
	// server announces changes of all folders (RFC 5465), "idle" by one connection a
	// folder (RFC 2177), "poll" by looking at all folders on one connection. "auto",
	// and empty, is the first of these that the server has.
	Watch string
	// Connections is how many connections a watch makes at most; 0: 8. Folders beyond
	// that are looked at every Poll.
	Connections int

	// Poll is how often to look without IDLE; 0: 60 s.
	Poll time.Duration
	// Slice is the longest time of one IDLE; 0: 4 min.
	Slice time.Duration
	// MaxMessage is how many octets of a message are read at most; 0: 16 MiB.
	MaxMessage int64

	// Board takes the states of the sessions; its owner calls Beat. nil: Run makes one.
	Board *ledger.Board

	Observer // hears of commits, progress and states

	// DiskError decides what to do if the ledger could not write: true gives up,
	// false tries again later. serious: nothing at all can be written (c-client:
	// mm_diskerror). nil: a sweep gives up, a watch does not.
	DiskError func(err error, serious bool) (abort bool)

	commits      *atomic.Int64                        // commits of this Run that brought messages
	sizes        *atomic.Bool                         // the server's RFC822.SIZE is not what it gives; learned in this Run
	pause        func(time.Duration) <-chan time.Time // between two sessions; nil: time.After
	wall         func() time.Time                     // the clock on the wall; nil: the machine's
	wakeDetector *wakeDetector                        // of this Run
	once         bool                                 // Run is a sweep
	events       *eventLog                            // of this lane; nil: none
	learned      *learned                             // by the sessions of this Run
}

const (
	defaultPoll       = 60 * time.Second
	defaultSlice      = 4 * time.Minute
	defaultMaxMessage = 16 << 20
)

// LedgerError is a commit that failed. Its messages are read again later: nothing is
// lost.
type LedgerError struct{ Err error }

func (e *LedgerError) Error() string { return "writing the ledger: " + e.Err.Error() }
func (e *LedgerError) Unwrap() error { return e.Err }

// ledgerError is how an error of the ledger ends a session: with the cause of ctx if
// that has ended, else as a *LedgerError.
func ledgerError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, new(*LedgerError)):
		return err
	}
	return &LedgerError{err}
}

// FolderError is the error of a folder that could not be opened, or whose messages the
// server refuses.
type FolderError struct {
	Folder string
	Err    error
}

func (e *FolderError) Error() string { return fmt.Sprintf("folder %q: %v", e.Folder, e.Err) }
func (e *FolderError) Unwrap() error { return e.Err }

// Run reads every folder of the account. once: one session after the other, until
// nothing is new; the error joins those of all folders. Otherwise Run returns when
// ctx ends or DiskError gives up.
func (a *Account) Run(ctx context.Context, once bool) error {
	run := *a
	run.commits, run.sizes = new(atomic.Int64), new(atomic.Bool)
	if run.Log == nil {
		run.Log = slog.New(slog.DiscardHandler)
	}
	run.Log = run.Log.With("account", a.Name)
	run.Poll = or(run.Poll, defaultPoll)
	run.Slice = or(run.Slice, defaultSlice)
	if run.Connections <= 0 {
		run.Connections = defaultConnections
	}
	run.MaxMessage = or(run.MaxMessage, defaultMaxMessage)
	if run.pause == nil {
		run.pause = time.After
	}
	run.IMAP.Account = a.Name
	run.once = once
	run.learned = new(learned)
	run.IMAP.Quirks = &run.learned.quirks
	run.wakeDetector = newWakeDetector(run.wall)
	ctx, cancel := context.WithCancelCause(ctx)
	var waking sync.WaitGroup
	defer waking.Wait()
	defer cancel(nil)
	waking.Go(func() { run.wakeDetector.run(ctx) })
	if run.Board == nil {
		run.Board = ledger.NewBoard(run.Ledger.SetStates)
		waking.Go(func() { run.beat(ctx) })
	}
	if once {
		return run.sweep(ctx)
	}
	return newPlan(&run).run(ctx)
}

func or[T int64 | time.Duration](v, def T) T {
	if v > 0 {
		return v
	}
	return def
}

// session is the account for one lane: its Handler gets one event at a time, and
// blocks this lane only.
func (a *Account) session() *Account {
	one := *a
	var hear []callbacks.Handler
	if a.LogEvents != nil {
		one.events = &eventLog{Handler: callbacks.Slog(a.LogEvents), once: a.once}
		hear = append(hear, one.events)
	}
	if a.Handler != nil {
		hear = append(hear, a.Handler)
	}
	one.Handler = callbacks.Nop{}
	if len(hear) > 0 {
		one.Handler = &serial{h: callbacks.Join(hear...)}
	}
	one.IMAP.Handler = one.Handler
	return &one
}

// sweep reads all folders in one session. After a lost connection it goes on with the
// next folder.
func (a *Account) sweep(ctx context.Context) error {
	a = a.session()
	var folders []*folder
	var failed []error
	s := &supervisor{a: a, name: "*", once: true}
	err := s.run(ctx, func(ctx context.Context, c *imapclient.Client) error {
		if folders == nil {
			names, missing, err := a.names(ctx, c)
			if err != nil {
				return err
			}
			failed = missing
			for _, name := range names {
				folders = append(folders, newFolder(a, name))
			}
		}
		for len(folders) > 0 {
			err := folders[0].sweep(ctx, c)
			if errors.As(err, new(*imapclient.ResponseError)) && !errors.As(err, new(*FolderError)) {
				err = &FolderError{folders[0].name, err}
			}
			if errors.As(err, new(*FolderError)) && imapclient.Backoff(err) == 0 { // the others can still be read
				failed = append(failed, err)
			} else if err != nil {
				folders = append(folders[1:], folders[0])
				return err
			} else if owed := folders[0].owed; owed != nil {
				failed = append(failed, owed)
			}
			folders = folders[1:]
		}
		return nil
	})
	return errors.Join(append(failed, err)...)
}

func isPattern(name string) bool { return strings.ContainsAny(name, "*%") }

// names lists the folders of the patterns, in the order of the config, each once.
func (a *Account) names(ctx context.Context, c *imapclient.Client) (names []string, missing []error, err error) {
	for _, pattern := range a.Folders {
		if !isPattern(pattern) {
			names = append(names, pattern)
			continue
		}
		lists, err := c.List(ctx, pattern)
		if isRefusal(err) {
			missing = append(missing, &FolderError{pattern, err})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		had := len(names)
		targets := a.After.Targets()
		for _, l := range lists {
			if l.Selectable() && !slices.Contains(targets, l.Mailbox) {
				names = append(names, l.Mailbox)
			}
		}
		if len(names) == had {
			missing = append(missing, &FolderError{pattern, errors.New("no folder matches this pattern")})
		}
	}
	seen := make(map[string]bool)
	names = slices.DeleteFunc(names, func(name string) bool {
		was := seen[name]
		seen[name] = true
		return was
	})
	return names, missing, nil
}
