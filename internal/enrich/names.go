package enrich

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// How long an answer is kept: a name, that there is none, and a failure.
	keepName    = time.Hour
	keepNone    = 15 * time.Minute
	keepFailure = time.Minute

	maxAnswers = 4096 // that are kept
)

// names asks the DNS for the names of addresses, and keeps the answers. It asks one
// question at a time about an address. It is for concurrent use.
type names struct {
	resolver Resolver
	timeout  time.Duration // for all lookups of one message

	mu      sync.Mutex
	answers map[netip.Addr]*answer
	breaker breaker
}

// answer is the result of one question. The fields after done are written before done
// is closed, and read after that.
type answer struct {
	done    chan struct{}
	name    string    // empty: no name that leads back to the address
	until   time.Time // when to ask again
	dropped bool      // the caller gave up: the result is unknown
}

func newNames(r Resolver, timeout time.Duration) *names {
	return &names{resolver: r, timeout: timeout, answers: make(map[netip.Addr]*answer)}
}

var errSilent = errors.New("enrich: reverse_dns: the DNS does not answer in time; until it does, records have no reverse_dns")

// state returns errSilent while the DNS does not answer.
func (n *names) state() error {
	if n == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.breaker.open() {
		return errSilent
	}
	return nil
}

// lookup returns the name of ip, or "". It returns when ctx is done, and at the
// deadline.
func (n *names) lookup(ctx context.Context, ip netip.Addr, deadline time.Time) string {
	a, mine := n.question(ip, deadline)
	if a != nil && a.isDone() {
		return a.name
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	for {
		switch {
		case a == nil:
			return ""
		case mine:
			n.ask(ctx, ip, a)
			return a.name
		}
		select {
		case <-a.done:
			if !a.dropped {
				return a.name
			}
		case <-ctx.Done():
			return ""
		}
		a, mine = n.question(ip, deadline)
	}
}

// question returns the answer to the question for ip's name, which may not be done yet.
// mine: the caller must ask. A nil answer: nobody may ask now.
func (n *names) question(ip netip.Addr, deadline time.Time) (a *answer, mine bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if a = n.answers[ip]; a != nil && !a.over(now) {
		return a, false
	}
	if !now.Before(deadline) || !n.breaker.allows(now) {
		return nil, false
	}
	if len(n.answers) >= maxAnswers {
		n.makeRoom(now)
	}
	a = &answer{done: make(chan struct{})}
	n.answers[ip] = a
	return a, true
}

// over reports whether the answer is done and out of date.
func (a *answer) over(now time.Time) bool { return a.isDone() && !now.Before(a.until) }

func (a *answer) isDone() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// makeRoom drops the answers that are out of date. If that leaves more than three
// quarters of maxAnswers, it drops others down to that, so that it is rarely needed.
func (n *names) makeRoom(now time.Time) {
	maps.DeleteFunc(n.answers, func(_ netip.Addr, a *answer) bool { return a.over(now) })
	for ip := range n.answers {
		if len(n.answers) <= maxAnswers*3/4 {
			break
		}
		delete(n.answers, ip)
	}
}

func (n *names) ask(ctx context.Context, ip netip.Addr, a *answer) {
	name, err := n.confirmed(ctx, ip)
	n.mu.Lock()
	defer n.mu.Unlock()
	defer close(a.done)
	now := time.Now()
	a.name = name
	switch {
	case name != "":
		a.until = now.Add(keepName)
	case err == nil:
		a.until = now.Add(keepNone)
	case errors.Is(ctx.Err(), context.Canceled):
		a.dropped = true
		if n.answers[ip] == a {
			delete(n.answers, ip)
		}
	default:
		a.until = now.Add(keepFailure)
	}
	switch {
	case a.dropped:
	case isTimeout(ctx, err):
		n.breaker.timedOut(now)
	default:
		n.breaker.answered()
	}
}

// confirmed finds the name of ip that leads back to ip: the owner of an address can give
// it any name. Of several names it returns the first in alphabetical order, as the DNS
// returns them in any order. With an error it is unknown whether there is a name.
func (n *names) confirmed(ctx context.Context, ip netip.Addr) (name string, err error) {
	found, err := n.resolver.LookupAddr(ctx, ip.String())
	switch {
	case len(found) > 0: // names beside an error are good
	case err == nil, isNotFound(err):
		return "", nil
	default:
		return "", err
	}
	network := "ip6"
	if ip.Is4() {
		network = "ip4"
	}
	err = nil
	for _, name := range candidates(found) {
		addrs, failure := n.resolver.LookupNetIP(ctx, network, name+".")
		if slices.ContainsFunc(addrs, func(a netip.Addr) bool { return a.Unmap() == ip }) {
			return name, nil
		}
		if failure != nil && !isNotFound(failure) {
			err = failure
		}
		if ctx.Err() != nil {
			break
		}
	}
	return "", err
}

func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

func isTimeout(ctx context.Context, err error) bool {
	var dns *net.DNSError
	return err != nil && (ctx.Err() != nil || errors.As(err, &dns) && dns.IsTimeout)
}
