package watch

import (
	"bytes"
	"context"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/sqlite"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// farAway is the round trip to a server on another continent.
const farAway = 80 * time.Millisecond

// sweepInto sweeps INBOX of d through addr into a new ledger, and returns the
// time it took.
func sweepInto(b *testing.B, d *realserver.DovecotServer, addr string, messages int, compress imapclient.Compression) time.Duration {
	l, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "fblwatch.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	a := real(b, d, imapclient.NoTLS, l)
	through(b, a, addr)
	a.IMAP.Compress = compress
	n := 0
	a.Committed = func(c ledger.Committed) { n += len(c.Rows) }
	start := time.Now()
	if err := a.Run(b.Context(), true); err != nil {
		b.Fatal(err)
	}
	took := time.Since(start)
	if n != messages {
		b.Fatalf("%d records, want %d", n, messages)
	}
	return took
}

// againstRaw compares sweeps of many messages into SQLite with a reader that only
// counts the octets of the same messages' FETCH, one for all, over the same link. Both
// have read all of them once before, without the delay: the first reader waits while
// the server makes its index.
func againstRaw(b *testing.B, many int, roundTrip time.Duration, bandwidth int64) {
	const turns = 3
	d := realserver.Dovecot(b)
	d.Deliver("INBOX", samples(0, many, 6100)...)
	raw := func(addr string) time.Duration {
		start := time.Now()
		n, err := imaptest.RawFetch(addr, d.User(), d.Password(), "INBOX", prefixFirst)
		if err != nil || n < int64(many)*6000 {
			b.Fatalf("%d octets, %v", n, err)
		}
		return time.Since(start)
	}
	raw(d.PlainAddr())
	sweepInto(b, d, d.PlainAddr(), many, imapclient.CompressOff)
	addr := d.PlainAddr()
	if roundTrip > 0 {
		addr = imaptest.NewDelayProxy(b, addr, roundTrip, bandwidth).Addr()
	}
	var ours, theirs time.Duration
	for b.Loop() {
		for range turns {
			theirs += raw(addr)
			ours += sweepInto(b, d, addr, many, imapclient.CompressOff)
		}
	}
	read := float64(b.N * turns * many)
	b.ReportMetric(float64(ours)/float64(theirs), "x-raw")
	b.ReportMetric(float64(theirs)/float64(ours), "of-raw-speed")
	b.ReportMetric(read/ours.Seconds(), "messages/s")
	b.ReportMetric(read/theirs.Seconds(), "raw-messages/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkSweep reads 20,000 messages from Dovecot on the loopback.
func BenchmarkSweep(b *testing.B) { againstRaw(b, 20_000, 0, 0) }

// BenchmarkSweepFar reads 10,000 messages from far away: over a link without a limit,
// which the processors may not keep up with, and over one of 25 MB/s.
func BenchmarkSweepFar(b *testing.B) {
	for _, roundTrip := range []time.Duration{20 * time.Millisecond, farAway, 300 * time.Millisecond} {
		b.Run(roundTrip.String()+"-unlimited", func(b *testing.B) { againstRaw(b, 10_000, roundTrip, 0) })
		b.Run(roundTrip.String()+"-25MBs", func(b *testing.B) { againstRaw(b, 10_000, roundTrip, 25_000_000) })
	}
}

// BenchmarkOctets is what is read of reports of 25 KB, all the session's octets
// but TLS counted, as a share of theirs. The text of the reported messages is of
// made-up words, which deflate takes to under a third.
func BenchmarkOctets(b *testing.B) {
	const many, size = 2000, 25 << 10
	d := realserver.Dovecot(b)
	random := rand.New(rand.NewPCG(1, 1))
	words := make([]string, 3000)
	for i := range words {
		for range 3 + random.IntN(8) {
			words[i] += string(rune('a' + random.IntN(26)))
		}
	}
	zipf := rand.NewZipf(random, 1.1, 4, uint64(len(words)-1))
	total := 0
	for n := range many {
		message := sample.Report(n, size)
		text := message[bytes.LastIndex(message, []byte("example.com\r\n"))+len("example.com\r\n") : bytes.LastIndex(message, []byte("\r\n--"))-2]
		for len(text) > 80 {
			line := text[:0]
			for len(line) < 66 {
				line = append(append(line, words[zipf.Uint64()]...), ' ')
			}
			text = text[copy(text[len(line):], "\r\n")+len(line):]
		}
		total += len(message)
		d.Deliver("INBOX", message)
	}
	for name, compress := range map[string]imapclient.Compression{"plain": imapclient.CompressOff, "deflate": imapclient.CompressOn} {
		b.Run(name, func(b *testing.B) {
			p := imaptest.NewDelayProxy(b, d.PlainAddr(), 0, 0)
			for b.Loop() {
				sweepInto(b, d, p.Addr(), many, compress)
			}
			_, down := p.Octets()
			b.ReportMetric(float64(down)/float64(b.N*many), "octets/mail")
			b.ReportMetric(100*float64(down)/float64(b.N*total), "%-of-mail")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// latency is the time from APPEND's return to the record in the ledger, against
// a raw IDLE reader's time to the EXISTS over the same link.
func latency(b *testing.B, roundTrip time.Duration) {
	d := realserver.Dovecot(b)
	addr := d.PlainAddr()
	if roundTrip > 0 {
		addr = imaptest.NewDelayProxy(b, addr, roundTrip, 0).Addr()
	}
	l, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "fblwatch.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	a := real(b, d, imapclient.NoTLS, l)
	through(b, a, addr)
	came := make(chan time.Time, 10)
	a.Committed = func(c ledger.Committed) {
		for range c.Rows {
			came <- time.Now()
		}
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	done := make(chan error)
	go func() { done <- a.Run(ctx, false) }()
	idle, err := imaptest.RawIdle(addr, d.User(), d.Password(), "INBOX")
	if err != nil {
		b.Fatal(err)
	}
	defer idle.Close()
	d.Append("INBOX", messageOf(0, 0))
	<-came
	<-idle.Arrivals
	time.Sleep(time.Second)
	var ours, theirs, late []time.Duration
	for i := 1; b.Loop(); i++ {
		d.Append("INBOX", messageOf(i, 0))
		start := time.Now()
		record, exists := <-came, (<-idle.Arrivals).At
		ours = append(ours, record.Sub(start))
		theirs = append(theirs, exists.Sub(start))
		late = append(late, record.Sub(exists))
		time.Sleep(100*time.Millisecond + 4*roundTrip) // until both idle again
	}
	cancel()
	<-done
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2].Microseconds()) / 1000
	}
	b.ReportMetric(median(late), "ms-behind-raw-median")
	b.ReportMetric(median(theirs), "raw-ms-median")
	b.ReportMetric(median(ours)/median(theirs), "x-raw")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkLatency(b *testing.B) { latency(b, 0) }

func BenchmarkLatencyFar(b *testing.B) { latency(b, farAway) }
