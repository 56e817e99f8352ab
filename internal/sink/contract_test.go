package sink

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// contracts are what TestContract tries, by name. A type adds itself in an init of its
// own test.
var contracts = map[string]contract{}

// contract is a type of sink, with one kind of receiver.
type contract struct {
	start func(t *testing.T) receiver                 // a receiver that has nothing yet
	rows  func(folder, seq int64, n int) []ledger.Row // records that it takes; nil: see rows
	many  int                                         // records of the longest test; 0: 700
}

// receiver is the other end of a sink. A nil func: there is no such thing for this type.
type receiver struct {
	open    func() (Sink, error) // a sink that hands over to it; again after a Close: a restart
	written func() []string      // ids of the records that it has, in the order of their arrival
	once    bool                 // it recognises a record that comes again
	down    func(is bool)        // it takes nothing, by its own fault
	refuse  func(id string)      // it will never take this record
	stall   func(is bool)        // it does not answer
	tear    func()               // leaves what a crash in the middle of a write leaves, while no sink is open
}

func idsOf(rows []ledger.Row) (ids []string) {
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

// firsts returns ids without those that were there before.
func firsts(ids []string) (first []string) {
	seen := map[string]bool{}
	for _, id := range ids {
		if !seen[id] {
			first = append(first, id)
		}
		seen[id] = true
	}
	return first
}

// TestContract holds every type of sink to the comments of Sink.
func TestContract(t *testing.T) {
	for name, c := range contracts {
		if c.rows == nil {
			c.rows = rows
		}
		c.many = cmp.Or(c.many, 700)
		t.Run(name, func(t *testing.T) {
			t.Run("order", c.order)
			t.Run("restart", c.restart)
			t.Run("down", c.down)
			t.Run("refuse", c.refuse)
			t.Run("cancel", c.cancel)
			t.Run("torn", c.torn)
		})
	}
}

func (c contract) begin(t *testing.T) (receiver, Sink) {
	t.Helper()
	r := c.start(t)
	return r, c.open(t, r)
}

func (c contract) open(t *testing.T, r receiver) Sink {
	t.Helper()
	s, err := r.open()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func expectIDs(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		at := 0
		for at < min(len(got), len(want)) && got[at] == want[at] {
			at++
		}
		t.Errorf("it has %d records, want %d; they differ from %d on: %.200q, want %.200q", len(got), len(want), at, got[at:min(at+5, len(got))], want[at:min(at+5, len(want))])
	}
}

func closeSink(t *testing.T, s Sink) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// order: records arrive in their order, also those that come again.
func (c contract) order(t *testing.T) {
	r, s := c.begin(t)
	defer closeSink(t, s)
	first, second := c.rows(1, 1, 3), c.rows(2, 1, c.many)
	for _, rs := range [][]ledger.Row{first, second, first} {
		if err := hand(t.Context(), s, rs); err != nil {
			t.Fatal(err)
		}
	}
	want := append(idsOf(first), idsOf(second)...)
	if !r.once {
		want = append(want, idsOf(first)...)
	}
	expectIDs(t, r.written(), want)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := hand(ended, s, first); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("on an ended context: %v", err)
	}
}

// restart: another sink goes on behind the one before, also behind one that got nothing.
func (c contract) restart(t *testing.T) {
	r, s := c.begin(t)
	all := c.rows(1, 1, 9)
	for i := 0; i < 9; i += 3 {
		if err := hand(t.Context(), s, all[i:i+3]); err != nil {
			t.Fatal(err)
		}
		closeSink(t, s)
		closeSink(t, c.open(t, r))
		s = c.open(t, r)
	}
	closeSink(t, s)
	expectIDs(t, r.written(), idsOf(all))
}

// down: what a receiver does not take by its own fault comes later.
func (c contract) down(t *testing.T) {
	r, s := c.begin(t)
	defer closeSink(t, s)
	if r.down == nil {
		t.Skip("it cannot be down")
	}
	all := c.rows(1, 1, 10)
	if err := hand(t.Context(), s, all[:3]); err != nil {
		t.Fatal(err)
	}
	r.down(true)
	done := 3
	for range 3 {
		n, err := s.Write(t.Context(), delivery.Items(all[done:]))
		if err == nil || IsPermanent(err) || errors.As(err, new(delivery.Refusals)) {
			t.Fatalf("down: %v", err)
		}
		done += n
	}
	r.down(false)
	if err := hand(t.Context(), s, all[done:]); err != nil {
		t.Fatal(err)
	}
	expectIDs(t, firsts(r.written()), idsOf(all))
}

