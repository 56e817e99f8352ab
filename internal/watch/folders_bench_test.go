package watch

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// BenchmarkFolders watches two hundred folders of a Dovecot, with three reports in
// each, and tells what that takes and how long it is until a report that comes to
// any of them is a record.
func BenchmarkFolders(b *testing.B) {
	const many = 200
	d := realserver.Dovecot(b)
	for i := range many {
		d.Deliver(fmt.Sprintf("FBL/%03d", i), samples(3*i, 3*i+3, 0)...)
	}
	for _, mode := range []string{"notify", "idle"} {
		b.Run(mode, func(b *testing.B) {
			l := openLedger(b)
			a := real(b, d, imapclient.NoTLS, l)
			a.Folders, a.Watch, a.Poll = []string{"FBL/*"}, mode, 10*time.Second
			var mu sync.Mutex
			open, peak, records := 0, 0, 0
			came := make(chan int, many)
			var dialer net.Dialer
			a.IMAP.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := dialer.DialContext(ctx, network, address)
				mu.Lock()
				defer mu.Unlock()
				open++
				peak = max(peak, open)
				return c, err
			}
			a.Committed = func(done ledger.Committed) {
				mu.Lock()
				defer mu.Unlock()
				records += len(done.Rows)
				came <- records
			}
			before := runtime.NumGoroutine()
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error)
			start := time.Now()
			go func() { done <- a.Run(ctx, false) }()
			wait := func(want int) {
				b.Helper()
				for limit := time.After(time.Minute); ; {
					select {
					case n := <-came:
						if n >= want {
							return
						}
					case <-limit:
						b.Fatalf("%d records, want %d", records, want)
					}
				}
			}
			wait(3 * many)
			first := time.Since(start)
			time.Sleep(time.Second)
			goroutines, resident := runtime.NumGoroutine()-before, residentMemory(b)
			n, start := 3*many, time.Now()
			for i := 0; b.Loop(); i++ {
				d.Append(fmt.Sprintf("FBL/%03d", i*37%many), messageOf(100_000+b.N+i+int(start.UnixNano()%1_000_000)*1000, 0))
				n++
				wait(n)
			}
			b.ReportMetric(float64(time.Since(start).Milliseconds())/float64(b.N), "ms/record")
			b.ReportMetric(first.Seconds(), "s-first-contact")
			b.ReportMetric(float64(peak), "connections")
			b.ReportMetric(float64(goroutines), "goroutines")
			b.ReportMetric(resident, "resident-MB")
			b.ReportMetric(0, "ns/op")
			cancel()
			<-done
		})
	}
}

// residentMemory of this process in MB, where the system tells.
func residentMemory(b *testing.B) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("the system tells no resident memory: ", err)
	}
	for line := range strings.Lines(string(status)) {
		if kb, is := strings.CutPrefix(line, "VmRSS:"); is {
			n, err := strconv.Atoi(strings.Fields(kb)[0])
			if err != nil {
				b.Fatal(err)
			}
			return float64(n) / 1024
		}
	}
	b.Fatal("no VmRSS in /proc/self/status")
	return 0
}
