package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
)

// database/sql's opener ends shortly after Close; goleak waits for it.
func TestMain(m *testing.M) {
	if path := victim(); path != "" {
		commitForever(path)
	}
	goleak.VerifyTestMain(m)
}

// TestContract holds every ledger to the comments in ledger.go.
func TestContract(t *testing.T) {
	ledgers := map[string]func(t *testing.T) Ledger{
		"memory": func(t *testing.T) Ledger { return NewMemory() },
		"sqlite": func(t *testing.T) Ledger { return openTest(t, filepath.Join(t.TempDir(), "l.db"), Options{}) },
	}
	for name, open := range ledgers {
		t.Run(name, func(t *testing.T) {
			for _, test := range []struct {
				name string
				run  func(*testing.T, Ledger)
			}{
				{"ClaimsFence", testClaimsFence},
				{"OrderPerFolder", testOrderPerFolder},
				{"Duplicates", testDuplicates},
				{"AllOrNothing", testAllOrNothing},
				{"Checkpoint", testCheckpoint},
				{"BadBatch", testBadBatch},
				{"Unsent", testUnsent},
				{"UnsentSnapshot", testUnsentSnapshot},
				{"Register", testRegister},
				{"Records", testRecords},
				{"RecordsPages", testRecordsPages},
				{"HostileText", testHostileText},
				{"Heads", testHeads},
				{"Prune", testPrune},
				{"Todos", testTodos},
				{"States", testStates},
				{"Counts", testCounts},
				{"Revise", testRevise},
				{"ReviseCounts", testReviseCounts},
				{"ReviseStale", testReviseStale},
				{"Kept", testKept},
				{"Places", testPlaces},
				{"CancelledReads", testCancelledReads},
				{"ReadersBesideWriters", testReadersBesideWriters},
			} {
				t.Run(test.name, func(t *testing.T) {
					l := open(t)
					defer func() {
						if err := l.Close(); err != nil {
							t.Errorf("Close: %v", err)
						}
					}()
					test.run(t, l)
				})
			}
		})
	}
}

