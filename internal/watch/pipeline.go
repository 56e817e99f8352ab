package watch

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/report"
)

const (
	batchMessages = 250
	batchOctets   = 4 << 20
	batchTime     = 250 * time.Millisecond
	headMost      = 256 << 10 // octets of a message that the ledger keeps
)

// pipeline takes a session's messages through reading and commit, each stage a
// goroutine, with one batch waiting between two of them. The last stage owns
// the checkpoint.
type pipeline struct {
	f     *folder
	claim ledger.Claim
	cur   batch
	size  int       // octets of cur's messages
	since time.Time // of cur's first message

	read   chan *batch
	commit chan *batch
	wg     sync.WaitGroup
	json   []byte // of the second stage: the record being written

	// Of the second stage: up to which UID messages may have been read before, and
	// what is known of those.
	rereadTo uint32
	recorded recorded

	mu       sync.Mutex
	err      error
	progress Progress

	// Of the last stage; others may look before the first batch, and after a
	// flush that did not fail.
	cp   ledger.Checkpoint
	more map[uint32]int64 // messages of which more octets are needed
	kept bool             // the ledger has a checkpoint of this session
}

// batch is one commit in the making.
type batch struct {
	found    []uint32 // UIDs that become pending
	high     uint32   // how far the folder is known now; 0: as before
	rereadTo uint32   // up to which UID messages were read before; 0: as before
	messages []arrived
	lost     []lost   // given up
	died     []uint32 // what ended the connection, or was refused

	withheld []uint32     // listed by the server, which gives nothing for them
	gaps     []ledger.Gap // below high

	reply chan error

	made  []ledger.Message
	todos []ledger.Todo
	needs []need
	done  []uint32
	known []ledger.Known
}

func (b *batch) empty() bool {
	return len(b.found) == 0 && b.high == 0 && len(b.messages) == 0 && len(b.lost) == 0 && len(b.died) == 0 && len(b.withheld) == 0
}

// lost is a message that is given up, and why.
type lost struct {
	uid    uint32
	reason string
}

// message is a message with the size that its octets are a part of.
type arrived struct {
	*imapclient.Message
	size  int64
	short string // why there is no more of it although there should be; empty: all is well
}

// need is a message of which more is wanted: its first octets octets.
type need struct {
	uid    uint32
	octets int64
}

func newPipeline(ctx context.Context, f *folder, claim ledger.Claim) *pipeline {
	p := &pipeline{
		f: f, claim: claim, cp: claim.Checkpoint, // its Pending too is the pipeline's now
		read: make(chan *batch), commit: make(chan *batch),
		more: make(map[uint32]int64), rereadTo: claim.Checkpoint.Again,
	}
	p.wg.Go(func() { p.reader(ctx) })
	p.wg.Go(func() { p.committer(ctx) })
	return p
}

// pending is what the checkpoint holds; after flush only.
func (p *pipeline) pending() []ledger.Pending { return slices.Clone(p.cp.Pending) }

// gaps is what the checkpoint holds; after flush only.
func (p *pipeline) gaps() []ledger.Gap { return slices.Clone(p.cp.Gaps) }

// add puts news other than messages into the next commit.
func (p *pipeline) add(b batch) {
	p.cur.found = append(p.cur.found, b.found...)
	p.cur.high = max(p.cur.high, b.high)
	p.cur.rereadTo = max(p.cur.rereadTo, b.rereadTo)
	p.cur.lost = append(p.cur.lost, b.lost...)
	p.cur.died = append(p.cur.died, b.died...)
	p.cur.withheld = append(p.cur.withheld, b.withheld...)
	p.cur.gaps = append(p.cur.gaps, b.gaps...)
}

// message puts a message into the next commit. asked is how many octets of it were
// asked for. It returns why an earlier commit failed.
func (p *pipeline) message(m *imapclient.Message, asked int64) error {
	size := m.Size
	if got := int64(len(m.Body)); got < asked { // all of it, whatever the server says
		size = got
	} else if size <= got { // where more was there it cannot be so small: find out
		size = p.f.a.MaxMessage
	}
	return p.append(arrived{Message: m, size: size})
}

func (p *pipeline) append(m arrived) error {
	if len(p.cur.messages) == 0 {
		p.since = time.Now()
	}
	p.cur.messages = append(p.cur.messages, m)
	p.size += len(m.Body)
	if len(p.cur.messages) >= batchMessages || p.size >= batchOctets || time.Since(p.since) >= batchTime {
		p.send(nil)
	}
	return p.failed()
}

func (p *pipeline) send(reply chan error) {
	b := p.cur
	p.cur, p.size = batch{}, 0
	b.reply = reply
	p.read <- &b
}

