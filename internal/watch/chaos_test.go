package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/sqlite"
	"github.com/fblwatch/fblwatch/internal/sample"
)

const (
	chaosShort  = 15 * time.Second // in every test run
	chaosLong   = 10 * time.Minute // in make soak
	chaosSettle = 2 * time.Minute  // until everything is in the ledger, once all is well
	chaosHeap   = 8 << 20          // octets by which the heap may grow
)

// TestSoakChaos watches the folders of a Dovecot over connections that fail in
// every way there is, while messages arrive and both ends are restarted; with an odd
// seed the messages are moved once they are read. At the end the ledger holds what
// was delivered, each message once, and nothing is left of the goroutines,
// descriptors and memory.
func TestSoakChaos(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("FBLWATCH_SOAK"), 10, 64)
	length := chaosLong
	if err != nil {
		seed, length = uint64(time.Now().UnixNano()), chaosShort
	}
	t.Logf("seed %d", seed)
	if ln, err := net.Listen("tcp", "127.0.0.1:0"); err == nil { // the runtime's own descriptors
		ln.Close()
	}
	before := spent()
	t.Run("run", func(t *testing.T) { chaos(t, seed, length) })
	var after spending
	for trial := 0; trial < 100; trial++ { // what ends takes its time
		if after = spent(); after.goroutines <= before.goroutines && after.files <= before.files {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("before %v, after %v", before, after)
	if after.goroutines > before.goroutines || after.files > before.files {
		stacks := make([]byte, 1<<20)
		t.Errorf("left over: before %v, after %v\n%s", before, after, stacks[:runtime.Stack(stacks, true)])
	}
}

// spending is what the process uses.
type spending struct {
	goroutines, files int
	heap              uint64 // octets
}

func (s spending) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %d KiB of heap", s.goroutines, s.files, s.heap>>10)
}

func spent() spending {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd") // none where there is no /proc
	return spending{runtime.NumGoroutine(), len(files), m.HeapAlloc}
}

func chaos(t *testing.T, seed uint64, length time.Duration) {
	d := realserver.Dovecot(t)
	proxies := map[imapclient.Security]*imaptest.ChaosProxy{
		imapclient.NoTLS:       imaptest.NewChaosProxy(t, d.PlainAddr(), seed),
		imapclient.ImplicitTLS: imaptest.NewChaosProxy(t, d.TLSAddr(), seed+1),
	}
	proxies[imapclient.STARTTLS] = proxies[imapclient.NoTLS]
	post := &post{d: d, random: rand.New(rand.NewPCG(seed, 0)), sent: make(map[string]int)}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { post.deliver(stop) })
	defer wg.Wait()

	var after After
	if seed%2 == 1 {
		after.Report = Action{"move", "Done"}
	}
	random := rand.New(rand.NewPCG(seed, 1))
	path := filepath.Join(t.TempDir(), "fblwatch.db")
	lives, restarts := 0, 0
	var early spending
	for start := time.Now(); time.Since(start) < length; lives++ {
		security := imapclient.Security(random.IntN(3))
		way := []string{"notify", "idle", "poll"}[random.IntN(3)]
		compress := []imapclient.Compression{imapclient.CompressOn, imapclient.CompressOff}[random.IntN(2)]
		life := time.Second + time.Duration(random.Int64N(int64(min(9*time.Second, length/5))))
		restart := random.IntN(2) == 0
		a := real(t, d, security, nil)
		through(t, a, proxies[security].Addr())
		a.Watch, a.IMAP.Compress, a.After = way, compress, after
		oneLife(t, a, path, func(ledger.Ledger) {
			if restart {
				time.Sleep(life / 2)
				d.Restart()
				restarts++
			}
			time.Sleep(life / 2)
		})
		if early.heap == 0 && time.Since(start) > length/4 {
			early = spent()
		}
	}
	late := spent()
	if late.heap > early.heap+chaosHeap {
		t.Errorf("the heap grew from %d to %d KiB", early.heap>>10, late.heap>>10)
	}
	close(stop)
	wg.Wait()
	t.Logf("%d messages, fblwatch started %d times, Dovecot restarted %d times; the plain connections' fates: %s, of TLS: %s",
		post.n, lives, restarts, proxies[imapclient.NoTLS].Fates(), proxies[imapclient.ImplicitTLS].Fates())

	for _, p := range proxies {
		p.Calm()
	}
	a := real(t, d, imapclient.NoTLS, nil)
	through(t, a, proxies[imapclient.NoTLS].Addr())
	a.After = after
	oneLife(t, a, path, func(l ledger.Ledger) {
		var state []ledger.Claim
		for deadline := time.Now().Add(chaosSettle); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
			var err error
			if state, err = l.Folders(t.Context()); err != nil {
				t.Fatal(err)
			}
			if post.allRead(state) && (!after.any() || post.moved() == post.n) {
				return
			}
		}
		t.Errorf("not everything was read, or moved: %+v of %v, %d in Done", state, post.sent, post.moved())
	})
	post.compare(t, path)
}

