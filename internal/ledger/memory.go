package ledger

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// memory is a ledger that ends with the process, for tests and dry runs.
type memory struct {
	mu      sync.Mutex
	folders []*memFolder // ID is the index + 1
	mails   map[string]*memMail
	hourly  map[Count]int64
	kinds   map[MailCount]int64
	cursors map[string]map[int64]int64 // by sink and folder
	states  map[string]State
}

type memFolder struct {
	claim   Claim
	next    int64
	records []Row // ascending by Seq
	todos   []Todo
}

type memMail struct {
	head      []byte
	committed int64 // milliseconds
}

// NewMemory returns an empty ledger that is kept in memory only.
func NewMemory() Ledger {
	return &memory{
		mails: make(map[string]*memMail), hourly: make(map[Count]int64), kinds: make(map[MailCount]int64),
		cursors: make(map[string]map[int64]int64), states: make(map[string]State),
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

func (m *memory) Claim(ctx context.Context, folder Folder) (Claim, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return Claim{}, err
	}
	defer leave()
	i := slices.IndexFunc(m.folders, func(f *memFolder) bool { return f.claim.Folder == folder })
	if i < 0 {
		i = len(m.folders)
		m.folders = append(m.folders, &memFolder{next: 1, claim: Claim{Folder: folder, ID: int64(i + 1), First: true}})
	}
	f := m.folders[i]
	f.claim.Token = rand.Text()
	return f.copy(), nil
}

func (f *memFolder) copy() Claim {
	c := f.claim
	c.Checkpoint.Pending = slices.Clone(c.Checkpoint.Pending)
	return c
}

func (m *memory) folder(id int64) *memFolder {
	if id < 1 || id > int64(len(m.folders)) {
		return nil
	}
	return m.folders[id-1]
}

// fence enters the ledger for the holder of claim.
func (m *memory) fence(ctx context.Context, claim Claim) (f *memFolder, leave func(), err error) {
	if leave, err = m.enter(ctx); err != nil {
		return nil, nil, err
	}
	if f = m.folder(claim.ID); f == nil || f.claim.Token != claim.Token {
		leave()
		return nil, nil, ErrClaimLost
	}
	return f, leave, nil
}

func (m *memory) Commit(ctx context.Context, claim Claim, batch Batch) (Committed, error) {
	if err := check(batch); err != nil {
		return Committed{}, err
	}
	f, leave, err := m.fence(ctx, claim)
	if err != nil {
		return Committed{}, err
	}
	defer leave()
	known := make(map[string]bool)
	for _, mail := range batch.Mails {
		known[mail.ReportID] = m.mails[mail.ReportID] != nil
	}
	p := place(f.claim, batch.Mails, known, f.next)
	now := milli(time.Now())
	for _, pm := range p.mails {
		mail := batch.Mails[pm.index]
		m.mails[mail.ReportID] = &memMail{head: bytes.Clone(mail.Head), committed: now}
	}
	f.records = append(f.records, p.Rows...)
	f.next = p.next
	for c, n := range p.counts {
		m.hourly[c] += n
	}
	for kind, n := range p.kinds {
		m.kinds[MailCount{Folder: f.claim.Folder, Kind: kind}] += n
	}
	v := batch.Checkpoint.UIDValidity
	if f.claim.Checkpoint.UIDValidity != v {
		f.todos = slices.DeleteFunc(f.todos, func(d Todo) bool { return d.UIDValidity != v })
	}
	for _, d := range batch.Todos {
		if !slices.Contains(f.todos, d) {
			f.todos = append(f.todos, d)
		}
	}
	f.claim.Checkpoint, f.claim.First = batch.Checkpoint, false
	f.claim.Checkpoint = f.copy().Checkpoint
	return p.Committed, nil
}

func (m *memory) Todos(ctx context.Context, claim Claim) ([]Todo, error) {
	f, leave, err := m.fence(ctx, claim)
	if err != nil {
		return nil, err
	}
	defer leave()
	return slices.Clone(f.todos), nil
}

func (m *memory) Done(ctx context.Context, claim Claim, todos []Todo) error {
	f, leave, err := m.fence(ctx, claim)
	if err != nil {
		return err
	}
	defer leave()
	f.todos = slices.DeleteFunc(f.todos, func(d Todo) bool { return slices.Contains(todos, d) })
	return nil
}

func (m *memory) Ack(ctx context.Context, sink string, folderID, seq int64) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	f := m.folder(folderID)
	if f == nil {
		return noFolder(folderID)
	}
	if m.cursors[sink] == nil {
		m.cursors[sink] = make(map[int64]int64)
	}
	m.cursors[sink][folderID] = max(m.cursors[sink][folderID], min(seq, f.next-1))
	return nil
}

