package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func testUnsent(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	Commit(t, l, a, Message("a", 3))
	Commit(t, l, b, Message("b", 2))
	unsent := func(sink string) string { return Places(Rows(t, l.Unsent(t.Context(), sink))) }
	ack := func(sink string, folder, seq int64) {
		t.Helper()
		if err := l.Ack(t.Context(), sink, 0, folder, seq); err != nil {
			t.Fatal(err)
		}
	}
	Want(t, "all", unsent("s"), "INBOX/1=a.1 INBOX/2=a.2 INBOX/3=a.3 Junk/1=b.1 Junk/2=b.2")
	ack("s", a.ID, 2)
	Want(t, "after 2", unsent("s"), "INBOX/3=a.3 Junk/1=b.1 Junk/2=b.2")
	ack("s", a.ID, 1) // never back
	Want(t, "after 1", unsent("s"), "INBOX/3=a.3 Junk/1=b.1 Junk/2=b.2")
	ack("s", b.ID, 99) // never past what there is
	Want(t, "after 99", unsent("s"), "INBOX/3=a.3")
	Commit(t, l, b, Message("c", 1))
	Want(t, "new", unsent("s"), "INBOX/3=a.3 Junk/3=c.1")
	Want(t, "without a folder", Places(Rows(t, l.Unsent(t.Context(), "s", a.ID))), "Junk/3=c.1")
	Want(t, "without any", Places(Rows(t, l.Unsent(t.Context(), "s", a.ID, b.ID))), "")
	if folders, err := l.Folders(t.Context()); err != nil || folders[0].Last != 3 || folders[1].Last != 3 {
		t.Errorf("folders %v, %v, want Last 3 of each", folders, err)
	}
	Want(t, "another sink", unsent("other"), "INBOX/1=a.1 INBOX/2=a.2 INBOX/3=a.3 Junk/1=b.1 Junk/2=b.2 Junk/3=c.1")
	if err := l.Ack(t.Context(), "s", 0, 4711, 1); err == nil {
		t.Error("ack in no folder: no error")
	}
}

func testReportIDs(t *testing.T, l ledger.Ledger) {
	Commit(t, l, Claim(t, l, Inbox), Message("abd", 1), Message("abc", 2), Message("b", 1), Message("ab", 0))
	for prefix, want := range map[string]string{"": "ab abc abd", "ab": "ab abc abd", "abc": "abc", "c": "", "abc.": "", "a%": ""} {
		ids, err := l.ReportIDs(t.Context(), prefix, 3)
		if err != nil {
			t.Fatal(err)
		}
		Want(t, "ids of "+prefix, strings.Join(ids, " "), want)
	}
}

func testUnsentSnapshot(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	Commit(t, l, c, Message("a", 1), Message("b", 1))
	rows := l.Unsent(t.Context(), "s")
	Commit(t, l, c, Message("c", 1))
	n := 0
	for row, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		// It acknowledges and commits inside the loop, as a sink and a
		// session do: no transaction is held, and nothing is added.
		if err := l.Ack(t.Context(), "s", 0, row.FolderID, row.Seq); err != nil {
			t.Fatal(err)
		}
		Commit(t, l, c, Message(fmt.Sprint("new", n), 1))
		n++
	}
	if n != 2 {
		t.Errorf("%d records, want the 2 there were", n)
	}
}