// flush waits until everything given so far is committed, and returns the
// messages of which more is needed.
func (p *pipeline) flush() ([]need, error) {
	reply := make(chan error)
	p.send(reply)
	if err := <-reply; err != nil {
		return nil, err
	}
	var needs []need
	for uid, octets := range p.more {
		needs = append(needs, need{uid, octets})
	}
	slices.SortFunc(needs, func(a, b need) int { return cmp.Compare(a.uid, b.uid) })
	return needs, nil
}

// close commits what there is and ends the stages.
func (p *pipeline) close() error {
	if !p.cur.empty() {
		p.send(nil)
	}
	close(p.read)
	p.wg.Wait()
	return p.failed()
}

func (p *pipeline) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// fail has nothing more committed.
func (p *pipeline) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

// begin and caughtUp frame the catching up, for whoever shows progress.
func (p *pipeline) begin(total int) {
	p.report(func(pr *Progress) { *pr = Progress{Account: p.f.a.Name, Folder: p.f.name, Total: total} })
}

func (p *pipeline) caughtUp() {
	p.report(func(pr *Progress) { pr.Caught = true })
}

func (p *pipeline) report(change func(*Progress)) {
	p.mu.Lock()
	change(&p.progress)
	now := p.progress
	p.mu.Unlock()
	if p.f.a.Progress != nil {
		p.f.a.Progress(now)
	}
}

// reader is the second stage: octets to records.
func (p *pipeline) reader(ctx context.Context) {
	defer close(p.commit)
	for b := range p.read {
		if b.rereadTo > 0 {
			p.rereadTo, p.recorded = max(p.rereadTo, b.rereadTo), recorded{} // more was read since
		}
		slices.SortFunc(b.messages, func(a, b arrived) int { return cmp.Compare(a.UID, b.UID) })
		made := make([]parsed, len(b.messages))
		p.each(len(b.messages), func(i int) { made[i] = p.parse(ctx, b.messages[i]) })
		for i, m := range b.messages {
			if made[i].err != nil {
				p.fail(made[i].err)
			} else if err := p.take(ctx, b, m, made[i]); err != nil {
				p.fail(&LedgerError{err})
			}
		}
		for _, l := range b.lost {
			p.givenUp(l.uid, l.reason)
			b.made = append(b.made, p.unfetched(l.uid, l.reason))
			b.done = append(b.done, l.uid)
		}
		p.commit <- b
	}
}

// askers is how many messages of a batch may wait for the DNS at once.
const askers = 16

// each does a batch's messages: one after the other where nothing is asked of
// anybody, since then the next stage uses the other core.
func (p *pipeline) each(n int, do func(i int)) {
	if !p.f.a.Reading.Asks() {
		for i := range n {
			do(i)
		}
		return
	}
	var wg sync.WaitGroup
	turn := make(chan struct{}, askers)
	for i := range n {
		turn <- struct{}{}
		wg.Go(func() {
			do(i)
			<-turn
		})
	}
	wg.Wait()
}

// parsed is what became of a message.
type parsed struct {
	id      string // its report_id; empty: nothing became of it
	kind    report.Kind
	origin  uint64
	at      time.Time // of receipt, as the ledger notes it
	records []report.Record
	head    []byte
	size    int64 // of the message that head is the start of
	after   Action
	want    int64 // octets that are needed first; 0: none
	err     error // the reading ended early, with its context
}

func (p *pipeline) parse(ctx context.Context, m arrived) parsed {
	if m.Gone {
		return parsed{}
	}
	if m.short != "" {
		p.givenUp(m.UID, m.short)
		return p.parseShort(ctx, m)
	}
	got := int64(len(m.Body))
	most := min(p.f.a.MaxMessage, m.size)
	r, err := report.ParsePrefixContext(ctx, m.Body, m.size)
	if err != nil {
		return parsed{err: context.Cause(ctx)}
	}
	if want := min(r.Need(), most); want > got {
		return parsed{want: want}
	}
	after := p.f.a.After.of(r.Kind)
	if len(m.Body) == 0 { // nothing shows that this is the message, whatever RFC822.SIZE says
		after = Action{}
	}
	if after.Do == "delete" && got < most {
		return parsed{want: most}
	}
	if !after.allows(got, r.Need(), m.size) {
		p.f.a.Log.Warn("mail is larger than what is read of one: it stays where it is", "folder", p.f.name, "uid", m.UID, "octets", m.size)
		after = Action{}
	}
	at, noted, doubts := p.dated(ctx, m.Message, r)
	records, whole := p.f.a.Reading.Records(ctx, r, m.Body, got >= most, report.Envelope{
		ReceivedAt:  at,
		ProcessedAt: time.Now(),
		Mailbox:     p.mailbox(m.UID, m.Size, r.Outer.MessageID),
	}, doubts...)
	if whole {
		return parsed{want: most}
	}
	if p.f.a.NoHeads {
		return parsed{id: r.ID, kind: r.Kind, origin: r.Origin(), at: noted, records: records, size: m.size, after: after}
	}
	plain := m.Body[:min(got, headMost)]
	head := p.f.a.Reading.Head(plain, r)
	return parsed{id: r.ID, kind: r.Kind, origin: r.Origin(), at: noted, records: records, head: head, size: m.size + int64(len(head)-len(plain)), after: after}
}

