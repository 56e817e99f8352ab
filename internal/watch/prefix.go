package watch

import (
	"slices"
	"sync"
)

// prefix is how many octets of a message to ask for at first. If more than one in
// twenty of the folder's last two hundred messages needed more, it grows to what was
// enough for the others.
type prefix struct {
	mu       sync.Mutex // read by the session, written by its second stage
	size     int64      // 0: not known yet
	messages int        // read
	needs    []int64    // octets that those need for which it was not enough
}

const (
	prefixFirst = 8 << 10
	prefixStep  = 4 << 10
	prefixMost  = 64 << 10
	prefixSpan  = 200
)

func (p *prefix) octets() int64 { return p.next(false) }

// next is octets; early, 0 while nothing is known of the folder's messages.
func (p *prefix) next(early bool) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if early {
		return p.size
	}
	return max(p.size, prefixFirst)
}

// read notes for how many messages the prefix was enough, and the needs of the others.
func (p *prefix) read(enough int, needs []need) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size = max(p.size, prefixFirst)
	p.messages += enough + len(needs)
	for _, n := range needs {
		p.needs = append(p.needs, n.octets)
	}
	if over := len(p.needs) - prefixSpan/20; over > 0 {
		slices.Sort(p.needs)
		p.size = max(p.size, min(p.needs[over-1], prefixMost))
	} else if p.messages < prefixSpan {
		return
	}
	p.messages, p.needs = 0, p.needs[:0]
}
