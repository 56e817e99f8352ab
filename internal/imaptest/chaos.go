package imaptest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// ChaosProxy is a bad connection to a server. It delays, splits and throttles the
// octets, and each connection ends badly: cut, reset, half closed, or silent for
// ever. It never changes, omits or reorders octets. What happens to a connection
// depends on the seed and the connection's number only; the time also depends on
// the machine.
type ChaosProxy struct {
	proxy
	seed uint64
	calm atomic.Bool
	stop chan struct{}

	mu    sync.Mutex
	fates map[string]int
}

// NewChaosProxy starts a proxy to addr that ends with the test.
func NewChaosProxy(tb testing.TB, addr string, seed uint64) *ChaosProxy {
	tb.Helper()
	p := &ChaosProxy{seed: seed, stop: make(chan struct{}), fates: make(map[string]int)}
	p.carry = p.carryBadly
	startProxy(tb, addr, &p.proxy)
	tb.Cleanup(func() { close(p.stop) }) // before the proxy waits for its connections
	return p
}

// Calm cuts all connections. Later connections are good.
func (p *ChaosProxy) Calm() {
	p.calm.Store(true)
	p.cut()
}

// Fates counts the ends of the connections so far, by kind.
func (p *ChaosProxy) Fates() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprint(p.fates)
}

const (
	chaosLife     = 3 * time.Second // of a connection at most
	chaosStall    = 3 * time.Second // of one stall at most
	chaosDelay    = 60 * time.Millisecond
	chaosSlowest  = 20 << 10 // octets a second
	chaosFastest  = 2 << 20
	chaosSplit    = 40 // octets of a small piece at most
	chaosPiece    = 16 << 10
	chaosStallOne = 200 // one of so many pieces stalls
	chaosDelayOne = 10  // one of so many is delayed
)

// The fates of a connection.
const (
	fateCut = iota
	fateReset
	fateDownClosed // the client reads an end, and may still write
	fateUpClosed   // the server reads an end
	fateSilent     // no more octets pass
	fateRefused    // cut before the first octet
	fateOwn        // none: client or server ended it
	fates
)

var fateNames = [fates]string{"cut", "reset", "down closed", "up closed", "silent", "refused", "own end"}

func (p *ChaosProxy) carryBadly(n int, client, server *net.TCPConn) {
	random := rand.New(rand.NewPCG(p.seed, uint64(n)))
	up := &badLane{p: p, to: server, from: client, count: &p.up}
	down := &badLane{p: p, to: client, from: server, count: &p.down}
	fate, life := fateOwn, time.Duration(1<<62)
	if !p.calm.Load() {
		fate = random.IntN(fateOwn)
		life = time.Duration(random.Int64N(int64(chaosLife)))
		for i, lane := range []*badLane{up, down} {
			lane.random = rand.New(rand.NewPCG(p.seed, uint64(n)<<2|uint64(i)|2))
			if random.IntN(3) == 0 {
				lane.small = true
			}
			if random.IntN(3) == 0 {
				lane.rate = chaosSlowest + random.Int64N(chaosFastest-chaosSlowest)
			}
		}
	}
	if fate == fateRefused {
		p.note(fate)
		return
	}
	var wg sync.WaitGroup
	clientGone, serverGone := make(chan struct{}), make(chan struct{})
	wg.Go(func() { up.carry(); close(clientGone) })
	wg.Go(func() { down.carry(); close(serverGone) })
	timer := time.NewTimer(life)
	defer timer.Stop()
	select {
	case <-timer.C:
		p.note(fate)
		switch fate {
		case fateReset:
			client.SetLinger(0)
			server.SetLinger(0)
		case fateDownClosed:
			down.silent.Store(true)
			client.CloseWrite()
		case fateUpClosed:
			up.silent.Store(true)
			server.CloseWrite()
		case fateSilent:
			up.silent.Store(true)
			down.silent.Store(true)
		}
		if fate == fateDownClosed || fate == fateUpClosed || fate == fateSilent {
			<-clientGone // the client must find out by itself
		}
	case <-clientGone: // or the client has sent everything
		p.note(fateOwn)
		<-serverGone
	case <-serverGone:
		p.note(fateOwn)
		<-clientGone
	case <-p.stop:
		p.note(fateOwn)
	}
	client.Close()
	server.Close()
	wg.Wait()
}

func (p *ChaosProxy) note(fate int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fates[fateNames[fate]]++
}

// badLane carries one direction.
type badLane struct {
	p        *ChaosProxy
	to, from *net.TCPConn
	count    *atomic.Int64
	random   *rand.Rand // nil: carry well
	small    bool
	rate     int64
	silent   atomic.Bool // reads on, and drops it
}

// carry copies until its source is closed.
func (l *badLane) carry() {
	buf := make([]byte, chaosPiece)
	for {
		n, err := l.from.Read(buf)
		for rest := buf[:n]; len(rest) > 0 && !l.silent.Load(); {
			piece := l.piece(len(rest))
			if _, err := l.to.Write(rest[:piece]); err != nil {
				l.from.Close()
				break
			}
			l.count.Add(int64(piece))
			rest = rest[piece:]
		}
		if err != nil {
			if !l.silent.Load() {
				l.to.CloseWrite()
			}
			return
		}
	}
}

// piece returns how many of n octets go next, after their pause.
func (l *badLane) piece(n int) int {
	if l.random == nil {
		return n
	}
	n = min(n, 1+l.random.IntN(chaosPiece))
	if l.small && l.random.IntN(2) == 0 {
		n = min(n, 1+l.random.IntN(chaosSplit))
	}
	var pause time.Duration
	switch {
	case l.random.IntN(chaosStallOne) == 0:
		pause = time.Duration(l.random.Int64N(int64(chaosStall)))
	case l.random.IntN(chaosDelayOne) == 0:
		pause = time.Duration(l.random.Int64N(int64(chaosDelay)))
	}
	if l.rate > 0 {
		pause += time.Duration(int64(n) * int64(time.Second) / l.rate)
	}
	if pause > 0 {
		select {
		case <-time.After(pause):
		case <-l.p.stop:
		}
	}
	return n
}
