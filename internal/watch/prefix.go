package watch

import "sync"

// prefix is how many octets of a message to ask for at first. If more than one in
// twenty of the folder's last two hundred messages needed more, it grows by a step.
type prefix struct {
	mu            sync.Mutex // read by the session, written by its last stage
	size          int64
	messages, not int // read, and not read to what they need
}

const (
	prefixFirst = 8 << 10
	prefixStep  = 4 << 10
	prefixMost  = 64 << 10
	prefixSpan  = 200
)

func (p *prefix) octets() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.size, prefixFirst)
}

// read notes for how many messages the prefix was enough, and for how many it was not.
func (p *prefix) read(enough, not int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size = max(p.size, prefixFirst)
	p.messages += enough + not
	p.not += not
	if p.not > prefixSpan/20 && p.size < prefixMost {
		p.size += prefixStep
		p.messages, p.not = 0, 0
	}
	if p.messages >= prefixSpan {
		p.messages, p.not = 0, 0
	}
}
