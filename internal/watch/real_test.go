package watch

import (
	"context"
	"crypto/tls"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// real is an account on a real Dovecot.
func real(t testing.TB, d *imaptest.DovecotServer, security imapclient.Security, l ledger.Ledger) *Account {
	t.Helper()
	return accountOn(t, d.RealServer, security, l)
}

// accountOn reads INBOX of a real server into l.
func accountOn(t testing.TB, d *imaptest.RealServer, security imapclient.Security, l ledger.Ledger) *Account {
	t.Helper()
	addr := d.PlainAddr()
	if security == imapclient.ImplicitTLS {
		addr = d.TLSAddr()
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return &Account{
		Name: "real",
		IMAP: imapclient.Options{
			Host: host, Port: n, Security: security, TLS: &tls.Config{RootCAs: d.CA()},
			Login: func(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
				return imapclient.Credentials{Username: d.User(), Password: imapclient.Secret(d.Password())}, ch.Last
			},
		},
		Folders: []string{"INBOX"},
		Ledger:  l,
	}
}

func openLedger(t testing.TB) ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "fblwatch.db"), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func samples(from, to, size int) [][]byte {
	var mails [][]byte
	for i := from; i < to; i++ {
		mails = append(mails, mailOf(i, size))
	}
	return mails
}

// BenchmarkSweep reads 20,000 mails from Dovecot into SQLite, against a reader
// that only counts the octets of the same FETCH.
func BenchmarkSweep(b *testing.B) {
	const many = 20_000
	d := imaptest.Dovecot(b)
	d.Deliver("INBOX", samples(0, many, 6100)...)
	raw := func() time.Duration {
		start := time.Now()
		n, err := imaptest.RawFetch(d.PlainAddr(), d.User(), d.Password(), "INBOX", prefixFirst)
		if err != nil || n < many*6000 {
			b.Fatalf("%d octets, %v", n, err)
		}
		return time.Since(start)
	}
	raw() // warms Dovecot's caches
	var ours, theirs time.Duration
	for b.Loop() {
		theirs += raw()
		l, err := ledger.Open(b.Context(), filepath.Join(b.TempDir(), "fblwatch.db"), ledger.Options{})
		if err != nil {
			b.Fatal(err)
		}
		a := real(b, d, imapclient.Plain, l)
		n := 0
		a.Committed = func(c ledger.Committed) { n += len(c.Rows) }
		start := time.Now()
		if err := a.Run(b.Context(), true); err != nil {
			b.Fatal(err)
		}
		ours += time.Since(start)
		if n != many {
			b.Fatalf("%d records, want %d", n, many)
		}
		l.Close()
	}
	b.ReportMetric(float64(ours)/float64(theirs), "x-raw")
	b.ReportMetric(float64(b.N*many)/ours.Seconds(), "mails/s")
	b.ReportMetric(float64(theirs.Microseconds())/float64(b.N*many), "raw-us/mail")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkLatency is the time from APPEND's return to the record in the
// ledger, against a raw IDLE reader's time to the EXISTS on the same server.
func BenchmarkLatency(b *testing.B) {
	d := imaptest.Dovecot(b)
	l, err := ledger.Open(b.Context(), filepath.Join(b.TempDir(), "fblwatch.db"), ledger.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	a := real(b, d, imapclient.Plain, l)
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
	idle, err := imaptest.RawIdle(d.PlainAddr(), d.User(), d.Password(), "INBOX")
	if err != nil {
		b.Fatal(err)
	}
	defer idle.Close()
	d.Append("INBOX", mailOf(0, 0))
	<-came
	<-idle.Arrivals
	time.Sleep(time.Second)
	var late []time.Duration
	for i := 1; b.Loop(); i++ {
		d.Append("INBOX", mailOf(i, 0))
		late = append(late, (<-came).Sub((<-idle.Arrivals).At))
		time.Sleep(100 * time.Millisecond)
	}
	cancel()
	<-done
	slices.Sort(late)
	b.ReportMetric(float64(late[len(late)/2].Microseconds())/1000, "ms-behind-raw-median")
	b.ReportMetric(0, "ns/op")
}
