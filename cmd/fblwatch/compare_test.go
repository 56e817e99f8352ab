//go:build linux

package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// tolerated is by how much the second program may be slower, in the median of
// the turns.
const tolerated = 1.03

// The measures of a run, in the order of the table.
const (
	wall        = "wall s"
	processor   = "processor s"
	peakMemory  = "peak MB"
	resident    = "resident MB"  // a second after the last record
	pace        = "MB/s"         // of the file that is read
	ofRaw       = "of raw speed" // the time of a raw reader of the same octets by ours
	allocated   = "allocated MB" // as GODEBUG=gctrace=1 shows it
	collections = "collections"  // of garbage
	syncs       = "fsyncs"       // as strace counts them
	octets      = "octets/record"
)

var measures = []string{wall, processor, peakMemory, resident, pace, ofRaw, allocated, collections, syncs, octets}

// TestCompare runs two programs in turns over the same work, as scripts/compare
// has it. It fails if the second program is slower than tolerated in the median
// and slower in every turn.
func TestCompare(t *testing.T) {
	programs := strings.Fields(os.Getenv("FBLWATCH_COMPARE"))
	if len(programs) != 2 {
		t.Skip("scripts/compare runs this test: it sets FBLWATCH_COMPARE to two programs")
	}
	turns, err := strconv.Atoi(cmp.Or(os.Getenv("FBLWATCH_TURNS"), "7"))
	if err != nil || turns < 1 {
		t.Fatalf("FBLWATCH_TURNS: %q is no number of turns", os.Getenv("FBLWATCH_TURNS"))
	}
	var slower []string
	t.Run("turns", func(t *testing.T) { slower = compareTurns(t, programs, turns) })
	for _, what := range slower { // here, so that Dovecot does not print its log
		t.Error(what)
	}
}

// compareTurns runs the works and prints the table. It returns a line for each work at which
// the second program is slower.
func compareTurns(t *testing.T, programs []string, turns int) (slower []string) {
	strace := tracer()
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "work\tmeasure\tfirst\tsecond\tratio\tspread\taim")
	fmt.Fprintf(w, "program\tMB on disk\t%s\t-\n", compareRow([2][]float64{{size(t, programs[0])}, {size(t, programs[1])}}))
	for _, work := range comparedWorks(t) {
		fmt.Fprintln(os.Stderr, work.name)
		taken := map[string]*[2][]float64{} // by measure; one value a turn
		note := func(program int, run map[string]float64) {
			for measure, value := range run {
				if taken[measure] == nil {
					taken[measure] = new([2][]float64)
				}
				taken[measure][program] = append(taken[measure][program], value)
			}
		}
		for i, program := range programs { // warms the caches too
			note(i, work.traced(t, i, program, strace))
		}
		for turn := range turns {
			raw := 0.0
			if work.raw != nil {
				raw = work.raw(t)
			}
			for i := range 2 {
				program := (turn + i) % 2 // each goes first in every other turn
				run := work.run(t, program, programs[program])
				if raw > 0 {
					run[ofRaw] = raw / run[wall]
				}
				note(program, run)
			}
		}
		name := work.name
		for _, measure := range measures {
			values := taken[measure]
			if values == nil || slices.Max(slices.Concat(values[0], values[1])) == 0 {
				continue
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", name, measure, compareRow(*values), cmp.Or(work.aims[measure], "-"))
			name = ""
			if ratios := ratiosOf(*values); (measure == wall || measure == processor) && median(ratios) > tolerated && ratios[0] > 1 {
				slower = append(slower, fmt.Sprintf("%s: the second program takes %.3f of the first one's %s, and more in every turn", work.name, median(ratios), measure))
			}
		}
	}
	w.Flush()
	fmt.Printf("\nMedians of %d turns. Ratio: second/first of each turn, the median and the spread.\n\n%s\n", turns, table.String())
	return slower
}

