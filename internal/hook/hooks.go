package hook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/subprocess"
)

const (
	atOnce      = 4
	queueEvents = 1000
	queueBytes  = 4 << 20 // a single event may exceed it
	runLimit    = 30 * time.Second
	// drainLimit is how long Stop goes on if somebody waits for its end.
	drainLimit = 5 * time.Second
	// logAgain is the least time between two log lines about dropped events.
	logAgain = time.Minute
)

// Hooks runs the commands of a Config.
type Hooks struct {
	commands map[string]subprocess.Command
	log      *slog.Logger
	runLimit time.Duration
	drain    time.Duration // of Stop if somebody waits for its end
	rest     time.Duration // of Stop otherwise

	workers sync.WaitGroup
	over    chan struct{} // closed: running commands are killed

	mu      sync.Mutex
	more    sync.Cond
	queue   []waiting // oldest first
	size    int       // octets of its lines
	stopped bool
	killed  bool // the log has a command that was killed in haste
	hasty   bool // somebody waits for the end of Stop: events that it drops are not a trouble
	counts  Counts
	failure map[string]failure // by event: of its last command
	dropped drops

	logged   int64 // dropped events that the log has
	loggedAt time.Time
}

// waiting is an event whose command has not been started yet.
type waiting struct {
	event, account, mailbox string
	line                    []byte
}

// Counts are totals since the start. Done includes Failed.
type Counts struct {
	Done    int64 // commands that ended
	Failed  int64 // commands that ended by an error, or were killed
	Dropped int64 // events whose command was never started
}

// failure is the failure of an event's last command.
type failure struct {
	err   string
	since time.Time // of the first failure in a row
}

// drops are dropped events in a row, each within dropSpan after the one before.
type drops struct {
	n           uint64
	first, last time.Time
}

// dropSpan is how long commands count as too slow after a dropped event.
const dropSpan = 5 * time.Minute

// Trouble is what is wrong at present. The zero value: nothing.
type Trouble struct {
	Err      string
	Since    time.Time
	Dropping bool // events are dropped; otherwise the last run of a command failed
}

// Trouble returns the failure that has lasted longest, of the commands whose last run
// failed. If there is none, it returns the events that were dropped, if the last was
// dropped less than five minutes ago.
func (h *Hooks) Trouble() (t Trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, event := range slices.Sorted(maps.Keys(h.failure)) {
		if f := h.failure[event]; f.err != "" && (t.Err == "" || f.since.Before(t.Since)) {
			t = Trouble{Err: event + ": " + f.err, Since: f.since}
		}
	}
	if t.Err == "" && h.dropped.n > 0 && time.Since(h.dropped.last) < dropSpan {
		t = Trouble{Err: fmt.Sprintf("%d events dropped: their commands are too slow", h.dropped.n), Since: h.dropped.first, Dropping: true}
	}
	return t
}

// drop counts a dropped event. The caller holds mu.
func (h *Hooks) drop() {
	h.counts.Dropped++
	if h.hasty {
		return
	}
	now := time.Now()
	if h.dropped.n == 0 || now.Sub(h.dropped.last) >= dropSpan {
		h.dropped = drops{first: now}
	}
	h.dropped.n, h.dropped.last = h.dropped.n+1, now
}

// New returns Hooks that run the commands of config for their events, except Record.
// The error is Config.Find's. A nil log means [slog.Default].
func New(config Config, log *slog.Logger) (*Hooks, error) {
	if err := config.Find(); err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.Default()
	}
	h := &Hooks{
		commands: config.Commands(), log: log, runLimit: runLimit, drain: drainLimit, rest: runLimit,
		over: make(chan struct{}), failure: make(map[string]failure),
	}
	delete(h.commands, record)
	h.more.L = &h.mu
	if len(h.commands) > 0 {
		for range atOnce {
			h.workers.Go(h.work)
		}
	}
	return h, nil
}

// Handler returns a handler for the events of an account. Several sessions may use it
// at once. It never blocks. Without commands it is callbacks.Nop.
func (h *Hooks) Handler(account string) callbacks.Handler {
	if len(h.commands) == 0 {
		return callbacks.Nop{}
	}
	return handler{hooks: h, account: account}
}

// Counts returns the totals so far.
func (h *Hooks) Counts() Counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counts
}

// put queues an event. It drops the oldest event if the queue is full. After Stop it
// drops every event.
func (h *Hooks) put(w waiting) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.stopped {
		h.drop()
		return
	}
	h.queue = append(h.queue, w)
	h.size += len(w.line)
	for len(h.queue) > 1 && (len(h.queue) > queueEvents || h.size > queueBytes) {
		h.shift()
		h.drop()
	}
	h.more.Signal()
}

// shift removes the oldest event from the queue. The caller holds mu.
func (h *Hooks) shift() waiting {
	w := h.queue[0]
	h.queue[0] = waiting{}
	h.queue = h.queue[1:]
	h.size -= len(w.line)
	return w
}

// take waits for an event. After Stop, ok is false once the queue is empty.
func (h *Hooks) take() (w waiting, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.queue) == 0 {
		if h.stopped {
			return waiting{}, false
		}
		h.more.Wait()
	}
	return h.shift(), true
}

func (h *Hooks) work() {
	for {
		w, ok := h.take()
		if !ok {
			return
		}
		h.note(w.event, h.run(w))
		h.logDropped(logAgain)
	}
}

// Stop drops new events, and returns when the commands of the waiting ones have ended.
// After 30 seconds, or five seconds after the end of ctx, it kills the running
// commands and drops the waiting events. Stop is called once.
func (h *Hooks) Stop(ctx context.Context) {
	h.mu.Lock()
	h.stopped = true
	h.mu.Unlock()
	h.more.Broadcast()
	limit := time.AfterFunc(h.rest, sync.OnceFunc(h.cut))
	defer limit.Stop()
	defer context.AfterFunc(ctx, func() {
		h.mu.Lock()
		h.hasty = true
		h.mu.Unlock()
		limit.Reset(h.drain)
	})()
	h.workers.Wait()
	h.logDropped(0)
}

// cut kills the running commands and drops the waiting events.
func (h *Hooks) cut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.queue) > 0 {
		h.shift()
		h.drop()
	}
	close(h.over)
}

// note counts a command that ended. It logs an error that differs from the one of the
// event before.
func (h *Hooks) note(event string, err error) {
	h.mu.Lock()
	h.counts.Done++
	last, is := h.failure[event], failure{}
	if err != nil {
		h.counts.Failed++
		is = failure{err.Error(), time.Now()}
		if last.err != "" {
			is.since = last.since
		}
	}
	known := is.err == last.err
	if h.hasty && errors.Is(err, errOver) {
		known, h.killed = h.killed, true
	} else {
		h.failure[event] = is
	}
	h.mu.Unlock()
	if err != nil && !known {
		h.log.Warn("command failed", "hook", event, "err", err)
	}
}

// logDropped logs how many events were dropped since its last log line, unless that is
// younger than pause.
func (h *Hooks) logDropped(pause time.Duration) {
	h.mu.Lock()
	dropped := h.counts.Dropped - h.logged
	due := dropped > 0 && time.Since(h.loggedAt) >= pause
	if due {
		h.logged, h.loggedAt = h.counts.Dropped, time.Now()
	}
	h.mu.Unlock()
	if due {
		h.log.Warn("events dropped: their commands are too slow", "dropped", dropped)
	}
}
