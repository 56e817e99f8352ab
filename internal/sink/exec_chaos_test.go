package sink

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// A command that goes wrong at random, again and again, sees each record at
// least once, the same each time, and each folder's in order: it never gets one
// while the one before has not been handled.
func TestExecChaos(t *testing.T) {
	t.Parallel()
	const seed, folders, many = 1, 2, 300
	path := filepath.Join(t.TempDir(), "out")
	s, _ := startExec(t, "chaos", path, fmt.Sprint(seed))
	s.answer, s.grace = 500*time.Millisecond, 200*time.Millisecond
	out := newOutbox()
	pump := NewPump(Config{Name: "own"}, out, s, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- pump.Run(ctx) }()
	failures := 0
	for seq := int64(1); seq <= many; seq += 50 {
		for folder := range int64(folders) {
			pump.Offer(out.commit(rows(folder+1, seq, 50)...))
		}
		// A Flush tries at once, however long the pump would wait.
		for pump.Flush(t.Context()) != nil {
			failures++
		}
	}
	cancel()
	if err := errors.Join(<-result, s.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen, again := map[string]int{}, 0
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			break
		}
		var r struct{ ID string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		folder, number, _ := strings.Cut(r.ID, "-")
		seq, _ := strconv.Atoi(number)
		if want := text(ledger.Row{Record: ledger.Record{ID: r.ID}}); line != want {
			t.Fatalf("it got %q, want %q", line, want)
		}
		switch {
		case seq > seen[folder]+1:
			t.Fatalf("folder %s: %d came after %d", folder, seq, seen[folder])
		case seq <= seen[folder]:
			again++
		}
		seen[folder] = max(seen[folder], seq)
	}
	for folder := range int64(folders) {
		if got := seen[fmt.Sprint(folder+1)]; got != many || out.acked(folder+1) != many {
			t.Errorf("folder %d: %d of %d seen, %d acknowledged", folder+1, got, many, out.acked(folder+1))
		}
	}
	if failures < 20 {
		t.Errorf("only %d failures: the command did too well", failures)
	}
	t.Logf("%d records, %d failed writes, %d records handled again", folders*many, failures, again)
}