func testRegister(t *testing.T, l ledger.Ledger) {
	a := Claim(t, l, Inbox)
	Commit(t, l, a, Message("a", 1))
	register := func(sink string, atHead bool) {
		t.Helper()
		if err := l.Register(t.Context(), sink, atHead); err != nil {
			t.Fatal(err)
		}
	}
	unsent := func(sink string) string { return Places(Rows(t, l.Unsent(t.Context(), sink))) }
	register("head", true)
	register("start", false)
	register("start", true) // known already: stays where it is
	if err := l.Ack(t.Context(), "acked", 0, a.ID, 0); err != nil {
		t.Fatal(err)
	}
	register("acked", true) // seen already
	Commit(t, l, a, Message("b", 1))
	register("head", true)
	Commit(t, l, Claim(t, l, Junk), Message("c", 1))
	Want(t, "head", unsent("head"), "INBOX/2=b.1 Junk/1=c.1")
	Want(t, "start", unsent("start"), "INBOX/1=a.1 INBOX/2=b.1 Junk/1=c.1")
	Want(t, "acked", unsent("acked"), "INBOX/1=a.1 INBOX/2=b.1 Junk/1=c.1")
}

func testRecords(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	other := Claim(t, l, ledger.Folder{Account: "hotmail", Name: "INBOX"})
	m1, m2, m3, m4, m5 := Message("1", 2), Message("2", 1), Message("3", 1), Message("4", 1), Message("11", 1)
	m1.Records[0].At = Noon.Add(3 * time.Hour) // times against the order of seq
	m1.Records[1].Event = "not_spam"
	m2.Records[0].At = Noon.Add(time.Hour)
	m2.Records[0].Provider = "mailru"
	m3.Records[0].Class = "trap"
	m4.Records[0].Verdict = "yes"
	Commit(t, l, b, m3)
	Commit(t, l, a, m1, m2)
	Commit(t, l, other, m4, m5)
	const (
		r11, r12, r2 = "INBOX/1=1.1", "INBOX/2=1.2", "INBOX/3=2.1"
		r3, r4, r5   = "Junk/1=3.1", "INBOX/1=4.1", "INBOX/2=11.1"
	)
	for _, test := range []struct {
		name string
		q    ledger.Query
		want string
	}{
		{"all", ledger.Query{}, join(r11, r12, r2, r3, r4, r5)},
		{"since", ledger.Query{Since: Noon.Add(time.Hour)}, join(r11, r2)},
		{"until", ledger.Query{Until: Noon.Add(time.Hour)}, join(r12, r3, r4, r5)},
		{"between", ledger.Query{Since: Noon, Until: Noon.Add(3 * time.Hour)}, join(r12, r2, r3, r4, r5)},
		{"account", ledger.Query{Account: "hotmail"}, join(r4, r5)},
		{"folder", ledger.Query{Folder: "INBOX"}, join(r11, r12, r2, r4, r5)},
		{"account and folder", ledger.Query{Account: "yahoo", Folder: "Junk"}, r3},
		{"event", ledger.Query{Event: "not_spam"}, r12},
		{"class", ledger.Query{Class: "trap"}, r3},
		{"provider", ledger.Query{Provider: "mailru"}, r2},
		{"verdict", ledger.Query{Verdict: "yes"}, r4},
		{"provider and complaint", ledger.Query{Provider: "mailru", Event: "complaint"}, r2},
		{"provider and not_spam", ledger.Query{Provider: "yahoo", Event: "not_spam"}, r12},
		{"provider without such an event", ledger.Query{Provider: "mailru", Event: "not_spam"}, ""},
		{"provider in time", ledger.Query{Provider: "mailru", Since: Noon, Event: "complaint"}, r2},
		{"event in time", ledger.Query{Event: "complaint", Since: Noon.Add(2 * time.Hour)}, r11},
		{"id", ledger.Query{ID: "1.2"}, r12},
		{"report id", ledger.Query{ID: "1"}, join(r11, r12)},
		{"report id of two digits", ledger.Query{ID: "11"}, r5},
		{"id in another folder", ledger.Query{ID: "1", Folder: "Junk"}, ""},
		{"id in time", ledger.Query{ID: "1", Since: Noon.Add(time.Hour)}, r11},
		{"no such id", ledger.Query{ID: "1.3"}, ""},
		{"no such report", ledger.Query{ID: "%"}, ""},
		{"after seq", ledger.Query{FolderID: a.ID, AfterSeq: 1}, join(r12, r2)},
		{"limit", ledger.Query{Limit: 2}, join(r11, r12)},
		{"limit across folders", ledger.Query{Limit: 4}, join(r11, r12, r2, r3)},
		{"limit in time", ledger.Query{Limit: 1, Since: Noon.Add(time.Minute)}, r11},
		{"no such event", ledger.Query{Event: "' OR 1=1 --"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			Want(t, "rows", Places(Rows(t, l.Records(t.Context(), test.q))), test.want)
		})
	}
}

