package ledgertest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// revised makes the next revision of a record.
func Revised(r ledger.Record, revision int, change func(*ledger.Record)) ledger.Record {
	r.Revision = revision
	r.JSON = fmt.Appendf(nil, `{"id":%q,"revision":%d}`, r.ID, revision)
	if change != nil {
		change(&r)
	}
	return r
}

func Revise(t *testing.T, l ledger.Ledger, revisions ...ledger.Revision) ledger.Revised {
	t.Helper()
	done, err := l.Revise(t.Context(), revisions)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func testRevise(t *testing.T, l ledger.Ledger) {
	c, d := Claim(t, l, Inbox), Claim(t, l, Junk)
	a, b := Message("a", 2), Message("b", 1)
	b.Records[0].ID = "b.0"
	Commit(t, l, c, a, b)
	Commit(t, l, d, Message("d", 1))
	if err := l.Register(t.Context(), "s", true); err != nil {
		t.Fatal(err)
	}

	done := Revise(t, l,
		ledger.Revision{ReportID: "a", Records: []ledger.Record{Revised(a.Records[1], 2, nil)}},
		// An unparsed message is now a report about two people.
		ledger.Revision{ReportID: "b", Kind: "report", Replaced: []string{"b.0"}, Records: []ledger.Record{
			Revised(b.Records[0], 1, func(r *ledger.Record) { r.ID = "b.1" }), Revised(b.Records[0], 1, func(r *ledger.Record) { r.ID = "b.2" })}})
	Want(t, "revised", Places(done.Rows), "INBOX/4=a.2 INBOX/5=b.1 INBOX/6=b.2")
	Want(t, "stale", strings.Join(done.Stale, " "), "")
	Commit(t, l, c, Message("e", 1)) // goes on after them

	records := func(q ledger.Query) string { t.Helper(); return Places(Rows(t, l.Records(t.Context(), q))) }
	Want(t, "current", records(ledger.Query{}), "INBOX/1=a.1 INBOX/4=a.2 INBOX/5=b.1 INBOX/6=b.2 INBOX/7=e.1 Junk/1=d.1")
	Want(t, "all", records(ledger.Query{Replaced: true}), "INBOX/1=a.1 INBOX/2=a.2 INBOX/3=b.0 INBOX/4=a.2 INBOX/5=b.1 INBOX/6=b.2 INBOX/7=e.1 Junk/1=d.1")
	Want(t, "by id", records(ledger.Query{ID: "a.2"}), "INBOX/4=a.2")
	Want(t, "by report", records(ledger.Query{ID: "a"}), "INBOX/1=a.1 INBOX/4=a.2")
	Want(t, "all by report", records(ledger.Query{ID: "b", Replaced: true}), "INBOX/3=b.0 INBOX/5=b.1 INBOX/6=b.2")
	Want(t, "all by id", records(ledger.Query{ID: "a.2", Replaced: true}), "INBOX/2=a.2 INBOX/4=a.2")
	Want(t, "in time", records(ledger.Query{Since: Noon, Until: Noon.Add(time.Hour), Folder: "INBOX", Limit: 2}), "INBOX/1=a.1 INBOX/4=a.2")

	unsent := Rows(t, l.Unsent(t.Context(), "s"))
	Want(t, "unsent", Places(unsent), "INBOX/4=a.2 INBOX/5=b.1 INBOX/6=b.2 INBOX/7=e.1")
	Want(t, "as it goes out", string(unsent[0].JSON), `{"id":"a.2","revision":2}`)

	// A third revision, made of the second.
	done = Revise(t, l, ledger.Revision{ReportID: "a", Records: []ledger.Record{Revised(a.Records[1], 3, nil)}})
	Want(t, "again", Places(done.Rows), "INBOX/8=a.2")
	row := Rows(t, l.Records(t.Context(), ledger.Query{ID: "a.2"}))
	if len(row) != 1 || row[0].Revision != 3 || row[0].Replaced {
		t.Errorf("after three revisions: %+v", row)
	}
	// An id that was superseded comes back with its next revision.
	Revise(t, l, ledger.Revision{ReportID: "b", Replaced: []string{"b.1", "b.2"}, Records: []ledger.Record{Revised(b.Records[0], 2, nil)}})
	Want(t, "back", records(ledger.Query{ID: "b"}), "INBOX/9=b.0")

	// A duplicate of a message that was revised is known still.
	if done := Commit(t, l, c, a); done.Duplicates != 1 {
		t.Errorf("the message again: %+v", done)
	}
}

func testReviseCounts(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	a, none := Message("a", 1), Message("n", 0)
	none.Kind = "other"
	a.Records[0].Identity = "unknown"
	Commit(t, l, c, a, none, Message("b", 1))
	Revise(t, l,
		ledger.Revision{ReportID: "a", Records: []ledger.Record{Revised(a.Records[0], 2, func(r *ledger.Record) { r.Identity, r.Verdict = "identified", "yes" })}},
		ledger.Revision{ReportID: "n", Kind: "arf", Records: Message("n", 1).Records})
	counts, err := l.Counts(t.Context(), time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	Diff(t, "counts", counts, []ledger.Count{
		{Hour: Noon, Event: "complaint", Class: "fbl", Provider: "yahoo", Feed: "cfl", Identity: "", Verdict: "review", N: 2},
		{Hour: Noon, Event: "complaint", Class: "fbl", Provider: "yahoo", Feed: "cfl", Identity: "identified", Verdict: "yes", N: 1},
	})
	messages, err := l.MessageCounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	Diff(t, "messages", messages, []ledger.MessageCount{{Folder: Inbox, Kind: "arf", N: 3}})
	Want(t, "a message that had none", Places(Rows(t, l.Records(t.Context(), ledger.Query{ID: "n"}))), "INBOX/4=n.1")
}

// A revision of records that are no longer current changes nothing.
func testReviseStale(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	a, b := Message("a", 1), Message("b", 1)
	Commit(t, l, c, a, b)
	for name, r := range map[string]ledger.Revision{
		"a message not known":   {ReportID: "x", Records: Message("x", 1).Records},
		"the same revision":     {ReportID: "a", Records: a.Records},
		"one too many":          {ReportID: "a", Records: []ledger.Record{Revised(a.Records[0], 3, nil)}},
		"a new id at 2":         {ReportID: "a", Records: []ledger.Record{Revised(a.Records[0], 2, func(r *ledger.Record) { r.ID = "a.2" })}},
		"replaces none":         {ReportID: "a", Replaced: []string{"a.0"}},
		"the same twice":        {ReportID: "a", Records: []ledger.Record{Revised(a.Records[0], 2, nil), Revised(a.Records[0], 2, nil)}},
		"replaces one twice":    {ReportID: "a", Replaced: []string{"a.1", "a.1"}},
		"a record of message b": {ReportID: "a", Replaced: []string{"b.1"}},
	} {
		good := ledger.Revision{ReportID: "b", Records: []ledger.Record{Revised(b.Records[0], 2, nil)}}
		if done := Revise(t, l, r); len(done.Rows) != 0 || strings.Join(done.Stale, " ") != r.ReportID {
			t.Errorf("%s: %+v", name, done)
		}
		if name != "one too many" {
			continue
		}
		// It does not hold up its neighbours.
		if done := Revise(t, l, r, good); Places(done.Rows) != "INBOX/3=b.1" || len(done.Stale) != 1 {
			t.Errorf("with a neighbour: %+v", done)
		}
	}
	Want(t, "records", Places(Rows(t, l.Records(t.Context(), ledger.Query{Replaced: true}))), "INBOX/1=a.1 INBOX/2=b.1 INBOX/3=b.1")
}

func testKept(t *testing.T, l ledger.Ledger) {
	c, d := Claim(t, l, Inbox), Claim(t, l, Junk)
	var messages []ledger.Message
	for i := range 100 { // several packs
		m := Message(fmt.Sprintf("m%02d", i), i%3)
		m.Head = []byte(strings.Repeat(m.ReportID, 1000))
		m.UID, m.Size, m.At = uint32(i+1), int64(i), Noon.Add(time.Duration(i)*time.Minute)
		if i%3 == 0 {
			m.Kind = "other"
		}
		messages = append(messages, m)
	}
	Commit(t, l, c, messages[:60]...)
	Commit(t, l, d, messages[60:]...)
	kept := func(since time.Time, kinds ...string) (all []ledger.KeptMessage) {
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
		where := ledger.KeptMessage{Message: m, FolderID: c.ID, Folder: Inbox, Made: i % 3}
		if i >= 60 {
			where.FolderID, where.Folder = d.ID, Junk
		}
		Diff(t, m.ReportID, k, where)
	}
	if others := kept(time.Time{}, "other"); len(others) != 34 || others[1].ReportID != "m03" {
		t.Errorf("others: %d", len(others))
	}
	if late := kept(Noon.Add(90*time.Minute), "other", "arf"); len(late) != 10 || late[0].ReportID != "m90" {
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
