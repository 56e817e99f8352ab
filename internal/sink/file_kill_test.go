package sink

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

const (
	killedBatch = 7     // records of one Write
	killedSize  = 2_000 // octets of a file
)

// writeFor writes batches to a file sink from the record args[0] on, and after each
// prints the last record's number. The other arguments are its config.
func writeFor(args []string) {
	seq, err := strconv.ParseInt(args[0], 10, 64)
	c := FileConfig{Path: args[1], Rotate: Rotate{Size: killedSize}, Format: args[2], Compress: args[3], Fsync: args[4]}
	var s Sink
	if err == nil {
		s, err = openFile(c, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
	for ; err == nil; seq += killedBatch {
		if _, err = s.Write(context.Background(), delivery.Items(rows(1, seq, killedBatch))); err == nil {
			fmt.Println(seq + killedBatch - 1)
		}
	}
	fmt.Fprintln(os.Stderr, err)
	exit(9)
}

// killed runs writeFor, kills it after a while, and returns the last record that it had
// acknowledged.
func killed(t *testing.T, c FileConfig, after int64, life time.Duration) int64 {
	t.Helper()
	cmd := osexec.Command(os.Args[0], "command", "writes", fmt.Sprint(after+1), c.Path, c.Format, c.Compress, c.Fsync)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	last := after
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if last, err = strconv.ParseInt(lines.Text(), 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("it was not killed: %v", err)
	}
	return last
}

// A sink that is killed at any moment, also while it renames or compresses, has each
// record once, in order and on a line of its own; only the batch that was under way may
// be there twice.
func TestFileKilled(t *testing.T) {
	t.Parallel()
	const kills = 40
	for name, c := range map[string]FileConfig{
		"ndjson":  {Compress: "zstd"},
		"csv":     {Format: "csv", Compress: "gzip"},
		"no sync": {Fsync: "never"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Rotate.Size, c.Path = killedSize, filepath.Join(t.TempDir(), "records.log")
			random := rand.New(rand.NewPCG(1, 2))
			last, twice := int64(0), map[int64]bool{}
			for range kills {
				last = killed(t, c, last, time.Duration(10+random.IntN(90))*time.Millisecond)
				for seq := last + 1; seq <= last+killedBatch; seq++ {
					twice[seq] = true
				}
			}
			s := startWith(t, c, nil)
			write(t, s, rows(1, last+1, killedBatch))
			eventually(t, "all renamed files are compressed", func() bool {
				files, err := oldFiles(c.Path)
				return err == nil && !slices.ContainsFunc(files, func(f old) bool { return !slices.Equal(f.ends, []string{compressedEnds[c.Compress]}) })
			})
			var ids []string
			if all := readAll(t, c.Path); c.Format == "csv" {
				head := formOf("csv").head
				ids = idsOfCSV(t, head+strings.ReplaceAll(all, head, ""))
			} else {
				ids = idsOfLines(t, all)
			}
			next, again := int64(1), 0
			for _, id := range ids {
				seq, err := strconv.ParseInt(strings.TrimPrefix(id, "1-"), 10, 64)
				switch {
				case err != nil || seq > next:
					t.Fatalf("%s comes where 1-%d should: it is lost", id, next)
				case seq == next:
					next++
				case !twice[seq]:
					t.Fatalf("%s comes again, and was not under way at a kill", id)
				default:
					again++
				}
			}
			if next != last+killedBatch+1 {
				t.Errorf("ends at 1-%d, want 1-%d", next-1, last+killedBatch)
			}
			files, err := oldFiles(c.Path)
			if err != nil || len(files) < 3 {
				t.Errorf("%d renamed files, %v: it was too slow", len(files), err)
			}
			t.Logf("%d kills, %d records, %d of them twice, %d files", kills, last, again, len(files))
		})
	}
}