func join(s ...string) string { return strings.Join(s, " ") }

// manyRows are more than a ledger reads at once.
const manyRows = 520

// More than a page, in number and in octets; with a writer between yields.
func testRecordsPages(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	big := strings.Repeat("x", 2<<20)
	var messages []ledger.Message
	for i := range manyRows {
		m := Message(fmt.Sprintf("m%04d", i), 1)
		m.Records[0].At = Noon.Add(-time.Duration(i) * time.Second)
		if i < 20 {
			m.Records[0].JSON = fmt.Appendf(nil, `{"text":"%s"}`, big)
		}
		messages = append(messages, m)
	}
	Commit(t, l, c, messages...)
	for name, q := range map[string]ledger.Query{"by folder": {}, "by event": {Event: "complaint"}, "by time": {Since: Noon.Add(-24 * time.Hour)}} {
		next := int64(1)
		for row, err := range l.Records(t.Context(), q) {
			if err != nil {
				t.Fatal(err)
			}
			if row.Seq != next {
				t.Fatalf("%s: seq %d, want %d", name, row.Seq, next)
			}
			if next++; next%100 == 0 {
				if err := l.SetStates(t.Context(), ledger.Status{Name: "s"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if next != manyRows+1 {
			t.Errorf("%s: ended before seq %d", name, next)
		}
	}
}

func testHostileText(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, ledger.Folder{Account: "a'; DROP TABLE record; --", Name: "\x00\xff"})
	evil := "'); DROP TABLE mail; --\x00\xff\u202e"
	m := Message(evil, 1)
	m.Kind, m.Head = evil, []byte(evil)
	m.Records[0] = ledger.Record{ID: evil + ".1", Revision: 2, At: Noon, JSON: []byte(evil), Event: evil, Class: evil, Provider: evil,
		SourceIP: evil, Domain: evil, Campaign: evil, Subscriber: evil, Verdict: evil}
	Commit(t, l, c, m)
	got := Rows(t, l.Records(t.Context(), ledger.Query{Event: evil, Provider: evil, ID: evil, Account: c.Folder.Account}))
	Diff(t, "records", got, []ledger.Row{{FolderID: c.ID, Folder: c.Folder, Seq: 1, Record: m.Records[0]}})
	if head, err := l.Head(t.Context(), evil); string(head) != evil || err != nil {
		t.Errorf("head %q, %v", head, err)
	}
	if done := Commit(t, l, c, m); done.Duplicates != 1 {
		t.Errorf("read again: %+v", done)
	}
}

func testCancelledReads(t *testing.T, l ledger.Ledger) {
	Commit(t, l, Claim(t, l, Inbox), Message("a", 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Folders(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Folders: %v", err)
	}
	for name, rows := range map[string]iter.Seq2[ledger.Row, error]{"Records": l.Records(ctx, ledger.Query{}), "Unsent": l.Unsent(ctx, "s")} {
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
func testReadersBesideWriters(t *testing.T, l ledger.Ledger) {
	const batches, size = 30, 10
	var wg sync.WaitGroup
	for _, f := range []ledger.Folder{Inbox, Junk} {
		c := Claim(t, l, f)
		wg.Go(func() {
			for i := range batches {
				var messages []ledger.Message
				for j := range size {
					messages = append(messages, Message(fmt.Sprintf("%s-%d-%d", f.Name, i, j), 1))
				}
				if _, err := l.Commit(t.Context(), c, ledger.Batch{Messages: messages, Checkpoint: ledger.Checkpoint{High: uint32(i)}}); err != nil {
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
		for row, err := range l.Records(t.Context(), ledger.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			if next[row.FolderID]++; row.Seq != next[row.FolderID] {
				t.Fatalf("seq %d, want %d", row.Seq, next[row.FolderID])
			}
		}
		counts, err := l.MessageCounts(t.Context())
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
	if n := len(Rows(t, l.Records(t.Context(), ledger.Query{}))); n != 2*batches*size {
		t.Errorf("%d records", n)
	}
}

func testCounts(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	m1, m2, m3 := Message("1", 2), Message("2", 1), Message("3", 1)
	m1.Records[1].At = Noon.Add(59*time.Minute + 59*time.Second)
	m2.Records[0].At = Noon.Add(time.Hour)
	m3.Records[0].Event = "not_spam"
	human := Message("4", 0)
	human.Kind = "human"
	Commit(t, l, a, m1, m2, human)
	Commit(t, l, b, m3, m1)
	Commit(t, l, b, m3)
	counts := func(since, until time.Time) []ledger.Count {
		t.Helper()
		c, err := l.Counts(t.Context(), since, until)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	complaints := ledger.Count{Hour: Noon, Event: "complaint", Class: "fbl", Provider: "yahoo", Feed: "cfl", Identity: "", Verdict: "review", N: 2}
	other := ledger.Count{Hour: Noon, Event: "not_spam", Class: "fbl", Provider: "yahoo", Feed: "cfl", Identity: "", Verdict: "review", N: 1}
	later := ledger.Count{Hour: Noon.Add(time.Hour), Event: "complaint", Class: "fbl", Provider: "yahoo", Feed: "cfl", Identity: "", Verdict: "review", N: 1}
	Diff(t, "all", counts(time.Time{}, time.Time{}), []ledger.Count{complaints, other, later})
	Diff(t, "since", counts(Noon.Add(time.Hour), time.Time{}), []ledger.Count{later})
	Diff(t, "until", counts(Noon, Noon.Add(time.Hour)), []ledger.Count{complaints, other})
	messages, err := l.MessageCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	Diff(t, "messages", messages, []ledger.MessageCount{{Folder: Inbox, Kind: "arf", N: 2}, {Folder: Inbox, Kind: "human", N: 1}, {Folder: Junk, Kind: "arf", N: 1}})
}

func testPlaces(t *testing.T, l ledger.Ledger) {
	at := func(id string, uid uint32, origin uint64) ledger.Message {
		m := Message(id, 1)
		m.UID, m.Origin = uid, origin
		return m
	}
	c := Claim(t, l, Inbox)
	Commit(t, l, c, at("c", 7, 1<<63), at("a", 2, 5), at("b", 7, 0))
	older := at("o", 2, 5)
	older.UIDValidity = 8
	Commit(t, l, c, older, at("a", 3, 5)) // "a" is known, so it has one place
	Commit(t, l, Claim(t, l, Junk), at("j", 2, 6))
	for _, test := range []struct {
		from  uint32
		limit int
		want  []ledger.Place
	}{
		{0, 10, []ledger.Place{{UID: 2, ReportID: "a", Origin: 5}, {UID: 7, ReportID: "b", Origin: 0}, {UID: 7, ReportID: "c", Origin: 1 << 63}}},
		{3, 10, []ledger.Place{{UID: 7, ReportID: "b", Origin: 0}, {UID: 7, ReportID: "c", Origin: 1 << 63}}},
		{0, 2, []ledger.Place{{UID: 2, ReportID: "a", Origin: 5}, {UID: 7, ReportID: "b", Origin: 0}}},
		{8, 10, nil},
	} {
		got, err := l.Places(t.Context(), c.ID, 9, test.from, test.limit)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("from %d, at most %d: %v, %v; want %v", test.from, test.limit, got, err, test.want)
		}
	}
}
