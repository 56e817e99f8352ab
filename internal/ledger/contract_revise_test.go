package ledger

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// revised makes the next revision of a record.
func revised(r Record, revision int, change func(*Record)) Record {
	r.Revision = revision
	r.JSON = fmt.Appendf(nil, `{"id":%q,"revision":%d}`, r.ID, revision)
	if change != nil {
		change(&r)
	}
	return r
}

func revise(t *testing.T, l Ledger, revisions ...Revision) Revised {
	t.Helper()
	done, err := l.Revise(t.Context(), revisions)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func testRevise(t *testing.T, l Ledger) {
	c, d := claim(t, l, inbox), claim(t, l, junk)
	a, b := message("a", 2), message("b", 1)
	b.Records[0].ID = "b.0"
	commit(t, l, c, a, b)
	commit(t, l, d, message("d", 1))
	if err := l.Register(t.Context(), "s", true); err != nil {
		t.Fatal(err)
	}

	done := revise(t, l,
		Revision{ReportID: "a", Records: []Record{revised(a.Records[1], 2, nil)}},
		// What could not be read is a report about two.
		Revision{ReportID: "b", Kind: "report", Replaced: []string{"b.0"}, Records: []Record{
			revised(b.Records[0], 1, func(r *Record) { r.ID = "b.1" }), revised(b.Records[0], 1, func(r *Record) { r.ID = "b.2" })}})
	want(t, "revised", places(done.Rows), "INBOX/4=a.2 INBOX/5=b.1 INBOX/6=b.2")
	want(t, "stale", strings.Join(done.Stale, " "), "")
	commit(t, l, c, message("e", 1)) // goes on behind them

	records := func(q Query) string { t.Helper(); return places(collect(t, l.Records(t.Context(), q))) }
	want(t, "current", records(Query{}), "INBOX/1=a.1 INBOX/4=a.2 INBOX/5=b.1 INBOX/6=b.2 INBOX/7=e.1 Junk/1=d.1")
	want(t, "all", records(Query{Replaced: true}), "INBOX/1=a.1 INBOX/2=a.2 INBOX/3=b.0 INBOX/4=a.2 INBOX/5=b.1 INBOX/6=b.2 INBOX/7=e.1 Junk/1=d.1")
	want(t, "by id", records(Query{ID: "a.2"}), "INBOX/4=a.2")
	want(t, "by report", records(Query{ID: "a"}), "INBOX/1=a.1 INBOX/4=a.2")
	want(t, "all by report", records(Query{ID: "b", Replaced: true}), "INBOX/3=b.0 INBOX/5=b.1 INBOX/6=b.2")
	want(t, "all by id", records(Query{ID: "a.2", Replaced: true}), "INBOX/2=a.2 INBOX/4=a.2")
	want(t, "in time", records(Query{Since: noon, Until: noon.Add(time.Hour), Folder: "INBOX", Limit: 2}), "INBOX/1=a.1 INBOX/4=a.2")

	unsent := collect(t, l.Unsent(t.Context(), "s"))
	want(t, "unsent", places(unsent), "INBOX/4=a.2 INBOX/5=b.1 INBOX/6=b.2 INBOX/7=e.1")
	want(t, "as it goes out", string(unsent[0].JSON), `{"id":"a.2","revision":2}`)

	// A third revision, by one who has seen the second.
	done = revise(t, l, Revision{ReportID: "a", Records: []Record{revised(a.Records[1], 3, nil)}})
	want(t, "again", places(done.Rows), "INBOX/8=a.2")
	row := collect(t, l.Records(t.Context(), Query{ID: "a.2"}))
	if len(row) != 1 || row[0].Revision != 3 || row[0].Replaced {
		t.Errorf("after three revisions: %+v", row)
	}
	// An id that was superseded comes back with its next revision.
	revise(t, l, Revision{ReportID: "b", Replaced: []string{"b.1", "b.2"}, Records: []Record{revised(b.Records[0], 2, nil)}})
	want(t, "back", records(Query{ID: "b"}), "INBOX/9=b.0")

	// A duplicate of a message that was revised is known still.
	if done := commit(t, l, c, a); done.Duplicates != 1 {
		t.Errorf("the mail again: %+v", done)
	}
}

func testReviseCounts(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	a, none := message("a", 1), message("n", 0)
	none.Kind = "other"
	a.Records[0].Identity = "unknown"
	commit(t, l, c, a, none, message("b", 1))
	revise(t, l,
		Revision{ReportID: "a", Records: []Record{revised(a.Records[0], 2, func(r *Record) { r.Identity, r.Verdict = "identified", "yes" })}},
		Revision{ReportID: "n", Kind: "arf", Records: message("n", 1).Records})
	counts, err := l.Counts(t.Context(), time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "counts", counts, []Count{
		{noon, "complaint", "fbl", "yahoo", "cfl", "", "review", 2},
		{noon, "complaint", "fbl", "yahoo", "cfl", "identified", "yes", 1},
	})
	messages, err := l.MessageCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "mails", messages, []MessageCount{{inbox, "arf", 3}})
	want(t, "a mail that had none", places(collect(t, l.Records(t.Context(), Query{ID: "n"}))), "INBOX/4=n.1")
}

