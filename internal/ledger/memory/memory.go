package memory

import (
	"bytes"
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// memory is a ledger that ends with the process, for tests and dry runs.
type memory struct {
	mu       sync.Mutex
	folders  []*memFolder // ID is the index + 1
	messages map[string]*memMessage
	order    []string // keys of messages, as they were read
	hourly   map[ledger.Count]int64
	kinds    map[ledger.MessageCount]int64
	sinks    map[string]*delivery
	states   map[string]ledger.Status
	run      time.Time
}

type memFolder struct {
	claim   ledger.Claim
	next    int64
	records []ledger.Row // ascending by Seq
	todos   []ledger.Todo
}

type memMessage struct {
	ledger.KeptMessage       // Records is empty
	committed          int64 // milliseconds
}

// NewMemory returns an empty ledger that is kept in memory only.
func New() ledger.Ledger {
	return &memory{
		messages: make(map[string]*memMessage), hourly: make(map[ledger.Count]int64), kinds: make(map[ledger.MessageCount]int64),
		sinks: make(map[string]*delivery), states: make(map[string]ledger.Status), run: time.Now().UTC(),
	}
}

// enter locks the ledger unless ctx has ended.
func (m *memory) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	return m.mu.Unlock, nil
}

func (m *memory) Claim(ctx context.Context, folder ledger.Folder) (ledger.Claim, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return ledger.Claim{}, err
	}
	defer leave()
	i := slices.IndexFunc(m.folders, func(f *memFolder) bool { return f.claim.Folder == folder })
	if i < 0 {
		i = len(m.folders)
		m.folders = append(m.folders, &memFolder{next: 1, claim: ledger.Claim{Folder: folder, ID: int64(i + 1), FirstSeen: ledger.FromMilli(ledger.Milli(time.Now()))}})
	}
	f := m.folders[i]
	f.claim.Token = rand.Text()
	return f.copy(), nil
}

func (f *memFolder) copy() ledger.Claim {
	c := f.claim
	c.Checkpoint.Pending = slices.Clone(c.Checkpoint.Pending)
	c.Checkpoint.Gaps, c.Checkpoint.Known = slices.Clone(c.Checkpoint.Gaps), slices.Clone(c.Checkpoint.Known)
	return c
}

func (m *memory) folder(id int64) *memFolder {
	if id < 1 || id > int64(len(m.folders)) {
		return nil
	}
	return m.folders[id-1]
}

// fence enters the ledger for the holder of claim.
func (m *memory) fence(ctx context.Context, claim ledger.Claim) (f *memFolder, leave func(), err error) {
	if leave, err = m.enter(ctx); err != nil {
		return nil, nil, err
	}
	if f = m.folder(claim.ID); f == nil || f.claim.Token != claim.Token {
		leave()
		return nil, nil, ledger.ErrClaimLost
	}
	return f, leave, nil
}

func (m *memory) Commit(ctx context.Context, claim ledger.Claim, batch ledger.Batch) (ledger.Committed, error) {
	if err := batch.Check(); err != nil {
		return ledger.Committed{}, err
	}
	f, leave, err := m.fence(ctx, claim)
	if err != nil {
		return ledger.Committed{}, err
	}
	defer leave()
	known := make(map[string]bool)
	for _, message := range batch.Messages {
		known[message.ReportID] = m.messages[message.ReportID] != nil
	}
	p, err := ledger.Number(f.claim, batch.Messages, known, f.next, m.brake())
	if err != nil {
		return ledger.Committed{}, err
	}
	now := ledger.Milli(time.Now())
	for _, pm := range p.New {
		message := batch.Messages[pm.Index]
		kept := ledger.KeptMessage{Message: message, FolderID: f.claim.ID, Folder: f.claim.Folder, Made: len(message.Records)}
		kept.Head, kept.Records, kept.At = bytes.Clone(message.Head), nil, ledger.FromMilli(ledger.Milli(message.At))
		m.messages[message.ReportID] = &memMessage{kept, now}
		m.order = append(m.order, message.ReportID)
	}
	f.records = append(f.records, p.Rows...)
	f.next = p.Next
	for c, n := range p.Counts {
		m.hourly[c] += n
	}
	for kind, n := range p.Kinds {
		m.kinds[ledger.MessageCount{Folder: f.claim.Folder, Kind: kind}] += n
	}
	v := batch.Checkpoint.UIDValidity
	if f.claim.Checkpoint.UIDValidity != v {
		f.todos = slices.DeleteFunc(f.todos, func(d ledger.Todo) bool { return d.UIDValidity != v })
	}
	for _, d := range batch.Todos {
		if !slices.Contains(f.todos, d) {
			f.todos = append(f.todos, d)
		}
	}
	f.claim.Checkpoint, f.claim.LastCommit = batch.Checkpoint, ledger.FromMilli(ledger.Milli(time.Now()))
	f.claim.Checkpoint = f.copy().Checkpoint
	return p.Committed, nil
}