// compareRow is the columns first, second, ratio and spread.
func compareRow(values [2][]float64) string {
	ratio, spread := "-", "-"
	if slices.Min(values[0]) > 0 && len(values[0]) == len(values[1]) {
		ratios := ratiosOf(values)
		ratio = fmt.Sprintf("%.3f", median(ratios))
		if len(ratios) > 1 {
			spread = fmt.Sprintf("%.2f-%.2f", ratios[0], ratios[len(ratios)-1])
		}
	}
	return figure(values[0]) + "\t" + figure(values[1]) + "\t" + ratio + "\t" + spread
}

// figure is the median of values with three digits at least; "-" if there is none.
func figure(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	switch m := median(values); {
	case m >= 100 || m == float64(int(m)):
		return strconv.FormatFloat(m, 'f', 0, 64)
	case m >= 10:
		return strconv.FormatFloat(m, 'f', 1, 64)
	default:
		return strconv.FormatFloat(m, 'f', 3, 64)
	}
}

// size of a file in MB.
func size(t *testing.T, path string) float64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return float64(info.Size()) / 1e6
}

// compared is one piece of work.
type compared struct {
	name    string
	env     []string
	args    func(program int) []string
	ledger  func(program int) string   // that it writes; nil: none
	file    string                     // that it reads; empty: none
	lines   int                        // that the program prints
	endless bool                       // it runs until it has printed them
	over    <-chan struct{}            // ends the run; nil: the program ends itself
	raw     func(t *testing.T) float64 // seconds of a raw reader; nil: none
	aims    map[string]string          // by measure
}

// run runs a program once and measures it.
func (c compared) run(t *testing.T, i int, program string) map[string]float64 {
	t.Helper()
	taken, _ := c.runCommand(t, i, exec.Command(program, c.args(i)...))
	if c.file != "" {
		taken[pace] = size(t, c.file) / taken[wall]
	}
	return taken
}

func (c compared) runCommand(t *testing.T, i int, command *exec.Cmd) (taken map[string]float64, errors []byte) {
	t.Helper()
	if c.ledger != nil {
		removeLedger(t, c.ledger(i))
	}
	command.Env = append(append(os.Environ(), "TZ=UTC"), append(c.env, command.Env...)...)
	out := &lineCount{want: c.lines, reached: make(chan struct{})}
	var stderr bytes.Buffer
	command.Stdout, command.Stderr = out, &stderr
	over := c.over
	if c.endless {
		over = out.reached
	}
	taken = map[string]float64{}
	start := time.Now()
	kB, err := watchMemory(command, over, func(at time.Time) {
		taken[wall] = at.Sub(start).Seconds()
		if c.endless {
			time.Sleep(time.Second)
			taken[resident] = float64(statusOf(command, "VmRSS:")) / 1000
		}
		_ = command.Process.Signal(os.Interrupt)
	})
	if taken[wall] == 0 {
		taken[wall] = time.Since(start).Seconds()
		if err != nil || out.n != c.lines {
			t.Fatalf("%s: %v, %d lines, want %d\n%s", command, err, out.n, c.lines, stderr.Bytes())
		}
	}
	taken[processor] = (command.ProcessState.UserTime() + command.ProcessState.SystemTime()).Seconds()
	taken[peakMemory] = float64(kB) / 1000
	if c.ledger != nil && c.lines > 0 {
		taken[octets] = float64(ledgerSize(c.ledger(i))) / float64(c.lines)
	}
	return taken, stderr.Bytes()
}

// traced runs a program once without a clock. It returns what the runtime tells of
// its heap, and the number of its fsyncs.
func (c compared) traced(t *testing.T, i int, program string, strace []string) map[string]float64 {
	t.Helper()
	args, log := append([]string{program}, c.args(i)...), filepath.Join(t.TempDir(), "strace")
	trace := len(strace) > 0 && !c.endless && c.over == nil // strace keeps signals to itself
	if trace {
		args = slices.Concat(strace, []string{"-o", log}, args)
	}
	command := exec.Command(args[0], args[1:]...)
	command.Env = []string{"GODEBUG=gctrace=1"}
	_, stderr := c.runCommand(t, i, command)
	taken := heapOf(stderr)
	if trace {
		calls, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		taken[syncs] = float64(len(syncCall.FindAll(calls, -1)))
	}
	return taken
}