// What was made of records that are no longer current changes nothing.
func testReviseStale(t *testing.T, l Ledger) {
	c := claim(t, l, inbox)
	a, b := message("a", 1), message("b", 1)
	commit(t, l, c, a, b)
	for name, r := range map[string]Revision{
		"a mail not known":     {ReportID: "x", Records: message("x", 1).Records},
		"the same revision":    {ReportID: "a", Records: a.Records},
		"one too many":         {ReportID: "a", Records: []Record{revised(a.Records[0], 3, nil)}},
		"a new id at 2":        {ReportID: "a", Records: []Record{revised(a.Records[0], 2, func(r *Record) { r.ID = "a.2" })}},
		"replaces none":        {ReportID: "a", Replaced: []string{"a.0"}},
		"the same twice":       {ReportID: "a", Records: []Record{revised(a.Records[0], 2, nil), revised(a.Records[0], 2, nil)}},
		"replaces one twice":   {ReportID: "a", Replaced: []string{"a.1", "a.1"}},
		"a record of a mail b": {ReportID: "a", Replaced: []string{"b.1"}},
	} {
		good := Revision{ReportID: "b", Records: []Record{revised(b.Records[0], 2, nil)}}
		if done := revise(t, l, r); len(done.Rows) != 0 || strings.Join(done.Stale, " ") != r.ReportID {
			t.Errorf("%s: %+v", name, done)
		}
		if name != "one too many" {
			continue
		}
		// It does not hold up its neighbours.
		if done := revise(t, l, r, good); places(done.Rows) != "INBOX/3=b.1" || len(done.Stale) != 1 {
			t.Errorf("with a neighbour: %+v", done)
		}
	}
	want(t, "records", places(collect(t, l.Records(t.Context(), Query{Replaced: true}))), "INBOX/1=a.1 INBOX/2=b.1 INBOX/3=b.1")
}

func testKept(t *testing.T, l Ledger) {
	c, d := claim(t, l, inbox), claim(t, l, junk)
	var messages []Message
	for i := range 100 { // several packs
		m := message(fmt.Sprintf("m%02d", i), i%3)
		m.Head = []byte(strings.Repeat(m.ReportID, 1000))
		m.UID, m.Size, m.At = uint32(i+1), int64(i), noon.Add(time.Duration(i)*time.Minute)
		if i%3 == 0 {
			m.Kind = "other"
		}
		messages = append(messages, m)
	}
	commit(t, l, c, messages[:60]...)
	commit(t, l, d, messages[60:]...)
	kept := func(since time.Time, kinds ...string) (all []KeptMessage) {
		t.Helper()
		for k, err := range l.KeptMessages(t.Context(), since, kinds...) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, k)
		}
		return all
	}
	all := kept(time.Time{})
	if len(all) != 100 {
		t.Fatalf("%d are kept", len(all))
	}
	for i, k := range all {
		m := messages[i]
		m.Records = nil
		where := KeptMessage{Message: m, FolderID: c.ID, Folder: inbox, Made: i % 3}
		if i >= 60 {
			where.FolderID, where.Folder = d.ID, junk
		}
		diff(t, m.ReportID, k, where)
	}
	if others := kept(time.Time{}, "other"); len(others) != 34 || others[1].ReportID != "m03" {
		t.Errorf("others: %d", len(others))
	}
	if late := kept(noon.Add(90*time.Minute), "other", "arf"); len(late) != 10 || late[0].ReportID != "m90" {
		t.Errorf("late: %d", len(late))
	}
	if none := kept(time.Time{}, "dsn"); len(none) != 0 {
		t.Errorf("of a kind there is not: %d", len(none))
	}
	for range l.KeptMessages(t.Context(), time.Time{}) { // may end early
		break
	}
	if err := l.Prune(t.Context(), time.Now().Add(time.Hour), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if all := kept(time.Time{}); len(all) != 0 {
		t.Errorf("after the heads were dropped: %d", len(all))
	}
}
