package watch

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/report"
)

// reader is the second stage: octets to records.
func (p *pipeline) reader(ctx context.Context) {
	defer close(p.commit)
	var next *batch // of the last stage
	for b := range p.read {
		if next == nil {
			next = b
		} else {
			next.join(b)
		}
		p.fill(ctx, next, b)
		if next.reply != nil || next.full(batchMessages, batchOctets) {
			p.commit <- next
			next = nil
		}
	}
	if next != nil {
		p.commit <- next
	}
}

// fill puts what becomes of the messages of part into b.
func (p *pipeline) fill(ctx context.Context, b, part *batch) {
	if part.rereadTo > 0 {
		p.rereadTo, p.recorded = max(p.rereadTo, part.rereadTo), recorded{} // more was read since
	}
	if b.made == nil && len(part.messages) >= partMessages {
		b.made = make([]ledger.Message, 0, batchMessages)
	}
	made, needs := len(b.made), len(b.needs)
	slices.SortFunc(part.messages, func(a, b arrived) int { return cmp.Compare(a.UID, b.UID) })
	for m, got := range p.parsed(ctx, part.messages) {
		if got.err != nil {
			p.fail(got.err)
		} else if err := p.take(ctx, b, m, got); err != nil {
			p.fail(&LedgerError{err})
		}
	}
	p.f.prefix.read(len(b.made)-made, b.needs[needs:])
	for _, l := range part.lost {
		p.givenUp(l.uid, l.reason)
		b.made = append(b.made, p.unfetched(l.uid, l.reason))
		b.done = append(b.done, l.uid)
	}
}

// askers is how many messages of a batch may wait for the DNS at once.
const askers = 16

// parsed yields a batch's messages with what became of them. If nothing is asked of
// anybody, it reads one after the other in the same memory, since then the next stage
// uses the other core.
func (p *pipeline) parsed(ctx context.Context, messages []arrived) iter.Seq2[arrived, parsed] {
	return func(yield func(arrived, parsed) bool) {
		if !p.f.a.Rules.Asks() {
			for _, m := range messages {
				if !yield(m, p.parse(ctx, m, &p.memory)) {
					return
				}
			}
			return
		}
		made := make([]parsed, len(messages))
		var wg sync.WaitGroup
		turn := make(chan struct{}, askers)
		for i, m := range messages {
			turn <- struct{}{}
			wg.Go(func() {
				made[i] = p.parse(ctx, m, nil)
				<-turn
			})
		}
		wg.Wait()
		for i, m := range messages {
			if !yield(m, made[i]) {
				return
			}
		}
	}
}

// parsed is what became of a message.
type parsed struct {
	process.Result        // without an ID: nothing became of it
	after          Action // what is owed to the message then
	err            error  // the reading ended early, with its context
}

// parse reads a message. It may run for several messages at once, with no memory.
func (p *pipeline) parse(ctx context.Context, m arrived, memory *process.Memory) (got parsed) {
	if m.Gone {
		return parsed{}
	}
	a := p.f.a
	from := process.Folder{
		FirstSeen: p.claim.FirstSeen, LastCommit: p.claim.LastCommit, Since: a.Since,
		Live: func() bool { return uint64(m.UID) > p.f.first(ctx, p.claim).UID },
	}
	message := process.Message{
		Body: m.Body, Size: m.size, Most: a.MaxMessage, InternalDate: m.InternalDate, Mailbox: p.mailbox(m.UID, m.Size), Head: headMost,
		ToEnd:  func(kind report.Kind) bool { return a.After.of(kind).Do == "delete" },
		Memory: memory,
	}
	if a.NoHeads {
		message.Head = 0
	}
	if m.short != "" {
		p.givenUp(m.UID, m.short)
		a.Log.Warn("message could not be read whole: it stays where it is", "folder", p.f.name, "uid", m.UID, "err", m.short)
		got.Result, got.err = a.Rules.ReadStart(ctx, message, from, m.short)
		return got
	}
	got.Result, got.err = a.Rules.Read(ctx, message, from)
	if got.err != nil || got.Want > 0 || len(m.Body) == 0 { // RFC822.SIZE alone does not show that this is the message
		return got
	}
	if got.after = a.After.of(got.Kind); !got.after.allows(int64(len(m.Body)), got.Need, m.size) {
		a.Log.Warn("message is larger than what is read of one: it stays where it is", "folder", p.f.name, "uid", m.UID, "octets", m.size)
		got.after = Action{}
	}
	return got
}

// take puts what became of a message into its batch.
func (p *pipeline) take(ctx context.Context, b *batch, m arrived, got parsed) error {
	if got.Want > 0 {
		// In steps, so that messages which need about as much go into one FETCH.
		want := min((got.Want+prefixStep-1)/prefixStep*prefixStep, p.f.a.MaxMessage)
		b.needs = append(b.needs, need{m.UID, want})
		return nil
	}
	b.done = append(b.done, m.UID)
	if got.ID == "" {
		return nil
	}
	if m.short == "" {
		b.remember(known{m.UID, got.Origin, got.ID})
	}
	if id, err := p.readBefore(ctx, m.UID, got.ID, got.Origin); err != nil {
		return err
	} else if id != "" {
		got.ID, got.Records, got.Head = id, nil, nil // the ledger counts it as known
	}
	if got.after != (Action{}) {
		b.todos = append(b.todos, ledger.Todo{UIDValidity: p.claim.Checkpoint.UIDValidity, UID: m.UID, Action: got.after.String()})
	}
	b.made = append(b.made, ledger.Message{
		ReportID:    got.ID,
		UIDValidity: p.claim.Checkpoint.UIDValidity,
		UID:         m.UID,
		Kind:        string(got.Kind),
		At:          got.At,
		Size:        got.Size,
		Head:        got.Head,
		Records:     p.rows(got.Records),
		Origin:      got.Origin,
	})
	return nil
}

// givenUp logs that a message is not asked for again.
func (p *pipeline) givenUp(uid uint32, reason string) {
	p.f.a.Log.Warn("message given up; a record says so, and fblwatch sweep --all asks for it again", "folder", p.f.name, "uid", uid, "err", reason)
}

func (p *pipeline) unfetched(uid uint32, reason string) ledger.Message {
	now, box := time.Now(), p.mailbox(uid, 0)
	r := report.Unfetched(report.Envelope{ProcessedAt: now, Mailbox: &box}, reason)
	return ledger.Message{
		ReportID:    r.ReportID,
		UIDValidity: p.claim.Checkpoint.UIDValidity,
		UID:         uid,
		Kind:        string(report.KindUnparsed),
		At:          now,
		Records:     p.rows([]report.Record{r}),
	}
}

func (p *pipeline) mailbox(uid uint32, size int64) report.Mailbox {
	return report.Mailbox{
		Account: p.claim.Folder.Account, Folder: p.claim.Folder.Name,
		UID: uid, UIDValidity: p.claim.Checkpoint.UIDValidity, Size: max(size, 0),
	}
}

// rows are the records as the ledger takes them.
func (p *pipeline) rows(records []report.Record) []ledger.Record {
	out := make([]ledger.Record, len(records))
	for i := range records {
		p.json = records[i].AppendJSON(p.json[:0])
		out[i] = process.LedgerRecord(&records[i], bytes.Clone(p.json))
		p.f.a.Rules.Brake.Hold(&out[i], &records[i])
	}
	return out
}
