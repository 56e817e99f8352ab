package watch

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
)

const (
	batchMessages = 250
	batchOctets   = 4 << 20
	batchTime     = 250 * time.Millisecond
	partMessages  = 50 // of a batch, handed to the second stage at once
	partOctets    = 512 << 10
	headMost      = 256 << 10 // octets of a message that the ledger keeps
)

// pipeline takes a session's messages through three stages: the session collects them,
// reader makes records and fills a batch, committer writes. The session hands over parts
// of a batch, since what it has waits in memory; the last stage gets whole batches,
// since each is a transaction. The last stage owns the checkpoint.
type pipeline struct {
	f     *folder
	claim ledger.Claim
	cur   batch
	part  int // messages of a part

	read   chan *batch
	commit chan *batch
	wg     sync.WaitGroup
	json   []byte         // of the second stage: the record being written
	memory process.Memory // of the second stage

	// Of the second stage: the highest UID that may have been read before, and what
	// the ledger has of those messages.
	rereadTo uint32
	recorded recorded

	mu       sync.Mutex
	err      error
	progress Progress

	// Of the last stage. Others may read it before the first batch and after a flush
	// without an error.
	cp   ledger.Checkpoint
	more map[uint32]int64 // messages of which more octets are needed
	kept bool             // the ledger has a checkpoint of this session
}

// batch is one commit in the making, or a part of one.
type batch struct {
	found    []uint32 // UIDs that become pending
	high     uint32   // UID up to which the folder is now known; 0: as before
	rereadTo uint32   // highest UID that may have been read before; 0: as before
	messages []arrived
	octets   int       // of messages
	since    time.Time // when the first of messages came
	lost     []lost    // given up
	died     []uint32  // UIDs that ended the connection, or were refused

	withheld []uint32     // UIDs that the server lists and gives nothing for
	gaps     []ledger.Gap // below high

	reply chan error

	made  []ledger.Message
	todos []ledger.Todo
	needs []need
	done  []uint32
	known []known
}

func (b *batch) empty() bool {
	return len(b.found) == 0 && b.high == 0 && len(b.messages) == 0 && len(b.lost) == 0 && len(b.died) == 0 && len(b.withheld) == 0
}

// full reports whether the messages are enough for the next stage.
func (b *batch) full(messages, octets int) bool {
	return len(b.messages) >= messages || b.octets >= octets || len(b.messages) > 0 && time.Since(b.since) >= batchTime
}

// join adds what the session put into other, which came later.
func (b *batch) join(other *batch) {
	if len(b.messages) == 0 {
		b.since = other.since
	}
	b.found = append(b.found, other.found...)
	b.high = max(b.high, other.high)
	b.rereadTo = max(b.rereadTo, other.rereadTo)
	b.messages = append(b.messages, other.messages...)
	b.octets += other.octets
	b.lost = append(b.lost, other.lost...)
	b.died = append(b.died, other.died...)
	b.withheld = append(b.withheld, other.withheld...)
	b.gaps = append(b.gaps, other.gaps...)
	b.reply = other.reply
}

// lost is a message that is given up, with the reason.
type lost struct {
	uid    uint32
	reason string
}

// arrived is a message with the size that its octets are a part of.
type arrived struct {
	*imapclient.Message
	size  int64
	short string // why the server gives no more of it although it has more; empty: it does
}

// need is a message that is to be read again up to octets.
type need struct {
	uid    uint32
	octets int64
}

func newPipeline(ctx context.Context, f *folder, claim ledger.Claim) *pipeline {
	p := &pipeline{
		f: f, claim: claim, cp: claim.Checkpoint, // the pipeline owns its slices now
		read: make(chan *batch), commit: make(chan *batch),
		more: make(map[uint32]int64), rereadTo: claim.Checkpoint.Again,
	}
	if p.part = partMessages; f.a.Rules.Asks() {
		p.part = batchMessages // one that waits holds the others of its part up
	}
	p.wg.Go(func() { p.reader(ctx) })
	p.wg.Go(func() { p.committer(ctx) })
	return p
}

// pending is the checkpoint's; after flush only.
func (p *pipeline) pending() []ledger.Pending { return slices.Clone(p.cp.Pending) }

// gaps are the checkpoint's; after flush only.
func (p *pipeline) gaps() []ledger.Gap { return slices.Clone(p.cp.Gaps) }

// add puts news other than messages into the next commit.
func (p *pipeline) add(b batch) { p.cur.join(&b) }

// message puts a message into the next commit. asked is how many octets of it were
// requested. The error is that of an earlier commit.
func (p *pipeline) message(m *imapclient.Message, asked int64) error {
	size := m.Size
	if got := int64(len(m.Body)); got < asked { // the whole message, whatever RFC822.SIZE is
		size = got
	} else if size <= got { // RFC822.SIZE is too small: there may be more
		size = p.f.a.MaxMessage
	}
	return p.append(arrived{Message: m, size: size})
}

func (p *pipeline) append(m arrived) error {
	if len(p.cur.messages) == 0 {
		p.cur.since = time.Now()
	}
	p.cur.messages = append(p.cur.messages, m)
	p.cur.octets += len(m.Body)
	if p.cur.full(p.part, partOctets) {
		p.send(nil)
	}
	return p.failed()
}

func (p *pipeline) send(reply chan error) {
	b := p.cur
	p.cur = batch{}
	b.reply = reply
	p.read <- &b
}

// flush waits until everything so far is committed, and returns the messages that
// need more octets.
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

// close commits what is left and ends the stages.
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

// fail stops all further commits.
func (p *pipeline) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

// begin starts the report of progress, caughtUp ends it.
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