func (m *memory) Register(ctx context.Context, sink string, atHead bool) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if m.cursors[sink] != nil {
		return nil
	}
	m.cursors[sink] = make(map[int64]int64)
	for _, f := range m.folders {
		if atHead {
			m.cursors[sink][f.claim.ID] = f.next - 1
		}
	}
	return nil
}

func (m *memory) SetState(ctx context.Context, name, value string) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	m.states[name] = State{Name: name, Value: value, At: fromMilli(milli(time.Now()))}
	return nil
}

func (m *memory) Prune(ctx context.Context, heads, records time.Time) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for _, mail := range m.mails {
		if !heads.IsZero() && mail.committed < milli(heads) {
			mail.head = nil
		}
	}
	for _, f := range m.folders {
		f.records = slices.DeleteFunc(slices.Clone(f.records), func(r Row) bool {
			return !records.IsZero() && milli(r.At) < milli(records)
		})
	}
	return nil
}

func (m *memory) Folders(ctx context.Context) ([]Claim, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var folders []Claim
	for _, f := range m.folders {
		c := f.copy()
		c.Token = ""
		folders = append(folders, c)
	}
	slices.SortFunc(folders, func(a, b Claim) int { return compareFolders(a.Folder, b.Folder) })
	return folders, nil
}

func compareFolders(a, b Folder) int {
	return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Name, b.Name))
}

// rows yields copies of the records that want selects, at the time of the call.
func (m *memory) rows(ctx context.Context, want func(Row) bool) iter.Seq2[Row, error] {
	var rows []Row
	leave, err := m.enter(ctx)
	if err == nil {
		for _, f := range m.folders {
			for _, r := range f.records {
				if want(r) {
					rows = append(rows, r)
				}
			}
		}
		leave()
	}
	return func(yield func(Row, error) bool) {
		for _, r := range rows {
			if err = ctx.Err(); err != nil || !yield(r, nil) {
				break
			}
		}
		if err != nil {
			yield(Row{}, err)
		}
	}
}

func (m *memory) Records(ctx context.Context, q Query) iter.Seq2[Row, error] {
	low, high := span(q.Since, q.Until)
	is := func(want, have string) bool { return want == "" || want == have }
	return func(yield func(Row, error) bool) {
		n := 0
		for row, err := range m.rows(ctx, func(r Row) bool {
			at := milli(r.At)
			return at >= low && at < high && is(q.Account, r.Folder.Account) && is(q.Folder, r.Folder.Name) &&
				is(q.Event, r.Event) && is(q.Class, r.Class) && is(q.Provider, r.Provider) && is(q.Verdict, r.Verdict) &&
				(is(q.ID, r.ID) || strings.HasPrefix(r.ID, q.ID+".")) &&
				(q.FolderID == 0 || r.FolderID == q.FolderID && r.Seq > q.AfterSeq)
		}) {
			if n++; !yield(row, err) || n == q.Limit {
				return
			}
		}
	}
}

func (m *memory) Unsent(ctx context.Context, sink string) iter.Seq2[Row, error] {
	return m.rows(ctx, func(r Row) bool { return r.Seq > m.cursors[sink][r.FolderID] })
}

func (m *memory) Head(ctx context.Context, reportID string) ([]byte, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if mail := m.mails[reportID]; mail != nil && len(mail.head) > 0 {
		return bytes.Clone(mail.head), nil
	}
	return nil, nil
}

func (m *memory) Counts(ctx context.Context, since, until time.Time) ([]Count, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	low, high := span(since, until)
	var counts []Count
	for c, n := range m.hourly {
		if at := milli(c.Hour); at >= low && at < high {
			c.N = n
			counts = append(counts, c)
		}
	}
	slices.SortFunc(counts, compareCounts)
	return counts, nil
}

func (m *memory) MailCounts(ctx context.Context) ([]MailCount, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var counts []MailCount
	for c, n := range m.kinds {
		c.N = n
		counts = append(counts, c)
	}
	slices.SortFunc(counts, func(a, b MailCount) int {
		return cmp.Or(compareFolders(a.Folder, b.Folder), cmp.Compare(a.Kind, b.Kind))
	})
	return counts, nil
}

func (m *memory) States(ctx context.Context) ([]State, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return slices.SortedFunc(maps.Values(m.states), func(a, b State) int { return cmp.Compare(a.Name, b.Name) }), nil
}

func (m *memory) Close() error { return nil }
