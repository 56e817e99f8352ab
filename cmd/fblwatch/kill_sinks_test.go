package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// TestSoakKilledSinks is TestKilledSinks with 200 kills.
func TestSoakKilledSinks(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("FBLWATCH_SOAK"), 10, 64)
	if err != nil {
		t.Skip("left out: make soak SEED=n kills watch 200 times")
	}
	killedSinks(t, seed, 200)
}

// TestKilledSinks kills watch with SIGKILL, each time with new messages, at moments
// uniform over what they take. In the end the ledger has each record once, and the sinks
// each at least once, by equal ids and keys.
func TestKilledSinks(t *testing.T) { killedSinks(t, 1, 10) }

// webhook is a receiver over HTTP.
type webhook struct {
	mu     sync.Mutex
	ids    map[string]int    // how often each came
	bodies map[string]string // by Idempotency-Key
	wrong  []string
}

func (w *webhook) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // killed in the middle of it
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var records []struct{ ID string }
	key := r.Header.Get("Idempotency-Key")
	if err := json.Unmarshal(body, &records); err != nil || key == "" {
		w.wrong = append(w.wrong, fmt.Sprintf("key %q, body %.200q: %v", key, body, err))
	}
	if before, known := w.bodies[key]; known && before != string(body) {
		w.wrong = append(w.wrong, "another body under the key "+key)
	}
	w.bodies[key] = string(body)
	for _, record := range records {
		w.ids[record.ID]++
	}
}

// answering is the program of the sink exec: it keeps each id, and answers it.
func answering() {
	f, err := os.OpenFile(os.Args[1], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		os.Exit(1)
	}
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		var record struct{ ID string }
		if err != nil || json.Unmarshal(line, &record) != nil {
			return
		}
		if _, err := f.WriteString(record.ID + "\n"); err != nil {
			os.Exit(1)
		}
		fmt.Println(record.ID)
	}
}

func killedSinks(t *testing.T, seed uint64, kills int) {
	d := realserver.Dovecot(t)
	binary, dir := build(t), t.TempDir()
	hook := &webhook{ids: map[string]int{}, bodies: map[string]string{}}
	server := httptest.NewServer(hook)
	defer server.Close()
	answers, err := exec.LookPath("answering") // see TestMain
	if err != nil {
		t.Fatal(err)
	}
	file, handled, db := filepath.Join(dir, "records.ndjson"), filepath.Join(dir, "handled"), filepath.Join(dir, "fblwatch.db")
	config := fixture.File(t, filepath.Join(dir, "config.yaml"), fmt.Sprintf(`
ledger: %s
accounts:
  - {name: a, url: imap://%s@%s, password: "${FBLWATCH_PASSWORD}", folders: [INBOX]}
sinks:
  - {name: file, type: file, from: start, path: %s}
  - {name: own, type: exec, from: start, command: [%s, %s]}
  - {name: hook, type: http, from: start, url: %s, profile: native}
`, db, d.User(), d.PlainAddr(), file, answers, handled, server.URL))

	const each = 100
	delivered := 0
	deliver := func() {
		var messages [][]byte
		for range each {
			messages = append(messages, sample.Report(delivered, 2500))
			delivered++
		}
		d.Deliver("INBOX", messages...)
	}
	var said bytes.Buffer
	// start runs watch until its context ends: then it gets signal.
	start := func(ctx context.Context, signal syscall.Signal) *exec.Cmd {
		cmd := exec.CommandContext(ctx, binary, "watch", "-c", config)
		cmd.Env = append(os.Environ(), "FBLWATCH_PASSWORD="+d.Password())
		cmd.Cancel = func() error { return cmd.Process.Signal(signal) }
		cmd.WaitDelay = 20 * time.Second
		said.Reset()
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	// has counts the different records of each sink.
	has := func() (file1, exec1, http1 int) {
		hook.mu.Lock()
		http1 = len(hook.ids)
		hook.mu.Unlock()
		return len(count(idsIn(t, file))), len(count(linesOf(handled))), http1
	}
	// all runs watch until every sink has everything, and returns how long that took.
	all := func() (took time.Duration) {
		t.Helper()
		begun := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		cmd := start(ctx, syscall.SIGTERM)
		for until := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
			if a, b, c := has(); a == delivered && b == delivered && c == delivered {
				took = time.Since(begun)
				break
			} else if time.Now().After(until) {
				t.Errorf("of %d records the file has %d, the command %d, the webhook %d", delivered, a, b, c)
				break
			}
		}
		cancel()
		if err := cmd.Wait(); err != nil && ctx.Err() == nil || t.Failed() {
			t.Fatalf("%v\n%s", err, said.String())
		}
		return took
	}

	deliver()
	all() // the first run makes the ledger
	deliver()
	length := all()

	random := rand.New(rand.NewPCG(seed, 1))
	midway := 0
	for range kills {
		deliver()
		ctx, cancel := context.WithCancel(t.Context())
		cmd := start(ctx, syscall.SIGKILL)
		time.Sleep(time.Duration(random.Int64N(int64(length))))
		cancel()
		_ = cmd.Wait()
		if a, b, c := has(); a+b+c > 0 && (a < delivered || b < delivered || c < delivered) {
			midway++
		}
	}
	all()

	var want []string
	r, err := backend.OpenReader(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for row, err := range r.Records(t.Context(), ledger.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, row.ID)
	}
	for dead, err := range r.DeadLetters(t.Context(), "") {
		t.Errorf("dead: %s %s, %v", dead.ID, dead.Reason, err)
	}
	slices.Sort(want)
	if len(want) != delivered || len(slices.Compact(slices.Clone(want))) != delivered {
		t.Errorf("the ledger has %d records, want %d", len(want), delivered)
	}
	doubles := map[string]int{}
	hook.mu.Lock()
	defer hook.mu.Unlock()
	for name, ids := range map[string]map[string]int{"file": count(idsIn(t, file)), "exec": count(linesOf(handled)), "http": hook.ids} {
		got := make([]string, 0, len(ids))
		for id, n := range ids {
			got = append(got, id)
			doubles[name] += n - 1
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d records, other ids than the ledger's %d", name, len(got), len(want))
		}
	}
	if len(hook.wrong) > 0 {
		t.Errorf("%d wrong requests: %s", len(hook.wrong), hook.wrong[0])
	}
	if text := fixture.Read(t, file); !strings.HasSuffix(text, "\n") {
		t.Error("the file ends in half a line")
	}
	t.Logf("seed %d: %d kills within %v each, %d of them before all was delivered; %d records; came again: %v", seed, kills, length, midway, delivered, doubles)
}

func count(ids []string) map[string]int {
	n := make(map[string]int)
	for _, id := range ids {
		n[id]++
	}
	return n
}

// linesOf are the whole lines of a file.
func linesOf(path string) []string {
	text, _ := os.ReadFile(path)
	lines := strings.Split(string(text), "\n")
	return lines[:len(lines)-1]
}

// idsIn are the ids of a file of records. Only behind its last line there may be half a
// record.
func idsIn(t *testing.T, path string) (ids []string) {
	t.Helper()
	for i, line := range linesOf(path) {
		var record struct{ ID string }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("line %d is torn: %.100q", i, line)
		}
		ids = append(ids, record.ID)
	}
	return ids
}
