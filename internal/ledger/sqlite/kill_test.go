package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
)

const batchOfVictim = 10

// victim returns the ledger to commit to, in the process that will be killed.
func victim() string { return os.Getenv("FBLWATCH_TEST_VICTIM") }

// commitForever commits batches until it is killed, and prints each.
func commitForever(path string) {
	ctx := context.Background()
	l, err := Open(ctx, path)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	l.(*store).recentMost = 2 * batchOfVictim // so that it is killed in merges, too
	c, err := l.Claim(ctx, ledgertest.Inbox)
	for i := c.Checkpoint.High; err == nil; i++ {
		batch := ledger.Batch{Checkpoint: ledger.Checkpoint{UIDValidity: 1, High: i + 1}}
		for j := range batchOfVictim {
			batch.Messages = append(batch.Messages, ledgertest.Message(fmt.Sprintf("%d-%d", i, j), 1))
		}
		_, err = l.Commit(ctx, c, batch)
		fmt.Println(i + 1)
	}
	fmt.Println(err)
	os.Exit(1)
}

// A writer is killed in its commits, again and again on one ledger: each batch
// is there whole or not at all, what was told as committed is there, and the
// lock is free at once.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	last := 0
	for range 8 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "FBLWATCH_TEST_VICTIM="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
		told := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			n, err := fmt.Sscan(lines.Text(), &told)
			if n != 1 {
				t.Errorf("%s: %v", lines.Text(), err)
			}
			if told == last+3 {
				time.AfterFunc(time.Duration(rand.IntN(20_000))*time.Microsecond, func() { cmd.Process.Kill() })
			}
		}
		cmd.Wait()
		timer.Stop()

		l := openTest(t, path)
		c := ledgertest.Claim(t, l, ledgertest.Inbox)
		rows := ledgertest.Rows(t, l.Records(t.Context(), ledger.Query{}))
		counts, err := l.MessageCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		high := int(c.Checkpoint.High)
		if high < told || told < last+3 || len(rows) != high*batchOfVictim || counts[0].N != int64(len(rows)) {
			t.Errorf("told %d, before %d: checkpoint %d, %d records, counts %v", told, last, high, len(rows), counts)
		}
		for i, r := range rows {
			if want := fmt.Sprintf("%d-%d.1", i/batchOfVictim, i%batchOfVictim); r.ID != want || r.Seq != int64(i+1) {
				t.Fatalf("record %d is %s at seq %d, want %s", i, r.ID, r.Seq, want)
			}
		}
		// Every message is known.
		for i := range high {
			var batch []ledger.Message
			for j := range batchOfVictim {
				batch = append(batch, ledgertest.Message(fmt.Sprintf("%d-%d", i, j), 1))
			}
			done, err := l.Commit(t.Context(), c, ledger.Batch{Messages: batch, Checkpoint: c.Checkpoint})
			if err != nil || done.Duplicates != batchOfVictim {
				t.Fatalf("batch %d again: %+v, %v", i, done, err)
			}
		}
		var ok string
		if err := l.(*store).conn.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&ok); err != nil || ok != "ok" {
			t.Errorf("integrity: %s, %v", ok, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		last = high
	}
}