// syncCall is a line of strace's log; a call that another thread's interrupts
// is "unfinished" first.
var syncCall = regexp.MustCompile(`(?m)^\d+ +(fsync|fdatasync)\(`)

// tracer is a command that counts fsyncs; nil where strace is not installed or may
// not trace.
func tracer() []string {
	strace := []string{"strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync", "-e", "signal=none"}
	if exec.Command(strace[0], append(strace[1:], "-o", os.DevNull, "true")...).Run() != nil {
		return nil
	}
	return strace
}

// gcLine has the sizes of the heap when a collection began, when it ended, and of what
// was live then, in MB.
var gcLine = regexp.MustCompile(`gc \d+ @.*, (\d+)->(\d+)->(\d+) MB, `)

// heapOf adds up the lines of GODEBUG=gctrace=1. What was allocated after the last
// collection is not in them.
func heapOf(stderr []byte) map[string]float64 {
	var total, live float64
	lines := gcLine.FindAllSubmatch(stderr, -1)
	for _, line := range lines {
		end, _ := strconv.ParseFloat(string(line[2]), 64)
		total += end - live
		live, _ = strconv.ParseFloat(string(line[3]), 64)
	}
	return map[string]float64{allocated: total, collections: float64(len(lines))}
}

// ratiosOf are the second program's values by the first one's, a turn each, in
// ascending order.
func ratiosOf(values [2][]float64) (ratios []float64) {
	for turn, first := range values[0] {
		ratios = append(ratios, values[1][turn]/first)
	}
	slices.Sort(ratios)
	return ratios
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// lineCount counts the lines that are written to it, and closes reached at want.
type lineCount struct {
	n, want int
	reached chan struct{}
}

func (l *lineCount) Write(b []byte) (int, error) {
	before := l.n
	l.n += bytes.Count(b, []byte("\n"))
	if before < l.want && l.n >= l.want {
		close(l.reached)
	}
	return len(b), nil
}

// watchMemory runs a command to its end and returns its largest resident size in kB, the
// kernel's own high-water mark as it was read last. (What wait4 tells of a child begins
// with the size of its parent.) When over is closed or gets a value, it calls end.
func watchMemory(command *exec.Cmd, over <-chan struct{}, end func(time.Time)) (kB int, err error) {
	if err := command.Start(); err != nil {
		return 0, err
	}
	done := make(chan error, 1)
	go func() { done <- command.Wait() }()
	for tick := time.Tick(5 * time.Millisecond); ; {
		select {
		case err := <-done:
			return kB, err
		case <-over:
			end(time.Now())
			over = nil
		case <-tick:
			kB = max(kB, statusOf(command, "VmHWM:"))
		}
	}
}

// statusOf reads a number from /proc/PID/status; 0 once the process has ended.
func statusOf(command *exec.Cmd, key string) (kB int) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", command.Process.Pid))
	if _, rest, ok := bytes.Cut(text, []byte(key)); ok {
		fmt.Sscan(string(rest), &kB)
	}
	return kB
}

// ledgerFiles are those of a ledger at path.
func ledgerFiles(path string) []string { return []string{path, path + "-wal", path + "-shm"} }

func removeLedger(t *testing.T, path string) {
	t.Helper()
	for _, file := range ledgerFiles(path) {
		if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// ledgerSize is the octets of a ledger's files.
func ledgerSize(path string) (n int64) {
	for _, file := range ledgerFiles(path) {
		if info, err := os.Stat(file); err == nil {
			n += info.Size()
		}
	}
	return n
}
