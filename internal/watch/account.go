// Package watch reads the folders of IMAP accounts into the ledger: sessions,
// what is new, fetch, read, commit; once or for ever.
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
	Ledger  ledger.Ledger
	Handler callbacks.Handler // nil: none. One event at a time of each session; a watch may have several
	Log     *slog.Logger      // nil: none

	Rules process.Rules // how messages become records

	// NoHeads keeps nothing of the messages: they cannot be read again later.
	NoHeads bool

	// All reads every folder from its first UID again, once. What the ledger
	// knows falls out by its report_id.
	All bool

	// Since is how old a message may have been when its folder was first read, for
	// its records to be acted upon; 0: any age. See Doubts.
	Since time.Duration

	// After is what is done to messages that were read. With any action the folders
	// are opened for changes; without one, nothing is ever changed in them.
	After After

	// Resync lets the Handler hear what was expunged, and where the server has
	// QRESYNC which flags were changed, between two sessions of this Run.
	Resync bool

	// OnUIDValidity is what to do about a folder whose UIDs mean other messages than
	// when it was read last: "rescan" reads it all again, and what the ledger
	// knows falls out by its report_id; "new-only" reads what came since the day
	// before the last commit; "stop" leaves it alone until one of the two is
	// chosen. Empty: "rescan".
	OnUIDValidity string

	// Watch is how new message is noticed: "notify" is by one connection that tells of
	// all folders (RFC 5465) where the server has it, "idle" by one connection a
	// folder, "poll" by looking at all folders by one connection. "auto", and
	// empty, is the first of these that the server has.
	Watch string
	// Connections is how many a watch makes at most; 0: 8. More folders than
	// that are looked at every Poll.
	Connections int

	// Poll is how often to look where IDLE is not to be had; 0: 60 s.
	Poll time.Duration
	// Board takes the states of the sessions; its owner calls Beat. nil: Run makes one.
	Board *ledger.Board

	// Slice is how long one IDLE lasts at most; 0: 4 min.
	Slice time.Duration
	// MaxMail is how many octets of a message are read at most; 0: 16 MiB.
	MaxMessage int64

	Observer // hears of commits, progress and states

	// DiskError decides what to do when the ledger could not write: true gives
	// up, false tries again later. serious: nothing can be written at all
	// (c-client: mm_diskerror). nil: give up in a sweep, never in a watch.
	DiskError func(err error, serious bool) (abort bool)

	commits      *atomic.Int64                        // commits of this Run that brought messages
	sizes        *atomic.Bool                         // the server's RFC822.SIZE is not what it gives; learned in this Run
	pause        func(time.Duration) <-chan time.Time // between two sessions; nil: time.After
	wall         func() time.Time                     // the clock on the wall; nil: the machine's
	wakeDetector *wakeDetector                        // of this Run
	learned      *learned                             // by the sessions of this Run
}

const (
	defaultPoll       = 60 * time.Second
	defaultSlice      = 4 * time.Minute
	defaultMaxMessage = 16 << 20
)

// LedgerError is a commit that failed. The messages are read again later: nothing
// is lost.
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

// FolderError is a folder that could not be opened, or whose messages the server
// refuses.
type FolderError struct {
	Folder string
	Err    error
}

func (e *FolderError) Error() string { return fmt.Sprintf("folder %q: %v", e.Folder, e.Err) }
func (e *FolderError) Unwrap() error { return e.Err }

// Run reads every folder of the account. once: until nothing is new, by one
// session after the other, and the error is why it could not. Otherwise for
// ever, until ctx ends or DiskError gives up.
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
	one.Handler = callbacks.Nop{}
	if a.Handler != nil {
		one.Handler = &serial{h: a.Handler}
	}
	one.IMAP.Handler = one.Handler
	return &one
}

// sweep reads all folders in one session; a lost connection is made again, and
// goes on with the next folder.
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
			if errors.As(err, new(*FolderError)) && imapclient.Backoff(err) == 0 { // the others still can be read
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

// names turns the patterns into the folders there are, in the order of the
// config and each once.
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