var (
	inbox = Folder{"yahoo", "INBOX"}
	junk  = Folder{"yahoo", "Junk"}
	noon  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func openTest(t *testing.T, path string, opts Options) Ledger {
	t.Helper()
	l, err := Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func claim(t *testing.T, l Ledger, f Folder) Claim {
	t.Helper()
	c, err := l.Claim(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// message makes a message with n records.
func message(id string, n int) Message {
	m := Message{ReportID: id, UIDValidity: 9, UID: 1, Kind: "arf", At: noon, Head: []byte("From: " + id)}
	for i := 1; i <= n; i++ {
		rid := fmt.Sprintf("%s.%d", id, i)
		m.Records = append(m.Records, Record{ID: rid, Revision: 1, At: noon, JSON: fmt.Appendf(nil, `{"id":%q}`, rid),
			Event: "complaint", Class: "fbl", Provider: "yahoo", Feed: "cfl", SourceIP: "192.0.2.1", Domain: "example.com",
			Campaign: "c", Subscriber: "s", Verdict: "review"})
	}
	return m
}

func commit(t *testing.T, l Ledger, c Claim, messages ...Message) Committed {
	t.Helper()
	done, err := l.Commit(t.Context(), c, Batch{Messages: messages})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func collect(t *testing.T, rows iter.Seq2[Row, error]) []Row {
	t.Helper()
	var all []Row
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	return all
}

// places writes rows as "folder/seq=id", one string to compare.
func places(rows []Row) string {
	var s []string
	for _, r := range rows {
		s = append(s, fmt.Sprintf("%s/%d=%s", r.Folder.Name, r.Seq, r.ID))
	}
	return strings.Join(s, " ")
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func diff(t *testing.T, what string, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func testClaimsFence(t *testing.T, l Ledger) {
	first := claim(t, l, inbox)
	other := claim(t, l, junk)
	if age := time.Since(first.FirstSeen); age < 0 || age > time.Minute {
		t.Errorf("first contact was %v", first.FirstSeen)
	}
	commit(t, l, first, message("a", 1))
	second := claim(t, l, inbox)
	if age := time.Since(second.LastCommit); !first.LastCommit.IsZero() || age < 0 || age > time.Minute {
		t.Errorf("read at %v, then at %v", first.LastCommit, second.LastCommit)
	}
	if !second.FirstSeen.Equal(first.FirstSeen) {
		t.Errorf("first contact was %v, then %v", first.FirstSeen, second.FirstSeen)
	}
	if second.ID != first.ID || second.Token == first.Token {
		t.Errorf("second claim %+v of %+v", second, first)
	}
	if _, err := l.Commit(t.Context(), first, Batch{Messages: []Message{message("b", 1)}, Checkpoint: Checkpoint{High: 5}}); !errors.Is(err, ErrClaimLost) {
		t.Errorf("commit with a lost claim: %v", err)
	}
	if _, err := l.Todos(t.Context(), first, 100); !errors.Is(err, ErrClaimLost) {
		t.Errorf("todos with a lost claim: %v", err)
	}
	if err := l.CompleteTodos(t.Context(), first, nil); !errors.Is(err, ErrClaimLost) {
		t.Errorf("done with a lost claim: %v", err)
	}
	folders, err := l.Folders(t.Context())
	if err != nil || len(folders) != 2 {
		t.Fatalf("folders %v, %v", folders, err)
	}
	if folders[0].Checkpoint.High != 0 {
		t.Errorf("the lost commit moved the checkpoint: %+v", folders[0])
	}
	// What Folders tells is no claim, nor is the zero Claim.
	for _, c := range []Claim{folders[0], {}} {
		if _, err := l.Commit(t.Context(), c, Batch{}); !errors.Is(err, ErrClaimLost) {
			t.Errorf("commit with claim %+v: %v", c, err)
		}
	}
	commit(t, l, second, message("c", 1))
	commit(t, l, other, message("d", 1)) // another folder is not fenced
	want(t, "records", places(collect(t, l.Records(t.Context(), Query{}))), "INBOX/1=a.1 INBOX/2=c.1 Junk/1=d.1")
}

func testOrderPerFolder(t *testing.T, l Ledger) {
	a, b := claim(t, l, inbox), claim(t, l, junk)
	// Ids that sort against the order of the batch.
	one := commit(t, l, a, message("z", 2), message("m", 0), message("a", 1))
	two := commit(t, l, b, message("y", 1))
	three := commit(t, l, a, message("k", 1), message("b", 1))
	want(t, "first", places(one.Rows), "INBOX/1=z.1 INBOX/2=z.2 INBOX/3=a.1")
	want(t, "second", places(two.Rows), "Junk/1=y.1")
	want(t, "third", places(three.Rows), "INBOX/4=k.1 INBOX/5=b.1")
	if one.Messages != 3 || one.Duplicates != 0 {
		t.Errorf("first: %d mails, %d duplicates", one.Messages, one.Duplicates)
	}
	all := append(append(one.Rows, three.Rows...), two.Rows...)
	diff(t, "records", collect(t, l.Records(t.Context(), Query{})), all)
}

func testDuplicates(t *testing.T, l Ledger) {
	a, b := claim(t, l, inbox), claim(t, l, junk)
	done := commit(t, l, a, message("x", 1), message("y", 1), message("x", 1))
	if done.Messages != 2 || done.Duplicates != 1 {
		t.Errorf("within a batch: %+v", done)
	}
	done = commit(t, l, a, message("y", 1), message("z", 1))
	if done.Messages != 1 || done.Duplicates != 1 {
		t.Errorf("across batches: %+v", done)
	}
	want(t, "rows", places(done.Rows), "INBOX/3=z.1")
	done, err := l.Commit(t.Context(), b, Batch{Messages: []Message{message("x", 1)}, Checkpoint: Checkpoint{UIDValidity: 1, High: 3}})
	if err != nil || done.Messages != 0 || done.Duplicates != 1 || len(done.Rows) != 0 {
		t.Errorf("across folders: %+v, %v", done, err)
	}
	if c := claim(t, l, junk); c.Checkpoint.High != 3 {
		t.Errorf("a batch of duplicates left the checkpoint at %+v", c.Checkpoint)
	}
	if n := len(collect(t, l.Records(t.Context(), Query{}))); n != 3 {
		t.Errorf("%d records", n)
	}
}

func testAllOrNothing(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	batch := Batch{Checkpoint: Checkpoint{UIDValidity: 9, High: 7}, Todos: []Todo{{9, 1, "seen"}}}
	for i := range 100 {
		batch.Messages = append(batch.Messages, message(fmt.Sprintf("m%03d", i), 1))
	}
	if _, err := l.Commit(ctx, c, batch); !errors.Is(err, context.Canceled) {
		t.Errorf("commit on an ended context: %v", err)
	}
	nothing(t, l, c)
	// Ended while it is under way, at some moment of the commit.
	for i := 0; i < 50; i++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*200*time.Microsecond)
		_, err := l.Commit(ctx, c, batch)
		cancel()
		if err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("commit: %v", err)
			}
			nothing(t, l, c)
			continue
		}
		if n := len(collect(t, l.Records(t.Context(), Query{}))); n != 100 {
			t.Errorf("%d records", n)
		}
		return
	}
	commit(t, l, c, batch.Messages...)
}

// nothing fails unless the folder of c is as it was made.
func nothing(t *testing.T, l Ledger, c Claim) {
	t.Helper()
	if rows := collect(t, l.Records(t.Context(), Query{})); len(rows) != 0 {
		t.Fatalf("%d records were left", len(rows))
	}
	counts, err := l.MessageCounts(t.Context())
	if err != nil || len(counts) != 0 {
		t.Fatalf("mail counts %v, %v", counts, err)
	}
	todos, err := l.Todos(t.Context(), c, 100)
	if err != nil || len(todos) != 0 {
		t.Fatalf("todos %v, %v", todos, err)
	}
	folders, err := l.Folders(t.Context())
	if err != nil || len(folders) != 1 || folders[0].Checkpoint.High != 0 {
		t.Fatalf("folders %+v, %v", folders, err)
	}
	if head, err := l.Head(t.Context(), "m000"); head != nil || err != nil {
		t.Fatalf("head %q, %v", head, err)
	}
}

func testCheckpoint(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	diff(t, "fresh", c.Checkpoint, Checkpoint{})
	long := Checkpoint{UIDValidity: 1<<64 - 1, High: 1<<32 - 1}
	for uid := range uint32(1000) {
		long.Pending = append(long.Pending, Pending{UID: 100 + uid})
	}
	long.Pending = append(long.Pending, Pending{UID: 1<<32 - 2, Tries: 3}, Pending{UID: 1<<32 - 1, Tries: 3})
	for _, cp := range []Checkpoint{
		{UIDValidity: 7, High: 20, Pending: []Pending{{UID: 3}, {UID: 4}, {UID: 5, Tries: 2}, {UID: 6, Tries: 2}, {UID: 8, Tries: 2}, {UID: 20, Tries: 1}}},
		{UIDValidity: 7, High: 21},
		long,
		{
			UIDValidity: 8, High: 30, Pending: []Pending{{UID: 4, Withheld: noon}, {UID: 5, Tries: 1}, {UID: 6, Withheld: noon.Add(time.Minute)}},
			Gaps:  []Gap{{1, 2, noon}, {9, 9, noon.Add(time.Hour)}},
			Known: []Known{{28, "a"}, {30, "b"}},
			Again: 4_000_000_000,
		},
		{UIDValidity: 3, High: 1}, // a new UIDVALIDITY starts again below
	} {
		if _, err := l.Commit(t.Context(), c, Batch{Checkpoint: cp}); err != nil {
			t.Fatal(err)
		}
		c = claim(t, l, inbox)
		diff(t, "claim", c.Checkpoint, cp)
		folders, err := l.Folders(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "folders", folders, []Claim{{Folder: inbox, ID: c.ID, Checkpoint: cp, FirstSeen: c.FirstSeen, LastCommit: c.LastCommit}})
	}
}

func testBadBatch(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	stray, dotted := message("a", 1), message("a.b", 1)
	stray.Records[0].ID = "b.1"
	for name, batch := range map[string]Batch{
		"stray record":  {Messages: []Message{stray}},
		"dotted report": {Messages: []Message{dotted}},
		"no report id":  {Messages: []Message{message("a", 1), message("", 1)}},
		"pending twice": {Checkpoint: Checkpoint{High: 9, Pending: []Pending{{UID: 4}, {UID: 4}}}},
		"gaps overlap":  {Checkpoint: Checkpoint{High: 9, Gaps: []Gap{{2, 4, noon}, {4, 5, noon}}}},
		"gap above":     {Checkpoint: Checkpoint{High: 9, Gaps: []Gap{{9, 10, noon}}}},
		"pending falls": {Checkpoint: Checkpoint{High: 9, Pending: []Pending{{UID: 5}, {UID: 4}}}},
		"above high":    {Checkpoint: Checkpoint{High: 9, Pending: []Pending{{UID: 10}}}},
		"uid 0":         {Checkpoint: Checkpoint{High: 9, Pending: []Pending{{UID: 0}}}},
	} {
		if _, err := l.Commit(t.Context(), c, batch); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	nothing(t, l, c)
}

func testHeads(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	heads := map[string]string{"none": "", "one": "a", "long": strings.Repeat("long ", 100_000)}
	for i := range 40 {
		heads[fmt.Sprint("m", i)] = strings.Repeat(fmt.Sprint("head ", i), 500)
	}
	var messages []Message
	for id, head := range heads {
		m := message(id, 0)
		m.Head = []byte(head)
		messages = append(messages, m, m) // the second is a duplicate
	}
	commit(t, l, c, messages...)
	for id, head := range heads {
		got, err := l.Head(t.Context(), id)
		if err != nil || string(got) != head {
			t.Errorf("head of %s: %d octets, %v, want %d", id, len(got), err, len(head))
		}
	}
	if got, err := l.Head(t.Context(), "unknown"); got != nil || err != nil {
		t.Errorf("head of an unknown mail: %q, %v", got, err)
	}
}

func testPrune(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	old, young := message("old", 2), message("young", 1)
	old.Records[0].At = noon.Add(-48 * time.Hour)
	commit(t, l, c, old)
	time.Sleep(5 * time.Millisecond)
	between := time.Now()
	time.Sleep(5 * time.Millisecond)
	commit(t, l, c, young)
	prune := func(heads, records time.Time) {
		t.Helper()
		if err := l.Prune(t.Context(), heads, records); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what, oldHead, rows string) {
		t.Helper()
		head, err := l.Head(t.Context(), "old")
		if err != nil {
			t.Fatal(err)
		}
		want(t, what+": old head", string(head), oldHead)
		if head, err = l.Head(t.Context(), "young"); err != nil || string(head) != "From: young" {
			t.Errorf("%s: young head %q, %v", what, head, err)
		}
		want(t, what+": records", places(collect(t, l.Records(t.Context(), Query{}))), rows)
	}
	prune(time.Time{}, time.Time{})
	check("nothing", "From: old", "INBOX/1=old.1 INBOX/2=old.2 INBOX/3=young.1")
	prune(between, time.Time{})
	check("heads", "", "INBOX/1=old.1 INBOX/2=old.2 INBOX/3=young.1")
	prune(time.Time{}, noon)
	check("records", "", "INBOX/2=old.2 INBOX/3=young.1")
	want(t, "unsent", places(collect(t, l.Unsent(t.Context(), "s"))), "INBOX/2=old.2 INBOX/3=young.1")
	// The message is still known, and a number is not given twice.
	if done := commit(t, l, c, old, message("new", 1)); done.Duplicates != 1 || done.Rows[0].Seq != 4 {
		t.Errorf("after pruning: %+v", done)
	}
	// A head's place is not given to another once all are gone.
	prune(time.Now().Add(time.Hour), time.Now().Add(time.Hour))
	commit(t, l, c, message("last", 1))
	if head, err := l.Head(t.Context(), "old"); head != nil || err != nil {
		t.Errorf("a pruned head came back: %q, %v", head, err)
	}
	want(t, "all but the last pruned", places(collect(t, l.Records(t.Context(), Query{}))), "INBOX/5=last.1")
}

func testTodos(t *testing.T, l Ledger) {
	a, b := claim(t, l, inbox), claim(t, l, junk)
	add := func(c Claim, v uint64, todos ...Todo) {
		t.Helper()
		if _, err := l.Commit(t.Context(), c, Batch{Checkpoint: Checkpoint{UIDValidity: v}, Todos: todos}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(c Claim, want ...Todo) {
		t.Helper()
		got, err := l.Todos(t.Context(), c, 100)
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "todos", got, want)
	}
	add(a, 7, Todo{7, 9, "seen"}, Todo{7, 3, "seen"})
	add(b, 7, Todo{7, 9, "seen"})
	add(a, 7, Todo{7, 9, "seen"}, Todo{7, 9, "move Done"}) // the first is owed already
	check(a, Todo{7, 9, "seen"}, Todo{7, 3, "seen"}, Todo{7, 9, "move Done"})
	if err := l.CompleteTodos(t.Context(), a, []Todo{{7, 9, "seen"}, {7, 100, "seen"}}); err != nil {
		t.Fatal(err)
	}
	check(a, Todo{7, 3, "seen"}, Todo{7, 9, "move Done"})
	add(a, 8, Todo{8, 1, "seen"}) // another UIDVALIDITY drops what was owed
	check(a, Todo{8, 1, "seen"})
	const wide = 1<<64 - 1 // servers give more than the 32 bits of RFC 9051
	add(a, wide, Todo{wide, 1, "seen"}, Todo{wide, 2, "seen"})
	if err := l.CompleteTodos(t.Context(), a, []Todo{{wide, 1, "seen"}}); err != nil {
		t.Fatal(err)
	}
	check(a, Todo{wide, 2, "seen"})
	check(b, Todo{7, 9, "seen"})
}

func testStates(t *testing.T, l Ledger) {
	start := time.Now().Truncate(time.Millisecond)
	for _, s := range [][2]string{{"sink/b", "1"}, {"sink/a", "2"}, {"sink/b", "3"}} {
		if err := l.SetState(t.Context(), s[0], s[1]); err != nil {
			t.Fatal(err)
		}
	}
	states, err := l.States(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range states {
		if s.At.Before(start) || s.At.After(time.Now()) {
			t.Errorf("state of %v", s.At)
		}
		states[i].At = time.Time{}
	}
	diff(t, "states", states, []State{{Name: "sink/a", Value: "2"}, {Name: "sink/b", Value: "3"}})
}
