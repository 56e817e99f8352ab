package sink

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/report"
)

// benches are what BenchmarkSinks compares, by name. A type adds itself in an init of
// its own test.
var benches = map[string]func(b *testing.B) rivals{}

// rivals are a sink, and a bare client of the same library that hands over the same
// octets with as many syncs or answers.
type rivals struct {
	sink Sink
	bare func(items []delivery.Item) error
	end  func()
}

// Batches of what a Pump hands over at once: records of about 1.2 kB.
const (
	benchBatches = 20
	benchRows    = 500
)

// BenchmarkSinks measures how fast records leave each sink, in turns with its rival:
// the medians of batches.
func BenchmarkSinks(b *testing.B) {
	for name, open := range benches {
		b.Run(name, func(b *testing.B) {
			r := open(b)
			defer r.end()
			pad := strings.Repeat("x", 1150)
			var batches [][]ledger.Row
			for i := range benchBatches {
				batch := rows(1, int64(1+i*benchRows), benchRows)
				for j := range batch {
					batch[j].JSON = fmt.Appendf(nil, `{"id":%q,"revision":1,"original_rcpt_to":"user@example.com","user_agent":%q}`, batch[j].ID, pad)
				}
				batches = append(batches, batch)
			}
			var sinks, bares []time.Duration
			b.ReportAllocs()
			for b.Loop() {
				for i, batch := range batches {
					run := func() {
						items := delivery.Items(batch)
						start := time.Now()
						if done, err := r.sink.Write(context.Background(), items); err != nil || done != benchRows {
							b.Fatal(done, err)
						}
						sinks = append(sinks, time.Since(start))
					}
					bare := func() {
						items := delivery.Items(batch)
						start := time.Now()
						if err := r.bare(items); err != nil {
							b.Fatal(err)
						}
						bares = append(bares, time.Since(start))
					}
					if i%2 == 0 { // the second one finds the batch in the processor's cache
						run, bare = bare, run
					}
					run()
					bare()
				}
			}
			slices.Sort(sinks)
			slices.Sort(bares)
			median := len(sinks) / 2
			b.ReportMetric(benchRows/sinks[median].Seconds(), "records/s")
			b.ReportMetric(float64(sinks[median])/float64(bares[median]), "x_bare")
		})
	}
}

// bareLines is a bare writer of records.
func bareLines(w *bufio.Writer, items []delivery.Item) error {
	for i := range items {
		_, _ = w.Write(items[i].JSON)
		_ = w.WriteByte('\n')
	}
	return w.Flush()
}

// bareCSV is a bare writer of CSV, which leaves the values as they are.
func bareCSV(w *bufio.Writer, items []delivery.Item) error {
	out := csv.NewWriter(w)
	row := make([]string, len(recordtable.CSVHead))
	for i := range items {
		var r report.Record
		if err := json.Unmarshal(items[i].JSON, &r); err != nil {
			return err
		}
		row[0], row[1], row[12], row[25] = r.ID, strconv.Itoa(r.Revision), r.OriginalRcptTo, "0"
		_ = out.Write(row)
	}
	out.Flush()
	return w.Flush()
}

const bareBuffer = 64 << 10

func init() {
	benches["stdout"] = func(b *testing.B) rivals {
		one, two := pipe(b), pipe(b)
		w := bufio.NewWriterSize(two, bareBuffer)
		return rivals{
			sink: Stdout(one), bare: func(items []delivery.Item) error { return bareLines(w, items) },
			end: func() { one.Close(); two.Close() },
		}
	}
	for name, c := range map[string]FileConfig{
		"file ndjson": {}, "file ndjson without fsync": {Fsync: "never"}, "file csv": {Format: "csv"}, "file csv without fsync": {Format: "csv", Fsync: "never"},
	} {
		benches[name] = func(b *testing.B) rivals { return fileRivals(b, c) }
	}
	benches["exec"] = execRivals
}

func fileRivals(b *testing.B, c FileConfig) rivals {
	dir := b.TempDir()
	c.Path = filepath.Join(dir, "sink")
	s, err := openFile(c, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "bare"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	w, bare := bufio.NewWriterSize(f, bareBuffer), bareLines
	if c.Format == "csv" {
		bare = bareCSV
	}
	return rivals{
		sink: s,
		bare: func(items []delivery.Item) error {
			if err := bare(w, items); err != nil || c.Fsync == "never" {
				return err
			}
			return f.Sync()
		},
		end: func() { s.Close(); f.Close() },
	}
}

func execRivals(b *testing.B) rivals {
	command := []string{os.Args[0], "command", "answers"}
	s, err := openExec(ExecConfig{Command: command}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	cmd := osexec.Command(command[0], command[1:]...)
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := cmp.Or(err1, err2, cmd.Start()); err != nil {
		b.Fatal(err)
	}
	w, answers := bufio.NewWriterSize(in, bareBuffer), bufio.NewReader(out)
	return rivals{
		sink: s,
		bare: func(items []delivery.Item) error {
			written := make(chan error, 1)
			go func() { written <- bareLines(w, items) }()
			for range items {
				if _, err := answers.ReadSlice('\n'); err != nil {
					return err
				}
			}
			return <-written
		},
		end: func() { s.Close(); in.Close(); _ = cmd.Wait() },
	}
}

// pipe returns the end for writing of a pipe that is read.
func pipe(b *testing.B) *os.File {
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		for buf := make([]byte, 64<<10); ; {
			if _, err := r.Read(buf); err != nil {
				r.Close()
				return
			}
		}
	}()
	return w
}

// answer is a command that handles nothing and answers at once.
func answer(in *bufio.Reader) {
	out := bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		id, _, _ := bytes.Cut(line[len(`{"id":"`):], []byte{'"'})
		_, _ = out.Write(append(id, '\n'))
		if in.Buffered() == 0 {
			_ = out.Flush()
		}
	}
}
