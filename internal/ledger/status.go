package ledger

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"
)

// State is what a session, a sink or the hooks do, as one word of a fixed list.
type State string

// The states of sessions.
const (
	StateDial       State = "dial"        // connects and logs in
	StateUp         State = "up"          // is logged in
	StateCatchUp    State = "catchup"     // reads what is new
	StateWatch      State = "watch"       // has read all and waits for news
	StateBackoff    State = "backoff"     // waits after a failure
	StateThrottled  State = "throttled"   // waits because the server asked for it
	StateAuthFailed State = "auth-failed" // waits because the login is refused
	StateClosed     State = "closed"      // has ended as asked
	StateFailed     State = "failed"      // has given up
)

// The states of sinks, hooks and quotas.
const (
	StateOK       State = "ok"
	StateFailing  State = "failing"
	StateDropping State = "dropping" // the hooks: events are dropped
)

var states = []State{
	StateDial, StateUp, StateCatchUp, StateWatch, StateBackoff, StateThrottled, StateAuthFailed, StateClosed, StateFailed,
	StateOK, StateFailing, StateDropping,
}

// Fails reports whether nothing works in this state.
func (s State) Fails() bool {
	return slices.Contains([]State{StateBackoff, StateThrottled, StateAuthFailed, StateFailed, StateFailing, StateDropping}, s)
}

// Ends reports whether a session in this state does nothing more.
func (s State) Ends() bool { return s == StateClosed || s == StateFailed }

// Status is a row of state: the last word of a session, sink or the like about itself.
// Rows are written when they change; see Beat.
type Status struct {
	Name    string           // see SessionStatus
	State   State            // empty: the row has none, or an older version wrote a sentence
	Since   time.Time        // of State
	Failing time.Time        // since when nothing works; zero: it works, or this is unknown
	Error   string           // for people
	Record  string           // the id of the record that a sink does not take
	Waits   time.Time        // since when Record waits
	Counts  map[string]int64 // by what is counted
	Ended   bool             // the row is not written again before the next start
	Data    json.RawMessage  // a row of another shape, an object, for the package that writes it; then all above but Name is zero

	// Set by the ledger.

	At      time.Time // when the row was written
	Run     time.Time // when its writer opened the ledger; zero: an older version wrote it
	Beat    time.Time // when its writer was last heard of: the row is true until then
	Current bool      // its writer is the last one that wrote states
}

// The names of rows, or what they begin with.
const (
	SessionStatus = "session/" // account/folder; the folder * is all
	SinkStatus    = "sink/"    // the sink's name
	QuotaStatus   = "quota/"   // account
	FirstStatus   = "first/"   // account/folder
	HooksStatus   = "hooks"
)

// writerName is the row that dates the others. No Status that a ledger returns has it.
const writerName = "writer"

// statusJSON is a Status in a ledger. Older versions wrote counts beside these keys.
type statusJSON struct {
	State   string           `json:"state,omitempty"`
	Since   time.Time        `json:"since,omitzero"`
	Failing time.Time        `json:"failing,omitzero"`
	Error   string           `json:"err,omitempty"`
	Record  string           `json:"record,omitempty"`
	Waits   time.Time        `json:"waits,omitzero"`
	Counts  map[string]int64 `json:"counts,omitempty"`
	Ended   bool             `json:"ended,omitempty"`
	Run     time.Time        `json:"run,omitzero"`
}

// WriterStatus is the row that a writer adds to those that it writes. run is when it
// opened the ledger.
func WriterStatus(run time.Time) Status {
	return Status{Name: writerName, State: StateOK, Since: run}
}

// Format writes a row as JSON. run is when the writer opened the ledger.
func (s Status) Format(run time.Time) (string, error) {
	if s.Data != nil {
		return string(s.Data), nil
	}
	b, err := json.Marshal(statusJSON{string(s.State), s.Since, s.Failing, s.Error, s.Record, s.Waits, s.Counts, s.Ended, run})
	return string(b), err
}

// ParseStatus reads a row of any version.
func ParseStatus(name, text string, at time.Time) Status {
	s := Status{Name: name, At: at, Beat: at}
	var row statusJSON
	if json.Unmarshal([]byte(text), &row) != nil {
		s.Error = text
		return s
	}
	s.State, s.Since, s.Failing, s.Error, s.Record, s.Waits = State(row.State), row.Since, row.Failing, row.Error, row.Record, row.Waits
	s.Counts, s.Ended, s.Run = row.Counts, row.Ended, row.Run
	if !slices.Contains(states, s.State) {
		s.State, s.Error = "", row.State+row.Error
	}
	if row.State == "" && row.Counts == nil && row.Run.IsZero() {
		s.Data = json.RawMessage(text)
	}
	if !s.Run.IsZero() {
		return s
	}
	var older map[string]json.RawMessage
	_ = json.Unmarshal([]byte(text), &older)
	for key, value := range older {
		n, err := strconv.ParseUint(string(value), 10, 64)
		if err != nil {
			continue
		}
		if s.Counts == nil {
			s.Counts = make(map[string]int64)
		}
		s.Counts[key] = int64(n) // 1<<64-1 is -1
	}
	return s
}

// DateStates takes out the writer's row and dates the others by it.
func DateStates(rows []Status) []Status {
	var writer Status
	rows = slices.DeleteFunc(rows, func(s Status) bool {
		if s.Name == writerName {
			writer = s
		}
		return s.Name == writerName
	})
	for i := range rows {
		s := &rows[i]
		if s.Current = s.Run.Equal(writer.Run); s.Current && writer.At.After(s.At) {
			s.Beat = writer.At
		}
	}
	return rows
}

// says reports whether two rows say the same.
func (s Status) says(t Status) bool {
	return s.State == t.State && s.Since.Equal(t.Since) && s.Failing.Equal(t.Failing) && s.Error == t.Error && s.Record == t.Record &&
		s.Waits.Equal(t.Waits) && maps.Equal(s.Counts, t.Counts) && s.Ended == t.Ended && string(s.Data) == string(t.Data)
}
