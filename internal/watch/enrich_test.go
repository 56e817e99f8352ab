package watch

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/enrich"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// answers is a DNS in which every address has a name, or that never answers.
type answers struct {
	silent bool
	asked  atomic.Int64
}

func (a *answers) wait(ctx context.Context) error {
	if a.silent {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (a *answers) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	a.asked.Add(1)
	if err := a.wait(ctx); err != nil {
		return nil, err
	}
	return []string{hostName(addr) + "."}, nil
}

func (a *answers) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	addr, err := netip.ParseAddr(strings.ReplaceAll(strings.TrimSuffix(host, ".example.com."), "-", ":"))
	return []netip.Addr{addr}, err
}

func hostName(addr string) string { return strings.ReplaceAll(addr, ":", "-") + ".example.com" }

// sourceAddress is public, but nobody's: AS112's (RFC 7535).
func sourceAddress(i int) netip.Addr {
	return netip.MustParseAddr(fmt.Sprintf("2620:4f:8000::1:%x", i))
}

// sentFrom is a report on a message from an address of its own.
func sentFrom(i int) []byte {
	at := fmt.Appendf(nil, "Source-IP: %s\r\n", sourceAddress(i))
	message := bytes.Replace(sample.Report(i, 0), fmt.Appendf(nil, "Source-IP: 192.0.2.%d\r\n", 1+i%254), at, 1)
	if !bytes.Contains(message, at) {
		panic("the sample has no Source-IP")
	}
	return message
}

const limit = 2 * time.Second

// TestSilentDNS: a DNS that never answers delays a mailbox by one time limit,
// not by one a message, and loses no record.
func TestSilentDNS(t *testing.T) {
	const messages = 1000
	sweep := func(t *testing.T, dns *answers) (took time.Duration, named int) {
		s := imaptest.New()
		defer s.Close()
		for i := range messages {
			s.Append("INBOX", sentFrom(i))
		}
		l := memory.New()
		a := account(s, l)
		if dns != nil {
			var err error
			if a.Rules.Enrich, err = enrich.New(enrich.Config{ReverseDNS: true, Timeout: limit}, dns); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		runOnce(t, a)
		took = time.Since(start)
		same(t, records(t, l), expected(messages))
		for _, rec := range decoded(t, l) {
			if rec.Source != nil && rec.Source.ReverseDNS == hostName(rec.SourceIP) {
				named++
			}
		}
		return took, named
	}
	synctest.Test(t, func(t *testing.T) {
		off, _ := sweep(t, nil)
		good := &answers{}
		if took, named := sweep(t, good); took != off || named != messages || good.asked.Load() != messages {
			t.Errorf("a quick DNS: %v, without %v; %d named after %d questions", took, off, named, good.asked.Load())
		}
		silent := &answers{silent: true}
		took, named := sweep(t, silent)
		if took < limit || took > off+2*limit || named != 0 {
			t.Errorf("a silent DNS: %v for %d messages, without it %v; %d named", took, messages, off, named)
		}
		n := silent.asked.Load()
		if n > 2*askers {
			t.Errorf("%d questions", n)
		}
		t.Logf("%d messages: %v without, %v with a silent DNS, %d questions", messages, off, took, n)
	})
}

// TestSilentDNSWatch: new message waits for a silent DNS now and again, for its time
// limit at most.
func TestSilentDNSWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		defer s.Close()
		l := memory.New()
		committed := make(chan time.Time, 1)
		a := account(s, l)
		a.Committed = func(done ledger.Committed) {
			if len(done.Rows) > 0 {
				committed <- time.Now()
			}
		}
		var err error
		if a.Rules.Enrich, err = enrich.New(enrich.Config{ReverseDNS: true, Timeout: limit}, &answers{silent: true}); err != nil {
			t.Fatal(err)
		}
		stop := whileWatching(t, a)
		synctest.Wait()
		late := 0
		start := time.Now()
		const messages = 300
		for i := range messages {
			s.Append("INBOX", sentFrom(i))
			arrived := time.Now()
			switch delay := (<-committed).Sub(arrived); {
			case delay > limit+batchTime:
				t.Fatalf("message %d was committed after %v", i, delay)
			case delay > batchTime:
				late++
			}
			time.Sleep(time.Second)
		}
		if most := 3 + int(time.Since(start)/time.Minute) + 1; late == 0 || late > most {
			t.Errorf("%d of %d messages were late, want %d at most", late, messages, most)
		}
		t.Logf("%d of %d messages in %v were late", late, messages, time.Since(start))
		same(t, records(t, l), expected(messages))
		stop()
	})
}
