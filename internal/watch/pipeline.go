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
	headMost      = 256 << 10 // octets of a message that the ledger keeps
)

// pipeline takes a session's messages through three stages: the session fills a
// batch, reader makes records, committer writes. One batch waits between two
// stages. The last stage owns the checkpoint.
type pipeline struct {
	f     *folder
	claim ledger.Claim
	cur   batch
	size  int       // octets of cur's messages
	since time.Time // of cur's first message

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

// batch is one commit in the making.
type batch struct {
	found    []uint32 // UIDs that become pending
	high     uint32   // UID up to which the folder is now known; 0: as before
	rereadTo uint32   // highest UID that may have been read before; 0: as before
	messages []arrived
	lost     []lost   // given up
	died     []uint32 // UIDs that ended the connection, or were refused

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
	p.wg.Go(func() { p.reader(ctx) })
	p.wg.Go(func() { p.committer(ctx) })
	return p
}

// pending is the checkpoint's; after flush only.
func (p *pipeline) pending() []ledger.Pending { return slices.Clone(p.cp.Pending) }

// gaps are the checkpoint's; after flush only.
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