// refuse: the records at fault are dead letters, and all others arrive.
func (c contract) refuse(t *testing.T) {
	r, s := c.begin(t)
	defer closeSink(t, s)
	if r.refuse == nil {
		t.Skip("it refuses nothing")
	}
	all := c.rows(1, 1, 40)
	var want, dead []string
	for i, id := range idsOf(all) {
		if slices.Contains([]int{0, 7, 8, 39}, i) {
			r.refuse(id)
			dead = append(dead, id)
		} else {
			want = append(want, id)
		}
	}
	out := newOutbox(all...)
	pump := NewPump(Config{Name: "x"}, out, s, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- pump.Run(ctx) }()
	if err := pump.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-result; err != nil {
		t.Error(err)
	}
	expectIDs(t, firsts(r.written()), want)
	var got []string
	for _, d := range out.dead {
		got = append(got, d.ID)
		if d.Reason == "" || strings.ContainsAny(d.Reason, "\n\x1b") {
			t.Errorf("%s: reason %q", d.ID, d.Reason)
		}
	}
	expectIDs(t, got, dead)
}

// cancel: Write returns soon after its context has ended, and the next one goes on.
func (c contract) cancel(t *testing.T) {
	r, s := c.begin(t)
	defer closeSink(t, s)
	if r.stall == nil {
		t.Skip("it always answers")
	}
	all := c.rows(1, 1, 10)
	if err := hand(t.Context(), s, all[:3]); err != nil {
		t.Fatal(err)
	}
	r.stall(true)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	done, err := s.Write(ctx, delivery.Items(all[3:]))
	if err == nil || IsPermanent(err) || errors.As(err, new(delivery.Refusals)) || time.Since(start) > 5*time.Second {
		t.Errorf("stalled: %v after %v", err, time.Since(start))
	}
	r.stall(false)
	if err := hand(t.Context(), s, all[3+done:]); err != nil {
		t.Fatal(err)
	}
	expectIDs(t, firsts(r.written()), idsOf(all))
}

// torn: half a record never stays.
func (c contract) torn(t *testing.T) {
	r, s := c.begin(t)
	if r.tear == nil {
		closeSink(t, s)
		t.Skip("it keeps no half records")
	}
	all := c.rows(1, 1, 6)
	if err := hand(t.Context(), s, all[:3]); err != nil {
		t.Fatal(err)
	}
	closeSink(t, s)
	r.tear()
	s = c.open(t, r)
	defer closeSink(t, s)
	if err := hand(t.Context(), s, all[3:]); err != nil {
		t.Fatal(err)
	}
	expectIDs(t, r.written(), idsOf(all))
}

// idsOfLines reads the ids of NDJSON, each line of which must be whole.
func idsOfLines(t *testing.T, text string) (ids []string) {
	t.Helper()
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.Fatalf("half a line at the end: %q", text[strings.LastIndexByte(text, '\n')+1:])
	}
	for in := bufio.NewScanner(strings.NewReader(text)); in.Scan(); {
		var r struct{ ID string }
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			t.Fatalf("%v in %q", err, in.Text())
		}
		ids = append(ids, r.ID)
	}
	return ids
}

// reader is the other end of a standard output.
type reader struct {
	mu      sync.Mutex
	got     bytes.Buffer
	isDown  bool
	stalled chan struct{} // closed: it reads on
}

func (r *reader) Write(b []byte) (int, error) {
	r.mu.Lock()
	stalled := r.stalled
	r.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isDown {
		n, _ := r.got.Write(b[:len(b)/2])
		return n, syscall.ENOSPC
	}
	return r.got.Write(b)
}

