package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"sync"
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

// mail makes a mail with n records.
func mail(id string, n int) Mail {
	m := Mail{ReportID: id, UIDValidity: 9, UID: 1, Kind: "arf", At: noon, Head: []byte("From: " + id)}
	for i := 1; i <= n; i++ {
		rid := fmt.Sprintf("%s.%d", id, i)
		m.Records = append(m.Records, Record{ID: rid, Revision: 1, At: noon, JSON: fmt.Appendf(nil, `{"id":%q}`, rid),
			Event: "complaint", Class: "fbl", Provider: "yahoo", SourceIP: "192.0.2.1", Domain: "example.com",
			Campaign: "c", Subscriber: "s", Verdict: "review"})
	}
	return m
}

func commit(t *testing.T, l Ledger, c Claim, mails ...Mail) Committed {
	t.Helper()
	done, err := l.Commit(t.Context(), c, Batch{Mails: mails})
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
	if !first.First {
		t.Error("First is false before any commit")
	}
	commit(t, l, first, mail("a", 1))
	second := claim(t, l, inbox)
	if second.First {
		t.Error("First is true after a commit")
	}
	if second.ID != first.ID || second.Token == first.Token {
		t.Errorf("second claim %+v of %+v", second, first)
	}
	if _, err := l.Commit(t.Context(), first, Batch{Mails: []Mail{mail("b", 1)}, Checkpoint: Checkpoint{High: 5}}); !errors.Is(err, ErrClaimLost) {
		t.Errorf("commit with a lost claim: %v", err)
	}
	if _, err := l.Todos(t.Context(), first); !errors.Is(err, ErrClaimLost) {
		t.Errorf("todos with a lost claim: %v", err)
	}
	if err := l.Done(t.Context(), first, nil); !errors.Is(err, ErrClaimLost) {
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
	commit(t, l, second, mail("c", 1))
	commit(t, l, other, mail("d", 1)) // another folder is not fenced
	want(t, "records", places(collect(t, l.Records(t.Context(), Query{}))), "INBOX/1=a.1 INBOX/2=c.1 Junk/1=d.1")
}

func testOrderPerFolder(t *testing.T, l Ledger) {
	a, b := claim(t, l, inbox), claim(t, l, junk)
	// Ids that sort against the order of the batch.
	one := commit(t, l, a, mail("z", 2), mail("m", 0), mail("a", 1))
	two := commit(t, l, b, mail("y", 1))
	three := commit(t, l, a, mail("k", 1), mail("b", 1))
	want(t, "first", places(one.Rows), "INBOX/1=z.1 INBOX/2=z.2 INBOX/3=a.1")
	want(t, "second", places(two.Rows), "Junk/1=y.1")
	want(t, "third", places(three.Rows), "INBOX/4=k.1 INBOX/5=b.1")
	if one.Mails != 3 || one.Duplicates != 0 {
		t.Errorf("first: %d mails, %d duplicates", one.Mails, one.Duplicates)
	}
	all := append(append(one.Rows, three.Rows...), two.Rows...)
	diff(t, "records", collect(t, l.Records(t.Context(), Query{})), all)
}

func testDuplicates(t *testing.T, l Ledger) {
	a, b := claim(t, l, inbox), claim(t, l, junk)
	done := commit(t, l, a, mail("x", 1), mail("y", 1), mail("x", 1))
	if done.Mails != 2 || done.Duplicates != 1 {
		t.Errorf("within a batch: %+v", done)
	}
	done = commit(t, l, a, mail("y", 1), mail("z", 1))
	if done.Mails != 1 || done.Duplicates != 1 {
		t.Errorf("across batches: %+v", done)
	}
	want(t, "rows", places(done.Rows), "INBOX/3=z.1")
	done, err := l.Commit(t.Context(), b, Batch{Mails: []Mail{mail("x", 1)}, Checkpoint: Checkpoint{UIDValidity: 1, High: 3}})
	if err != nil || done.Mails != 0 || done.Duplicates != 1 || len(done.Rows) != 0 {
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
		batch.Mails = append(batch.Mails, mail(fmt.Sprintf("m%03d", i), 1))
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
	commit(t, l, c, batch.Mails...)
}

// nothing fails unless the folder of c is as it was made.
func nothing(t *testing.T, l Ledger, c Claim) {
	t.Helper()
	if rows := collect(t, l.Records(t.Context(), Query{})); len(rows) != 0 {
		t.Fatalf("%d records were left", len(rows))
	}
	counts, err := l.MailCounts(t.Context())
	if err != nil || len(counts) != 0 {
		t.Fatalf("mail counts %v, %v", counts, err)
	}
	todos, err := l.Todos(t.Context(), c)
	if err != nil || len(todos) != 0 {
		t.Fatalf("todos %v, %v", todos, err)
	}
	folders, err := l.Folders(t.Context())
	if err != nil || len(folders) != 1 || !folders[0].First || folders[0].Checkpoint.High != 0 {
		t.Fatalf("folders %+v, %v", folders, err)
	}
	if head, err := l.Head(t.Context(), "m000"); head != nil || err != nil {
		t.Fatalf("head %q, %v", head, err)
	}
}

func testCheckpoint(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	diff(t, "fresh", c.Checkpoint, Checkpoint{})
	long := Checkpoint{UIDValidity: 1<<32 - 1, High: 1<<32 - 1}
	for uid := range uint32(1000) {
		long.Pending = append(long.Pending, Pending{UID: 100 + uid})
	}
	long.Pending = append(long.Pending, Pending{UID: 1<<32 - 2, Tries: 3}, Pending{UID: 1<<32 - 1, Tries: 3})
	for _, cp := range []Checkpoint{
		{UIDValidity: 7, High: 20, Pending: []Pending{{3, 0}, {4, 0}, {5, 2}, {6, 2}, {8, 2}, {20, 1}}},
		{UIDValidity: 7, High: 21},
		long,
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
		diff(t, "folders", folders, []Claim{{Folder: inbox, ID: c.ID, Checkpoint: cp}})
	}
}

func testBadBatch(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	for name, batch := range map[string]Batch{
		"no report id":  {Mails: []Mail{mail("a", 1), mail("", 1)}},
		"pending twice": {Checkpoint: Checkpoint{High: 9, Pending: []Pending{{4, 0}, {4, 0}}}},
		"pending falls": {Checkpoint: Checkpoint{High: 9, Pending: []Pending{{5, 0}, {4, 0}}}},
		"above high":    {Checkpoint: Checkpoint{High: 9, Pending: []Pending{{10, 0}}}},
		"uid 0":         {Checkpoint: Checkpoint{High: 9, Pending: []Pending{{0, 0}}}},
	} {
		if _, err := l.Commit(t.Context(), c, batch); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	nothing(t, l, c)
}

func testUnsent(t *testing.T, l Ledger) {
	a, b := claim(t, l, inbox), claim(t, l, junk)
	commit(t, l, a, mail("a", 3))
	commit(t, l, b, mail("b", 2))
	unsent := func(sink string) string { return places(collect(t, l.Unsent(t.Context(), sink))) }
	ack := func(sink string, folder, seq int64) {
		t.Helper()
		if err := l.Ack(t.Context(), sink, folder, seq); err != nil {
			t.Fatal(err)
		}
	}
	want(t, "all", unsent("s"), "INBOX/1=a.1 INBOX/2=a.2 INBOX/3=a.3 Junk/1=b.1 Junk/2=b.2")
	ack("s", a.ID, 2)
	want(t, "after 2", unsent("s"), "INBOX/3=a.3 Junk/1=b.1 Junk/2=b.2")
	ack("s", a.ID, 1) // never back
	want(t, "after 1", unsent("s"), "INBOX/3=a.3 Junk/1=b.1 Junk/2=b.2")
	ack("s", b.ID, 99) // never past what there is
	want(t, "after 99", unsent("s"), "INBOX/3=a.3")
	commit(t, l, b, mail("c", 1))
	want(t, "new", unsent("s"), "INBOX/3=a.3 Junk/3=c.1")
	want(t, "another sink", unsent("other"), "INBOX/1=a.1 INBOX/2=a.2 INBOX/3=a.3 Junk/1=b.1 Junk/2=b.2 Junk/3=c.1")
	if err := l.Ack(t.Context(), "s", 4711, 1); err == nil {
		t.Error("ack in no folder: no error")
	}
}

func testUnsentSnapshot(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	commit(t, l, c, mail("a", 1), mail("b", 1))
	rows := l.Unsent(t.Context(), "s")
	commit(t, l, c, mail("c", 1))
	n := 0
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		// It acknowledges and commits inside the loop, as a sink and a
		// session do: no transaction is held, and nothing is added.
		if err := l.Ack(t.Context(), "s", row.FolderID, row.Seq); err != nil {
			t.Fatal(err)
		}
		commit(t, l, c, mail(fmt.Sprint("new", n), 1))
		n++
	}
	if n != 2 {
		t.Errorf("%d records, want the 2 there were", n)
	}
}

func testRegister(t *testing.T, l Ledger) {
	a := claim(t, l, inbox)
	commit(t, l, a, mail("a", 1))
	register := func(sink string, atHead bool) {
		t.Helper()
		if err := l.Register(t.Context(), sink, atHead); err != nil {
			t.Fatal(err)
		}
	}
	unsent := func(sink string) string { return places(collect(t, l.Unsent(t.Context(), sink))) }
	register("head", true)
	register("start", false)
	register("start", true) // known already: stays where it is
	if err := l.Ack(t.Context(), "acked", a.ID, 0); err != nil {
		t.Fatal(err)
	}
	register("acked", true) // seen already
	commit(t, l, a, mail("b", 1))
	register("head", true)
	commit(t, l, claim(t, l, junk), mail("c", 1))
	want(t, "head", unsent("head"), "INBOX/2=b.1 Junk/1=c.1")
	want(t, "start", unsent("start"), "INBOX/1=a.1 INBOX/2=b.1 Junk/1=c.1")
	want(t, "acked", unsent("acked"), "INBOX/1=a.1 INBOX/2=b.1 Junk/1=c.1")
}

func testRecords(t *testing.T, l Ledger) {
	a, b := claim(t, l, inbox), claim(t, l, junk)
	other := claim(t, l, Folder{"hotmail", "INBOX"})
	m1, m2, m3, m4, m5 := mail("1", 2), mail("2", 1), mail("3", 1), mail("4", 1), mail("11", 1)
	m1.Records[0].At = noon.Add(3 * time.Hour) // times against the order of seq
	m1.Records[1].Event = "not_spam"
	m2.Records[0].At = noon.Add(time.Hour)
	m2.Records[0].Provider = "mailru"
	m3.Records[0].Class = "trap"
	m4.Records[0].Verdict = "yes"
	commit(t, l, b, m3)
	commit(t, l, a, m1, m2)
	commit(t, l, other, m4, m5)
	const (
		r11, r12, r2 = "INBOX/1=1.1", "INBOX/2=1.2", "INBOX/3=2.1"
		r3, r4, r5   = "Junk/1=3.1", "INBOX/1=4.1", "INBOX/2=11.1"
	)
	for _, test := range []struct {
		name string
		q    Query
		want string
	}{
		{"all", Query{}, join(r11, r12, r2, r3, r4, r5)},
		{"since", Query{Since: noon.Add(time.Hour)}, join(r11, r2)},
		{"until", Query{Until: noon.Add(time.Hour)}, join(r12, r3, r4, r5)},
		{"between", Query{Since: noon, Until: noon.Add(3 * time.Hour)}, join(r12, r2, r3, r4, r5)},
		{"account", Query{Account: "hotmail"}, join(r4, r5)},
		{"folder", Query{Folder: "INBOX"}, join(r11, r12, r2, r4, r5)},
		{"account and folder", Query{Account: "yahoo", Folder: "Junk"}, r3},
		{"event", Query{Event: "not_spam"}, r12},
		{"class", Query{Class: "trap"}, r3},
		{"provider", Query{Provider: "mailru"}, r2},
		{"verdict", Query{Verdict: "yes"}, r4},
		{"provider in time", Query{Provider: "mailru", Since: noon, Event: "complaint"}, r2},
		{"event in time", Query{Event: "complaint", Since: noon.Add(2 * time.Hour)}, r11},
		{"id", Query{ID: "1.2"}, r12},
		{"report id", Query{ID: "1"}, join(r11, r12)},
		{"report id of two digits", Query{ID: "11"}, r5},
		{"id in another folder", Query{ID: "1", Folder: "Junk"}, ""},
		{"id in time", Query{ID: "1", Since: noon.Add(time.Hour)}, r11},
		{"no such id", Query{ID: "1.3"}, ""},
		{"no such report", Query{ID: "%"}, ""},
		{"after seq", Query{FolderID: a.ID, AfterSeq: 1}, join(r12, r2)},
		{"limit", Query{Limit: 2}, join(r11, r12)},
		{"limit across folders", Query{Limit: 4}, join(r11, r12, r2, r3)},
		{"limit in time", Query{Limit: 1, Since: noon.Add(time.Minute)}, r11},
		{"no such event", Query{Event: "' OR 1=1 --"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			want(t, "rows", places(collect(t, l.Records(t.Context(), test.q))), test.want)
		})
	}
}

func join(s ...string) string { return strings.Join(s, " ") }

// More than a page, in number and in octets; with a writer between yields.
func testRecordsPages(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	big := strings.Repeat("x", pageBytes/3)
	var mails []Mail
	for i := range pageRows + 20 {
		m := mail(fmt.Sprintf("m%04d", i), 1)
		m.Records[0].At = noon.Add(-time.Duration(i) * time.Second)
		if i < 20 {
			m.Records[0].JSON = fmt.Appendf(nil, `{"text":"%s"}`, big)
		}
		mails = append(mails, m)
	}
	commit(t, l, c, mails...)
	for name, q := range map[string]Query{"by folder": {}, "by event": {Event: "complaint"}, "by time": {Since: noon.Add(-24 * time.Hour)}} {
		next := int64(1)
		for row, err := range l.Records(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Seq != next {
				t.Fatalf("%s: seq %d, want %d", name, row.Seq, next)
			}
			if next++; next%100 == 0 {
				if err := l.SetState(t.Context(), "s", "{}"); err != nil {
					t.Fatal(err)
				}
			}
		}
		if next != pageRows+21 {
			t.Errorf("%s: ended before seq %d", name, next)
		}
	}
}

func testHostileText(t *testing.T, l Ledger) {
	c := claim(t, l, Folder{"a'; DROP TABLE record; --", "\x00\xff"})
	evil := "'); DROP TABLE mail; --\x00\xff\u202e"
	m := mail(evil, 1)
	m.Kind, m.Head = evil, []byte(evil)
	m.Records[0] = Record{ID: evil + ".1", Revision: 2, At: noon, JSON: []byte(evil), Event: evil, Class: evil, Provider: evil,
		SourceIP: evil, Domain: evil, Campaign: evil, Subscriber: evil, Verdict: evil}
	commit(t, l, c, m)
	got := collect(t, l.Records(t.Context(), Query{Event: evil, Provider: evil, ID: evil, Account: c.Folder.Account}))
	diff(t, "records", got, []Row{{FolderID: c.ID, Folder: c.Folder, Seq: 1, Record: m.Records[0]}})
	if head, err := l.Head(t.Context(), evil); string(head) != evil || err != nil {
		t.Errorf("head %q, %v", head, err)
	}
	if done := commit(t, l, c, m); done.Duplicates != 1 {
		t.Errorf("read again: %+v", done)
	}
}

func testHeads(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	heads := map[string]string{"none": "", "one": "a", "long": strings.Repeat("long ", 100_000)}
	for i := range 40 {
		heads[fmt.Sprint("m", i)] = strings.Repeat(fmt.Sprint("head ", i), 500)
	}
	var mails []Mail
	for id, head := range heads {
		m := mail(id, 0)
		m.Head = []byte(head)
		mails = append(mails, m, m) // the second is a duplicate
	}
	commit(t, l, c, mails...)
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
	old, young := mail("old", 2), mail("young", 1)
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
	// The mail is still known, and a number is not given twice.
	if done := commit(t, l, c, old, mail("new", 1)); done.Duplicates != 1 || done.Rows[0].Seq != 4 {
		t.Errorf("after pruning: %+v", done)
	}
	// A head's place is not given to another once all are gone.
	prune(time.Now().Add(time.Hour), time.Now().Add(time.Hour))
	commit(t, l, c, mail("last", 1))
	if head, err := l.Head(t.Context(), "old"); head != nil || err != nil {
		t.Errorf("a pruned head came back: %q, %v", head, err)
	}
	want(t, "all but the last pruned", places(collect(t, l.Records(t.Context(), Query{}))), "INBOX/5=last.1")
}

func testTodos(t *testing.T, l Ledger) {
	a, b := claim(t, l, inbox), claim(t, l, junk)
	add := func(c Claim, v uint32, todos ...Todo) {
		t.Helper()
		if _, err := l.Commit(t.Context(), c, Batch{Checkpoint: Checkpoint{UIDValidity: v}, Todos: todos}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(c Claim, want ...Todo) {
		t.Helper()
		got, err := l.Todos(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		diff(t, "todos", got, want)
	}
	add(a, 7, Todo{7, 9, "seen"}, Todo{7, 3, "seen"})
	add(b, 7, Todo{7, 9, "seen"})
	add(a, 7, Todo{7, 9, "seen"}, Todo{7, 9, "move Done"}) // the first is owed already
	check(a, Todo{7, 9, "seen"}, Todo{7, 3, "seen"}, Todo{7, 9, "move Done"})
	if err := l.Done(t.Context(), a, []Todo{{7, 9, "seen"}, {7, 100, "seen"}}); err != nil {
		t.Fatal(err)
	}
	check(a, Todo{7, 3, "seen"}, Todo{7, 9, "move Done"})
	add(a, 8, Todo{8, 1, "seen"}) // another UIDVALIDITY drops what was owed
	check(a, Todo{8, 1, "seen"})
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

func testCounts(t *testing.T, l Ledger) {
	a, b := claim(t, l, inbox), claim(t, l, junk)
	m1, m2, m3 := mail("1", 2), mail("2", 1), mail("3", 1)
	m1.Records[1].At = noon.Add(59*time.Minute + 59*time.Second)
	m2.Records[0].At = noon.Add(time.Hour)
	m3.Records[0].Event = "not_spam"
	human := mail("4", 0)
	human.Kind = "human"
	commit(t, l, a, m1, m2, human)
	commit(t, l, b, m3, m1)
	commit(t, l, b, m3)
	counts := func(since, until time.Time) []Count {
		t.Helper()
		c, err := l.Counts(t.Context(), since, until)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	complaints := Count{noon, "complaint", "fbl", "yahoo", "review", 2}
	other := Count{noon, "not_spam", "fbl", "yahoo", "review", 1}
	later := Count{noon.Add(time.Hour), "complaint", "fbl", "yahoo", "review", 1}
	diff(t, "all", counts(time.Time{}, time.Time{}), []Count{complaints, other, later})
	diff(t, "since", counts(noon.Add(time.Hour), time.Time{}), []Count{later})
	diff(t, "until", counts(noon, noon.Add(time.Hour)), []Count{complaints, other})
	mails, err := l.MailCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "mails", mails, []MailCount{{inbox, "arf", 2}, {inbox, "human", 1}, {junk, "arf", 1}})
}

func testCancelledReads(t *testing.T, l Ledger) {
	commit(t, l, claim(t, l, inbox), mail("a", 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Folders(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Folders: %v", err)
	}
	for name, rows := range map[string]iter.Seq2[Row, error]{"Records": l.Records(ctx, Query{}), "Unsent": l.Unsent(ctx, "s")} {
		n := 0
		for _, err := range rows {
			if n++; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n != 1 {
			t.Errorf("%s yielded %d times", name, n)
		}
	}
}

// Two sessions commit while readers look: every look sees whole batches, in
// order, and their counts.
func testReadersBesideWriters(t *testing.T, l Ledger) {
	const batches, size = 30, 10
	var wg sync.WaitGroup
	for _, f := range []Folder{inbox, junk} {
		c := claim(t, l, f)
		wg.Go(func() {
			for i := range batches {
				var mails []Mail
				for j := range size {
					mails = append(mails, mail(fmt.Sprintf("%s-%d-%d", f.Name, i, j), 1))
				}
				if _, err := l.Commit(t.Context(), c, Batch{Mails: mails, Checkpoint: Checkpoint{High: uint32(i)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		next := map[int64]int64{}
		for row, err := range l.Records(t.Context(), Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			if next[row.FolderID]++; row.Seq != next[row.FolderID] {
				t.Fatalf("seq %d, want %d", row.Seq, next[row.FolderID])
			}
		}
		counts, err := l.MailCounts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range counts {
			if c.N%size != 0 {
				t.Fatalf("half a batch is counted: %+v", c)
			}
		}
		for id, n := range next {
			if n%size != 0 {
				t.Fatalf("half a batch is seen in folder %d: %d", id, n)
			}
		}
	}
	if n := len(collect(t, l.Records(t.Context(), Query{}))); n != 2*batches*size {
		t.Errorf("%d records", n)
	}
}
