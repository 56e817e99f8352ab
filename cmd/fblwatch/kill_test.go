package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// TestSoakKills is TestKills with fifty runs.
func TestSoakKills(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("FBLWATCH_SOAK"), 10, 64)
	if err != nil {
		t.Skip("left out: make soak SEED=n kills fifty sweeps")
	}
	kills(t, seed, 50)
}

// TestKills kills sweeps with SIGKILL at moments uniform over a clean run's
// length, runs each to its end, and finds exactly the clean run's records.
func TestKills(t *testing.T) { kills(t, 1, 8) }

func kills(t *testing.T, seed uint64, runs int) {
	d := realserver.Dovecot(t)
	const many = 5000
	var messages [][]byte
	for i := range many {
		messages = append(messages, sample.Report(i, 2500))
	}
	d.Deliver("INBOX", messages...)
	binary := build(t)
	sweep := func(ctx context.Context, db string) error {
		cmd := exec.CommandContext(ctx, binary, "sweep", "--url", "imap://"+d.User()+"@"+d.PlainAddr()+"/INBOX", "--ledger", db)
		cmd.Env = append(os.Environ(), "FBLWATCH_PASSWORD="+d.Password())
		cmd.WaitDelay = time.Second
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err := cmd.Run() // ctx kills it with SIGKILL
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("%v\n%s", err, stderr.String())
		}
		return err
	}
	held := func(db string) []string {
		r, err := backend.OpenReader(t.Context(), db)
		if err != nil {
			return nil // killed before there was one
		}
		defer r.Close()
		var ids []string
		for row, err := range r.Records(t.Context(), ledger.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, row.ID)
		}
		slices.Sort(ids)
		return ids
	}

	warm := filepath.Join(t.TempDir(), "warm.db")
	if err := sweep(t.Context(), warm); err != nil {
		t.Fatal(err)
	}
	clean := filepath.Join(t.TempDir(), "clean.db")
	start := time.Now()
	if err := sweep(t.Context(), clean); err != nil {
		t.Fatal(err)
	}
	length := time.Since(start)
	want := held(clean)
	if len(want) != many || len(slices.Compact(slices.Clone(want))) != many {
		t.Fatalf("a clean run holds %d records, want %d", len(want), many)
	}

	random := rand.New(rand.NewPCG(seed, 0))
	midway := 0
	for run := range runs {
		db := filepath.Join(t.TempDir(), "killed.db")
		at := time.Duration(random.Int64N(int64(length)))
		ctx, cancel := context.WithTimeout(t.Context(), at)
		sweep(ctx, db)
		cancel()
		n := len(held(db))
		if n > 0 && n < many {
			midway++
		}
		if err := sweep(t.Context(), db); err != nil {
			t.Fatalf("run %d, killed after %v with %d records: %v", run, at, n, err)
		}
		if got := held(db); !slices.Equal(got, want) {
			t.Fatalf("run %d, killed after %v with %d records: %d records at the end, want %d", run, at, n, len(got), many)
		}
	}
	t.Logf("seed %d: %d of %d runs were killed when something but not all was committed; a clean run took %v", seed, midway, runs, length)
}

// build makes the program itself: the race detector would make the test's
// another one.
func build(tb testing.TB) string {
	tb.Helper()
	binary := filepath.Join(tb.TempDir(), "fblwatch")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		tb.Fatalf("%v\n%s", err, out)
	}
	return binary
}