func init() {
	contracts["stdout"] = contract{start: func(t *testing.T) receiver {
		r := &reader{}
		return receiver{
			open: func() (Sink, error) { return Stdout(r), nil },
			written: func() []string {
				r.mu.Lock()
				defer r.mu.Unlock()
				return idsOfLines(t, r.got.String())
			},
			down: func(is bool) {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.isDown = is
			},
			stall: func(is bool) {
				r.mu.Lock()
				defer r.mu.Unlock()
				if is {
					r.stalled = make(chan struct{})
				} else {
					close(r.stalled)
					r.stalled = nil
				}
			},
		}
	}}
	contracts["file"] = contract{start: func(t *testing.T) receiver {
		path := filepath.Join(t.TempDir(), "records.ndjson")
		return fileReceiver(t, FileConfig{Path: path}, func() []string { return idsOfLines(t, fixture.Read(t, path)) }, `{"id":"to`)
	}}
	contracts["file csv"] = contract{start: func(t *testing.T) receiver {
		path := filepath.Join(t.TempDir(), "records.csv")
		return fileReceiver(t, FileConfig{Path: path, Format: "csv"}, func() []string { return idsOfCSV(t, fixture.Read(t, path)) }, `1-7,1,"half a "" valu`)
	}}
	for _, how := range []string{"none", "gzip", "zstd"} {
		contracts["file rotated "+how] = contract{start: func(t *testing.T) receiver {
			c := FileConfig{Path: filepath.Join(t.TempDir(), "records.ndjson"), Rotate: Rotate{Size: 300}, Compress: how}
			return fileReceiver(t, c, func() []string { return idsOfLines(t, readAll(t, c.Path)) }, `{"id":"to`)
		}}
	}
	contracts["exec"] = contract{start: func(t *testing.T) receiver { return execReceiver(t, "contract", ExecConfig{}) }}
	contracts["exec each"] = contract{many: 4, start: func(t *testing.T) receiver {
		return execReceiver(t, "contract each", ExecConfig{Each: true, Command: []string{"{id}"}})
	}}
}

// fileReceiver is the file of a config. half is what a crash may leave of a record.
func fileReceiver(t *testing.T, c FileConfig, written func() []string, half string) receiver {
	aside := c.Path + ".aside"
	return receiver{
		open: func() (Sink, error) {
			return Open(Config{Name: "x", Type: TypeFile, File: c}, Options{})
		},
		written: written,
		down: func(is bool) { // a directory is in its place
			var err error
			if is {
				err = errors.Join(os.Rename(c.Path, aside), os.Mkdir(c.Path, 0o700))
			} else {
				err = errors.Join(os.Remove(c.Path), os.Rename(aside, c.Path))
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		tear: func() { fixture.File(t, c.Path, fixture.Read(t, c.Path)+half) },
	}
}

// told is how the commands "contract" and "contract each" of behave handle records.
type told struct {
	Down, Stall bool
	Refused     []string
}

// execReceiver is a command of behave that obeys. The arguments of c go to it.
func execReceiver(t *testing.T, how string, c ExecConfig) receiver {
	dir := t.TempDir()
	got, orders := filepath.Join(dir, "got"), filepath.Join(dir, "told")
	var is told
	tell := func() {
		text, err := json.Marshal(is)
		if err != nil {
			t.Fatal(err)
		}
		// By a rename: the command must not read half of it.
		if err := os.Rename(fixture.File(t, orders+".new", text), orders); err != nil {
			t.Fatal(err)
		}
	}
	tell()
	fixture.File(t, got, "")
	c.Command = append([]string{os.Args[0], "command", how, got, orders}, c.Command...)
	return receiver{
		open:    func() (Sink, error) { return Open(Config{Name: "x", Type: TypeExec, Exec: c}, Options{}) },
		written: func() []string { return idsOfLines(t, fixture.Read(t, got)) },
		down:    func(b bool) { is.Down = b; tell() },
		stall:   func(b bool) { is.Stall = b; tell() },
		refuse:  func(id string) { is.Refused = append(is.Refused, id); tell() },
	}
}

// obey is what the command does with a record: how is the file with a told. Before it
// answers, it adds the record to the file got. refused says that it takes it never.
func obey(how, id string, handle func()) (refused bool) {
	text, err := os.ReadFile(how)
	var is told
	if err == nil {
		err = json.Unmarshal(text, &is)
	}
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		exit(9)
	case is.Down:
		exit(4)
	case is.Stall:
		time.Sleep(time.Hour)
	case slices.Contains(is.Refused, id):
		return true
	}
	handle()
	return false
}