// brake counts by m.hourly.
func (m *memory) brake() *ledger.Brake {
	return &ledger.Brake{Count: func(day time.Time, provider, feed string) (n int64, err error) {
		for c, hour := range m.hourly {
			if c.Verdict == string(report.SuppressYes) && c.Provider == provider && c.Feed == feed && c.Hour.Truncate(24*time.Hour).Equal(day) {
				n += hour
			}
		}
		return n, nil
	}}
}

func (m *memory) Revise(ctx context.Context, revisions []ledger.Revision) (ledger.Revised, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return ledger.Revised{}, err
	}
	defer leave()
	return m.revise(revisions), nil
}

func (m *memory) revise(revisions []ledger.Revision) (done ledger.Revised) {
	brake := m.brake()
	for _, r := range revisions {
		message := m.messages[r.ReportID]
		var known []ledger.Row
		if message != nil {
			for _, row := range m.folder(message.FolderID).records {
				if report, _, _ := strings.Cut(row.ID, "."); report == r.ReportID {
					known = append(known, row)
				}
			}
		}
		if message == nil {
			done.Stale = append(done.Stale, r.ReportID)
			continue
		}
		brake.Recount()
		c, err := r.Changes(message.Kind, known, brake)
		if err != nil {
			done.Stale = append(done.Stale, r.ReportID)
			continue
		}
		f := m.folder(message.FolderID)
		f.records = slices.Clone(f.records)
		for i := range f.records {
			f.records[i].Replaced = f.records[i].Replaced || slices.Contains(c.Replaced, f.records[i].Seq)
		}
		for _, record := range c.Records {
			row := ledger.Row{FolderID: f.claim.ID, Folder: f.claim.Folder, Seq: f.next, Record: record}
			f.records = append(f.records, row)
			done.Rows = append(done.Rows, row)
			f.next++
		}
		for count, n := range c.Counts {
			m.hourly[count] += n
		}
		for kind, n := range c.Kinds {
			m.kinds[ledger.MessageCount{Folder: f.claim.Folder, Kind: kind}] += n
			message.Kind = r.Kind
		}
	}
	ledger.SortRows(done.Rows)
	done.Over = brake.Over()
	return done
}

func (m *memory) Todos(ctx context.Context, claim ledger.Claim, limit int) ([]ledger.Todo, error) {
	f, leave, err := m.fence(ctx, claim)
	if err != nil {
		return nil, err
	}
	defer leave()
	return slices.Clone(f.todos[:min(limit, len(f.todos))]), nil
}

func (m *memory) CompleteTodos(ctx context.Context, claim ledger.Claim, todos []ledger.Todo) error {
	f, leave, err := m.fence(ctx, claim)
	if err != nil {
		return err
	}
	defer leave()
	f.todos = slices.DeleteFunc(f.todos, func(d ledger.Todo) bool { return slices.Contains(todos, d) })
	return nil
}

func (m *memory) Ack(ctx context.Context, sink string, replays int, folderID, seq int64) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if m.folder(folderID) == nil {
		return ledger.NoFolder(folderID)
	}
	if m.sink(sink).replays <= replays {
		m.ack(sink, folderID, seq)
	}
	return nil
}

func (m *memory) ack(sink string, folderID, seq int64) {
	d := m.sink(sink)
	d.known = true
	d.cursors[folderID] = max(d.cursors[folderID], min(seq, m.folder(folderID).next-1))
	d.forward(folderID, seq)
}

func (m *memory) Register(ctx context.Context, sink string, atHead bool) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	d := m.sink(sink)
	if d.known {
		return nil
	}
	d.known = true
	for _, f := range m.folders {
		if atHead {
			d.cursors[f.claim.ID] = f.next - 1
		}
	}
	return nil
}

func (m *memory) SetStates(ctx context.Context, states ...ledger.Status) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	rows := make(map[string]ledger.Status)
	for _, state := range append(slices.Clip(states), ledger.WriterStatus(m.run)) {
		text, err := state.Format(m.run)
		if err != nil {
			return err
		}
		rows[state.Name] = ledger.ParseStatus(state.Name, text, ledger.FromMilli(ledger.Milli(time.Now())))
	}
	maps.Copy(m.states, rows)
	return nil
}

func (m *memory) Prune(ctx context.Context, heads, records time.Time) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for _, message := range m.messages {
		if !heads.IsZero() && message.committed < ledger.Milli(heads) {
			message.Head = nil
		}
	}
	for _, f := range m.folders {
		f.records = slices.DeleteFunc(slices.Clone(f.records), func(r ledger.Row) bool {
			return !records.IsZero() && ledger.Milli(r.At) < ledger.Milli(records)
		})
	}
	for _, d := range m.sinks {
		gone := func(p place) bool { return m.row(p.folder, p.seq) == nil }
		d.drop(gone)
		maps.DeleteFunc(d.dead, func(p place, _ ledger.DeadLetter) bool { return gone(p) })
	}
	return nil
}

func (m *memory) Close() error { return nil }