// oneLife runs fblwatch on a ledger as long as during takes.
func oneLife(t *testing.T, a *Account, path string, during func(ledger.Ledger)) {
	t.Helper()
	l, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a.Ledger, a.Folders = l, []string{"INBOX", "FBL/%"}
	const wait = 2 * time.Second
	a.IMAP.Timeouts = imapclient.Timeouts{Dial: wait, Greeting: wait, Auth: wait, Select: wait, Command: wait, IdleCont: wait, Done: wait, Write: wait}
	a.Slice, a.Poll = 2*time.Second, time.Second
	a.pause = func(d time.Duration) <-chan time.Time { return time.After(min(d, 200*time.Millisecond)) }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx, false) }()
	during(l)
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Run does not end")
	}
}

// post delivers messages.
type post struct {
	d      *realserver.DovecotServer
	random *rand.Rand
	n      int
	sent   map[string]int // to each folder
}

// deliver delivers in bursts, a few dozen messages a second, until stop.
func (p *post) deliver(stop <-chan struct{}) {
	for {
		folder := "INBOX"
		if i := p.random.IntN(4); p.n == 0 || i > 0 {
			folder = fmt.Sprintf("FBL/%d", i)
		}
		for range 1 + p.random.IntN(8) {
			var message []byte
			switch p.random.IntN(100) {
			case 0:
				message = deepReport(p.n, 300_000)
			case 1, 2, 3, 4, 5:
				message = deepReport(p.n, 20_000+p.random.IntN(60_000))
			default:
				message = sample.Report(p.n, p.random.IntN(30_000))
			}
			p.d.Deliver(folder, message)
			p.n++
			p.sent[folder]++
		}
		select {
		case <-time.After(time.Duration(p.random.Int64N(int64(200 * time.Millisecond)))):
		case <-stop:
			return
		}
	}
}

// allRead tells whether the ledger is as far as the folders are.
func (p *post) allRead(folders []ledger.Claim) bool {
	for _, f := range folders {
		if int(f.Checkpoint.High) != p.sent[f.Folder.Name] || len(f.Checkpoint.Pending) > 0 {
			return false
		}
	}
	return len(folders) == len(p.sent)
}

// moved is how many messages are in Done; -1: there are others left in a folder that
// is watched.
func (p *post) moved() int {
	count := func(folder string) (n int) {
		fmt.Sscanf(p.d.Ask("STATUS " + folder + " (MESSAGES)")[0], "* STATUS "+folder+" (MESSAGES %d)", &n)
		return n
	}
	for folder := range p.sent {
		if count(folder) > 0 {
			return -1
		}
	}
	return count("Done")
}

// compare holds the ledger against what was delivered.
func (p *post) compare(t *testing.T, path string) {
	l, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	times := make([]int, p.n)
	ids := make(map[string]bool)
	for row, err := range l.Records(t.Context(), ledger.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := bytes.Cut(row.JSON, []byte(`"original_rcpt_to":"user`))
		text, _, ok := bytes.Cut(rest, []byte("@"))
		n, err := strconv.Atoi(string(text))
		if !ok || err != nil || n >= p.n {
			t.Errorf("no report of ours: %.500s", row.JSON)
			continue
		}
		times[n]++
		if ids[row.ID] {
			t.Errorf("%s is there twice", row.ID)
		}
		ids[row.ID] = true
	}
	for n, k := range times {
		if k != 1 {
			t.Errorf("message %d is there %d times", n, k)
		}
	}
}