// take puts what became of a message into its batch.
func (p *pipeline) take(ctx context.Context, b *batch, m arrived, got parsed) error {
	if got.want > 0 {
		// In steps, so that messages which need about as much go into one FETCH.
		want := min((got.want+prefixStep-1)/prefixStep*prefixStep, p.f.a.MaxMessage)
		b.needs = append(b.needs, need{m.UID, want})
		return nil
	}
	b.done = append(b.done, m.UID)
	if got.id == "" {
		return nil
	}
	if m.short == "" {
		b.known = append(b.known, ledger.Known{UID: m.UID, Mark: markOf(got.origin, got.id)})
	}
	if id, err := p.readBefore(ctx, m.UID, got.id, got.origin); err != nil {
		return err
	} else if id != "" {
		got.id, got.records, got.head = id, nil, nil // the ledger counts it as known
	}
	if got.after != (Action{}) {
		b.todos = append(b.todos, ledger.Todo{UIDValidity: p.claim.Checkpoint.UIDValidity, UID: m.UID, Action: got.after.String()})
	}
	b.made = append(b.made, ledger.Message{
		ReportID:    got.id,
		UIDValidity: p.claim.Checkpoint.UIDValidity,
		UID:         m.UID,
		Kind:        string(got.kind),
		At:          got.at,
		Size:        got.size,
		Head:        got.head,
		Records:     p.rows(got.records),
		Origin:      got.origin,
	})
	return nil
}

// givenUp tells people of a message that is not asked for again.
func (p *pipeline) givenUp(uid uint32, reason string) {
	p.f.a.Log.Warn("message given up; a record says so, and fblwatch sweep --all asks for it again", "folder", p.f.name, "uid", uid, "err", reason)
}

func (p *pipeline) unfetched(uid uint32, reason string) ledger.Message {
	now := time.Now()
	r := report.Unfetched(report.Envelope{ProcessedAt: now, Mailbox: p.mailbox(uid, 0, "")}, reason)
	return ledger.Message{
		ReportID:    r.ReportID,
		UIDValidity: p.claim.Checkpoint.UIDValidity,
		UID:         uid,
		Kind:        string(report.KindUnparsed),
		At:          now,
		Records:     p.rows([]report.Record{r}),
	}
}

func (p *pipeline) mailbox(uid uint32, size int64, messageID string) *report.Mailbox {
	return &report.Mailbox{
		Account: p.claim.Folder.Account, Folder: p.claim.Folder.Name,
		UID: uid, UIDValidity: p.claim.Checkpoint.UIDValidity,
		Size: max(size, 0), MessageID: messageID,
	}
}

// rows are the records as the ledger takes them.
func (p *pipeline) rows(records []report.Record) []ledger.Record {
	out := make([]ledger.Record, len(records))
	for i := range records {
		p.json = records[i].AppendJSON(p.json[:0])
		out[i] = process.LedgerRecord(&records[i], bytes.Clone(p.json))
		p.f.a.Reading.Brake.Hold(&out[i], &records[i])
	}
	return out
}

// committer is the last stage: one transaction a batch. After a failed one
// nothing more is committed: those messages are read again.
func (p *pipeline) committer(ctx context.Context) {
	for b := range p.commit {
		err := p.failed()
		if err == nil && !b.empty() {
			if err = p.write(ctx, b); err != nil {
				p.fail(err)
			}
		}
		for _, m := range b.messages {
			m.Release()
		}
		if b.reply != nil {
			b.reply <- err
		}
	}
}

func (p *pipeline) write(ctx context.Context, b *batch) error {
	p.advance(b)
	m := p.mailboxName()
	p.f.a.Handler.Critical(m)
	done, err := p.f.a.Ledger.Commit(ctx, p.claim, ledger.Batch{Checkpoint: p.cp, Messages: b.made, Todos: b.todos})
	p.f.a.Handler.NoCritical(m)
	if err != nil {
		return ledgerError(ctx, err)
	}
	p.kept = true
	p.f.a.Reading.Brake.Log(done.Over)
	if len(b.made) > 0 {
		p.f.a.commits.Add(1)
	}
	if p.f.a.Committed != nil {
		p.f.a.Committed(done)
	}
	p.f.prefix.read(len(b.made)-len(b.lost), len(b.needs))
	p.report(func(pr *Progress) {
		pr.Done += len(b.made)
		pr.Records += len(done.Rows)
	})
	return nil
}
