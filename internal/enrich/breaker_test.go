package enrich

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// address is one of many.
func address(i int) string { return fmt.Sprintf("2620:4f:8000::1:%x", i) }

// took is how long looking an address up takes.
func took(t *testing.T, e *Enricher, ip string) time.Duration {
	t.Helper()
	start := time.Now()
	if s := sourceOf(t, e, ip); s.ReverseDNS != "" {
		t.Errorf("%s: %+v", ip, s)
	}
	return time.Since(start)
}

// TestBreaker: a DNS that lets questions run into their limit is left alone after
// three, then tried with one question a minute, and used again once it answers.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{
			names: map[string][]string{address(99): {"mail.example.com."}, address(96): {"kept.example.com."}},
			hosts: map[string]string{"mail.example.com.": address(99), "kept.example.com.": address(96)},
		}
		e := z.enricher(t)
		sourceOf(t, e, address(96))
		z.slow, z.reverse = never, 0
		for i := range breakAfter {
			if err := e.Refresh(); err != nil {
				t.Errorf("after %d: %v", i, err)
			}
			if d := took(t, e, address(i)); d != defaultTimeout {
				t.Errorf("question %d took %v", i, d)
			}
		}
		for i := range 1000 {
			if d := took(t, e, address(100+i)); d != 0 {
				t.Fatalf("it waits %v with the breaker open", d)
			}
		}
		if got := sourceOf(t, e, address(96)).ReverseDNS; got != "kept.example.com" {
			t.Errorf("%q of what is known already", got)
		}
		if err := e.Refresh(); !errors.Is(err, errSilent) {
			t.Errorf("Refresh: %v", err)
		}
		for range 3 { // minutes
			time.Sleep(breakFor)
			if d := took(t, e, address(98)); d != defaultTimeout {
				t.Errorf("the one try took %v", d)
			}
			if d := took(t, e, address(97)); d != 0 {
				t.Errorf("the next waits %v", d)
			}
		}
		if z.reverse != breakAfter+3 {
			t.Errorf("%d questions", z.reverse)
		}
		z.slow = 0
		if got := sourceOf(t, e, address(99)).ReverseDNS; got != "" {
			t.Errorf("%q before the minute is over", got)
		}
		time.Sleep(breakFor)
		if got := sourceOf(t, e, address(99)).ReverseDNS; got != "mail.example.com" {
			t.Errorf("%q once it answers", got)
		}
		if err := e.Refresh(); err != nil {
			t.Errorf("Refresh: %v", err)
		}
	})
}

// While the breaker is open one question at a time is let through, however many
// want to ask.
func TestBreakerAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{slow: never}
		e := z.enricher(t)
		ask := func(from int) {
			var all sync.WaitGroup
			for i := range 100 {
				all.Go(func() { sourceOf(t, e, address(from+i)) })
			}
			all.Wait()
		}
		start := time.Now()
		ask(0) // all at once, before any has timed out
		if d := time.Since(start); d != defaultTimeout || z.reverse != 100 {
			t.Errorf("%v, %d questions", d, z.reverse)
		}
		time.Sleep(breakFor)
		z.reverse = 0
		if ask(1000); z.reverse != 1 {
			t.Errorf("%d questions a minute later", z.reverse)
		}
	})
}

// Failures that come at once cost nobody time: they do not open the breaker. Nor
// do a few slow zones among others.
func TestBreakerStaysShut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{err: errServFail}
		e := z.enricher(t)
		for i := range 100 {
			took(t, e, address(i))
		}
		if z.reverse != 100 {
			t.Errorf("%d questions", z.reverse)
		}
		z.reverse = 0
		for i := range 100 {
			z.slow = never
			if i%breakAfter == 0 {
				z.slow = 0
			}
			took(t, e, address(1000+i))
		}
		if z.reverse != 100 {
			t.Errorf("%d questions", z.reverse)
		}
	})
}

// Names that lead to where nobody answers cost as much time as no answer: whoever
// has many addresses could delay every message otherwise.
func TestBreakerOfForwardZones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{slow: never, names: map[string][]string{}}
		for i := range 100 {
			z.names[address(i)] = []string{"a.example.com.", "b.example.com."}
		}
		e, err := New(Config{ReverseDNS: true}, slowForward{z})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for i := range 100 {
			took(t, e, address(i))
		}
		if d := time.Since(start); d != breakAfter*defaultTimeout || z.reverse != breakAfter {
			t.Errorf("%v, %d questions", d, z.reverse)
		}
	})
}

// slowForward is slow only at what names lead to.
type slowForward struct{ *zone }

func (z slowForward) LookupAddr(_ context.Context, addr string) ([]string, error) {
	z.reverse++
	return z.names[addr], nil
}

// TestDeadline: however many addresses a message has, it waits for one time limit;
// what comes after that is no timeout of the DNS.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{slow: defaultTimeout / 4 * 3, err: errServFail}
		e := z.enricher(t)
		var records []report.Record
		for i := range 100 {
			records = append(records, report.Record{SourceIP: address(i)})
		}
		start := time.Now()
		e.Records(t.Context(), records)
		if d := time.Since(start); d != defaultTimeout || z.reverse != 2 || e.dns.breaker.timeouts != 1 {
			t.Errorf("%v, %d questions, %d timeouts", d, z.reverse, e.dns.breaker.timeouts)
		}
	})
}

// TestOneQuestionAtATime: who asks about an address that is being asked about
// waits for that answer.
func TestOneQuestionAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{slow: time.Second / 2, names: map[string][]string{public4: {"mail.example.com."}}, hosts: map[string]string{"mail.example.com.": public4}}
		e := z.enricher(t)
		start := time.Now()
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if got := sourceOf(t, e, public4).ReverseDNS; got != "mail.example.com" {
					t.Errorf("got %q", got)
				}
			})
		}
		all.Wait()
		if d := time.Since(start); d != time.Second || z.reverse != 1 {
			t.Errorf("%v, %d questions", d, z.reverse)
		}
	})
}

// TestGivenUp: who gives up says nothing of the DNS, and who waited for that
// answer asks again.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{slow: time.Second / 2, names: map[string][]string{public4: {"mail.example.com."}}, hosts: map[string]string{"mail.example.com.": public4}}
		e := z.enricher(t)
		ip := netipOf(t, public4)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			if got := e.dns.lookup(ctx, ip, time.Now().Add(defaultTimeout)); got != "" {
				t.Errorf("got %q", got)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if got := sourceOf(t, e, public4).ReverseDNS; got != "mail.example.com" {
				t.Errorf("got %q", got)
			}
		})
		time.Sleep(time.Second / 10)
		cancel()
		all.Wait()
		if z.reverse != 2 || e.dns.breaker.timeouts != 0 {
			t.Errorf("%d questions, %d timeouts", z.reverse, e.dns.breaker.timeouts)
		}
	})
}

// A *net.Resolver whose own limit is shorter than ours times out too.
func TestResolverTimeout(t *testing.T) {
	z := &zone{err: &net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true}}
	e := z.enricher(t)
	for i := range 10 {
		sourceOf(t, e, address(i))
	}
	if z.reverse != breakAfter {
		t.Errorf("%d questions", z.reverse)
	}
}
