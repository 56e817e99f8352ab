package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// tolerated is by how much the second program may be slower, in the median of
// the turns.
const tolerated = 1.03

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
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "work\tfirst s\tsecond s\ttime\tspread\tcpu\tspread\t")
	for _, work := range comparedWorks(t) {
		work.run(t, programs[0])    // warms the caches
		var took, used [2][]float64 // by program; one value a turn
		for turn := range turns {
			for i := range 2 {
				program := (turn + i) % 2 // each goes first in every other turn
				wall, cpu := work.run(t, programs[program])
				took[program] = append(took[program], wall)
				used[program] = append(used[program], cpu)
			}
		}
		wall, cpu := ratiosOf(took), ratiosOf(used)
		fmt.Fprintf(w, "%s\t%.3f\t%.3f\t%.3f\t%.2f-%.2f\t%.3f\t%.2f-%.2f\t\n", work.name, median(took[0]), median(took[1]),
			median(wall), wall[0], wall[len(wall)-1], median(cpu), cpu[0], cpu[len(cpu)-1])
		for what, ratios := range map[string][]float64{"time": wall, "processor time": cpu} {
			if median(ratios) > tolerated && ratios[0] > 1 {
				t.Errorf("%s: the second program takes %.3f of the first one's %s, and more in every turn", work.name, median(ratios), what)
			}
		}
	}
	w.Flush()
	t.Logf("ratios second/first of %d turns: median and spread\n%s", turns, table.String())
}

// compared is one piece of work. prepare gives the arguments of a turn.
type compared struct {
	name    string
	env     []string
	prepare func() []string
	lines   int // that the program prints
}

func (c compared) run(t *testing.T, program string) (wall, cpu float64) {
	t.Helper()
	command := exec.Command(program, c.prepare()...)
	command.Env = append(os.Environ(), c.env...)
	var out lineCount
	var stderr bytes.Buffer
	command.Stdout, command.Stderr = &out, &stderr
	start := time.Now()
	if err := command.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, stderr.Bytes())
	}
	wall = time.Since(start).Seconds()
	if int(out) != c.lines {
		t.Fatalf("%s prints %d lines, want %d\n%s", command, out, c.lines, stderr.Bytes())
	}
	return wall, (command.ProcessState.UserTime() + command.ProcessState.SystemTime()).Seconds()
}

// comparedWorks are sweeps of a warm Dovecot, files, and a ledger's lists.
func comparedWorks(t *testing.T) (works []compared) {
	const many = 20_000
	d := realserver.Dovecot(t)
	password := []string{"FBLWATCH_PASSWORD=" + d.Password()}
	dir := t.TempDir()
	ledgers := 0
	sweep := func(folder string) []string {
		ledgers++
		return []string{"sweep", "--json", "--url", "imap://" + d.User() + "@" + d.PlainAddr() + "/" + folder,
			"--ledger", filepath.Join(dir, fmt.Sprintf("%d.db", ledgers))}
	}
	for _, size := range []int{5000, 25_000} {
		name := fmt.Sprintf("%d KB", size/1000)
		folder := fmt.Sprintf("FBL%d", size)
		path := filepath.Join(dir, folder+".mbox")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		for part := range many / 1000 { // so that not all is in memory
			var messages [][]byte
			for i := range 1000 {
				message := sample.Report(part*1000+i, size)
				messages = append(messages, message)
				fmt.Fprintf(file, "From fbl@example.net Sun Feb  1 00:00:00 2026\n%s\n", bytes.ReplaceAll(message, []byte("\nFrom "), []byte("\n>From ")))
			}
			d.Deliver(folder, messages...)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		works = append(works,
			compared{"sweep " + name, password, func() []string { return sweep(folder) }, many},
			compared{"parse " + name, nil, func() []string { return []string{"parse", "--format", "json", path} }, many})
	}
	list := func(command ...string) func() []string {
		return func() []string { return append(command, "--ledger", filepath.Join(dir, "1.db")) }
	}
	return append(works, compared{"records", nil, list("records", "--format", "json"), many})
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

// lineCount counts the lines that are written to it.
type lineCount int

func (n *lineCount) Write(b []byte) (int, error) {
	*n += lineCount(bytes.Count(b, []byte("\n")))
	return len(b), nil
}
