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
	queueBytes  = 4 << 20 // one event aside
	runLimit    = 30 * time.Second
	// drainLimit is how long Stop goes on where somebody waits for the end.
	drainLimit = 5 * time.Second
	// tellEvery is how often the log tells at most that events were dropped.
	tellEvery = time.Minute
)

// Hooks runs the commands of a Config.
type Hooks struct {
	commands map[string]subprocess.Command
	log      *slog.Logger
	runLimit time.Duration
	drain    time.Duration
	rest     time.Duration // of Stop where nobody does

	workers sync.WaitGroup
	over    chan struct{} // closed: what runs is killed

	mu      sync.Mutex
	more    sync.Cond
	queue   []waiting // oldest first
	size    int       // octets of its lines
	stopped bool
	killed  bool // the log tells of a command that was killed in haste
	hasty   bool // somebody waits for the end of Stop: what that kills and drops is no trouble
	counts  Counts
	failure map[string]failure // by event: of its last command
	told    int64              // dropped, as logged last
	at      time.Time          // when
	dropped drops
}

// waiting is an event whose command has not been started.
type waiting struct {
	event, account, mailbox string
	line                    []byte
}

// Counts are since the start. Done includes Failed.
type Counts struct {
	Done    int64 // commands that ended
	Failed  int64 // by an error, or killed
	Dropped int64 // events whose command was never started
}

// failure is a command that failed at its last event.
type failure struct {
	err   string
	since time.Time // of the first one in a row
}

// drops are the events dropped in a row, each within dropSpan of the last.
type drops struct {
	n           uint64
	first, last time.Time
}

// dropSpan is how long after a dropped event the commands count as too slow.
const dropSpan = 5 * time.Minute

// Trouble is what is wrong just now.
type Trouble struct {
	Err      string    // empty: nothing
	Since    time.Time // since when
	Dropping bool      // events are dropped; else the last run of a command failed
}

// Trouble tells which command has failed for the longest time, by its last
// event, or that events were dropped within the last five minutes.
func (h *Hooks) Trouble() (t Trouble) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, event := range slices.Sorted(maps.Keys(h.failure)) {
		if f := h.failure[event]; f.err != "" && (t.Err == "" || f.since.Before(t.Since)) {
			t = Trouble{Err: event + ": " + f.err, Since: f.since}
		}
	}
	if t.Err == "" && h.dropped.n > 0 && time.Since(h.dropped.last) < dropSpan {
		t = Trouble{Err: fmt.Sprintf("%d events dropped: their commands are slower than they come", h.dropped.n), Since: h.dropped.first, Dropping: true}
	}
	return t
}

// drop counts a dropped event; mu is held.
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

// New makes ready to run the commands of config for their events; Record is not
// its to run. All must be there. No log is [slog.Default].
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

// Handler returns what hears the events of an account. It may be used by
// several sessions at once, never blocks, and is Nop where there is no command.
func (h *Hooks) Handler(account string) callbacks.Handler {
	if len(h.commands) == 0 {
		return callbacks.Nop{}
	}
	return handler{hooks: h, account: account}
}

// Counts may be called at any time.
func (h *Hooks) Counts() Counts {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.counts
}

// put queues an event. It takes the place of the oldest where there is none;
// after Stop there is none for any.
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

// shift takes the oldest event out of the queue; mu is held.
func (h *Hooks) shift() waiting {
	w := h.queue[0]
	h.queue[0] = waiting{}
	h.queue = h.queue[1:]
	h.size -= len(w.line)
	return w
}

// take waits for an event; after Stop there is none once the queue is empty.
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
		h.tell(tellEvery)
	}
}

// Stop takes no more events and returns when those that wait are done, after 30
// seconds at most, and five seconds after the end of ctx: then it kills what
// runs and drops the rest. It is called once.
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
	h.tell(0)
}

// cut ends what runs and drops what waits.
func (h *Hooks) cut() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.queue) > 0 {
		h.shift()
		h.drop()
	}
	close(h.over)
}

// note counts, and logs an error where it differs from the event's last one.
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

// tell logs how many events were dropped since it last did, every span at most.
func (h *Hooks) tell(span time.Duration) {
	h.mu.Lock()
	dropped := h.counts.Dropped - h.told
	due := dropped > 0 && time.Since(h.at) >= span
	if due {
		h.told, h.at = h.counts.Dropped, time.Now()
	}
	h.mu.Unlock()
	if due {
		h.log.Warn("events dropped: their commands are slower than they come", "dropped", dropped)
	}
}
