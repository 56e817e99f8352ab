package ledger

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
)

func testUnsent(t *testing.T, l Ledger) {
	a, b := claim(t, l, inbox), claim(t, l, junk)
	commit(t, l, a, message("a", 3))
	commit(t, l, b, message("b", 2))
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
	commit(t, l, b, message("c", 1))
	want(t, "new", unsent("s"), "INBOX/3=a.3 Junk/3=c.1")
	want(t, "without a folder", places(collect(t, l.Unsent(t.Context(), "s", a.ID))), "Junk/3=c.1")
	want(t, "without any", places(collect(t, l.Unsent(t.Context(), "s", a.ID, b.ID))), "")
	if folders, err := l.Folders(t.Context()); err != nil || folders[0].Last != 3 || folders[1].Last != 3 {
		t.Errorf("folders %v, %v, want Last 3 of each", folders, err)
	}
	want(t, "another sink", unsent("other"), "INBOX/1=a.1 INBOX/2=a.2 INBOX/3=a.3 Junk/1=b.1 Junk/2=b.2 Junk/3=c.1")
	if err := l.Ack(t.Context(), "s", 4711, 1); err == nil {
		t.Error("ack in no folder: no error")
	}
}

func testUnsentSnapshot(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	commit(t, l, c, message("a", 1), message("b", 1))
	rows := l.Unsent(t.Context(), "s")
	commit(t, l, c, message("c", 1))
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
		commit(t, l, c, message(fmt.Sprint("new", n), 1))
		n++
	}
	if n != 2 {
		t.Errorf("%d records, want the 2 there were", n)
	}
}

func testRegister(t *testing.T, l Ledger) {
	a := claim(t, l, inbox)
	commit(t, l, a, message("a", 1))
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
	commit(t, l, a, message("b", 1))
	register("head", true)
	commit(t, l, claim(t, l, junk), message("c", 1))
	want(t, "head", unsent("head"), "INBOX/2=b.1 Junk/1=c.1")
	want(t, "start", unsent("start"), "INBOX/1=a.1 INBOX/2=b.1 Junk/1=c.1")
	want(t, "acked", unsent("acked"), "INBOX/1=a.1 INBOX/2=b.1 Junk/1=c.1")
}

func testRecords(t *testing.T, l Ledger) {
	a, b := claim(t, l, inbox), claim(t, l, junk)
	other := claim(t, l, Folder{"hotmail", "INBOX"})
	m1, m2, m3, m4, m5 := message("1", 2), message("2", 1), message("3", 1), message("4", 1), message("11", 1)
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
		{"provider and complaint", Query{Provider: "mailru", Event: "complaint"}, r2},
		{"provider and not_spam", Query{Provider: "yahoo", Event: "not_spam"}, r12},
		{"provider without such an event", Query{Provider: "mailru", Event: "not_spam"}, ""},
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
	var messages []Message
	for i := range pageRows + 20 {
		m := message(fmt.Sprintf("m%04d", i), 1)
		m.Records[0].At = noon.Add(-time.Duration(i) * time.Second)
		if i < 20 {
			m.Records[0].JSON = fmt.Appendf(nil, `{"text":"%s"}`, big)
		}
		messages = append(messages, m)
	}
	commit(t, l, c, messages...)
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
	m := message(evil, 1)
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

func testCancelledReads(t *testing.T, l Ledger) {
	commit(t, l, claim(t, l, inbox), message("a", 1))
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
				var messages []Message
				for j := range size {
					messages = append(messages, message(fmt.Sprintf("%s-%d-%d", f.Name, i, j), 1))
				}
				if _, err := l.Commit(t.Context(), c, Batch{Messages: messages, Checkpoint: Checkpoint{High: uint32(i)}}); err != nil {
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
	if n := len(collect(t, l.Records(t.Context(), Query{}))); n != 2*batches*size {
		t.Errorf("%d records", n)
	}
}

func testCounts(t *testing.T, l Ledger) {
	a, b := claim(t, l, inbox), claim(t, l, junk)
	m1, m2, m3 := message("1", 2), message("2", 1), message("3", 1)
	m1.Records[1].At = noon.Add(59*time.Minute + 59*time.Second)
	m2.Records[0].At = noon.Add(time.Hour)
	m3.Records[0].Event = "not_spam"
	human := message("4", 0)
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
	complaints := Count{noon, "complaint", "fbl", "yahoo", "cfl", "", "review", 2}
	other := Count{noon, "not_spam", "fbl", "yahoo", "cfl", "", "review", 1}
	later := Count{noon.Add(time.Hour), "complaint", "fbl", "yahoo", "cfl", "", "review", 1}
	diff(t, "all", counts(time.Time{}, time.Time{}), []Count{complaints, other, later})
	diff(t, "since", counts(noon.Add(time.Hour), time.Time{}), []Count{later})
	diff(t, "until", counts(noon, noon.Add(time.Hour)), []Count{complaints, other})
	messages, err := l.MessageCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "mails", messages, []MessageCount{{inbox, "arf", 2}, {inbox, "human", 1}, {junk, "arf", 1}})
}

func testPlaces(t *testing.T, l Ledger) {
	at := func(id string, uid uint32, origin uint64) Message {
		m := message(id, 1)
		m.UID, m.Origin = uid, origin
		return m
	}
	c := claim(t, l, inbox)
	commit(t, l, c, at("c", 7, 1<<63), at("a", 2, 5), at("b", 7, 0))
	older := at("o", 2, 5)
	older.UIDValidity = 8
	commit(t, l, c, older, at("a", 3, 5)) // "a" is known, so it has one place
	commit(t, l, claim(t, l, junk), at("j", 2, 6))
	for _, test := range []struct {
		from  uint32
		limit int
		want  []Place
	}{
		{0, 10, []Place{{2, "a", 5}, {7, "b", 0}, {7, "c", 1 << 63}}},
		{3, 10, []Place{{7, "b", 0}, {7, "c", 1 << 63}}},
		{0, 2, []Place{{2, "a", 5}, {7, "b", 0}}},
		{8, 10, nil},
	} {
		got, err := l.Places(t.Context(), c.ID, 9, test.from, test.limit)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("from %d, at most %d: %v, %v; want %v", test.from, test.limit, got, err, test.want)
		}
	}
}
