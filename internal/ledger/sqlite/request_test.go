package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/ledgertest"
)

func edit(t *testing.T, path string) ledger.Editor {
	t.Helper()
	e, err := Edit(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEditAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	if _, err := Edit(t.Context(), path); !errors.Is(err, ledger.ErrNone) {
		t.Fatalf("a ledger that is not there: %v", err)
	}
	a := ledgertest.Message("a", 1)
	l := openTest(t, path)
	ledgertest.Commit(t, l, ledgertest.Claim(t, l, ledgertest.Inbox), a)
	l.Close()

	e := edit(t, path)
	done, err := e.Do(t.Context(), ledger.Change{Revise: []ledger.Revision{{ReportID: "a", Records: []ledger.Record{ledgertest.Revised(a.Records[0], 2, nil)}}, {ReportID: "x"}}})
	if err != nil || done.Records != 1 || len(done.Stale) != 1 {
		t.Errorf("changed %+v, %v", done, err)
	}
	if _, err := Open(t.Context(), path); !errors.Is(err, ledger.ErrLocked) {
		t.Errorf("a writer beside an editor: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	l = openTest(t, path)
	defer l.Close()
	ledgertest.Want(t, "records", ledgertest.Places(ledgertest.Rows(t, l.Records(t.Context(), ledger.Query{}))), "INBOX/2=a.1")
}

// Beside a writer the change is the writer's to make.
func TestEditBesideWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	a := ledgertest.Message("a", 1)
	l := openTest(t, path)
	defer l.Close()
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	ledgertest.Commit(t, l, c, a)
	if err := l.Register(t.Context(), "s", false); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Dir(path)) // the path that is asked through may be relative
	e := edit(t, "l.db")
	defer e.Close()

	type result struct {
		ledger.Changed
		err error
	}
	ask := func(c ledger.Change) chan result {
		answered := make(chan result, 1)
		go func() {
			done, err := e.Do(t.Context(), c)
			answered <- result{done, err}
		}()
		return answered
	}
	answered := ask(ledger.Change{Revise: []ledger.Revision{{ReportID: "a", Records: []ledger.Record{ledgertest.Revised(a.Records[0], 2, nil)}}}, Ack: []ledger.Acked{{Sink: "s", FolderID: c.ID, Seq: 1}}})
	rows := obey(t, l).Rows
	ledgertest.Want(t, "rows for the sinks", ledgertest.Places(rows), "INBOX/2=a.1")
	if got := <-answered; got.err != nil || got.Records != 1 || len(got.Stale) != 0 {
		t.Errorf("answer %+v", got)
	}
	ledgertest.Want(t, "unsent", ledgertest.Places(ledgertest.Rows(t, l.Unsent(t.Context(), "s"))), "INBOX/2=a.1")
	ledgertest.Commit(t, l, c, ledgertest.Message("b", 1)) // the writer's claim holds

	// The limit of a record goes with it, and the days that are full come back.
	ledgertest.Commit(t, l, c, ledgertest.Limited("full", 0))
	next := ledgertest.Revised(a.Records[0], 3, nil)
	next.Verdict, next.Held = "yes", ledgertest.Limited("a", 1).Records[0].Held
	answered = ask(ledger.Change{Revise: []ledger.Revision{{ReportID: "a", Records: []ledger.Record{next}}}})
	rows = obey(t, l).Rows
	if got := <-answered; got.err != nil || len(got.Over) != 1 || got.Over[0].Feed != "cfl" || len(rows) != 1 || rows[0].Verdict != "review" {
		t.Errorf("answer %+v, rows %+v", got, rows)
	}

	answered = ask(ledger.Change{Ack: []ledger.Acked{{Sink: "s", FolderID: 99, Seq: 1}}})
	obey(t, l)
	if got := <-answered; got.err == nil || got.err.Error() != "ledger: there is no folder 99" {
		t.Errorf("answer to what cannot be done: %+v", got)
	}
	if ran, err := l.RunRequests(t.Context()); len(ran.Rows) != 0 || err != nil {
		t.Errorf("nothing is left to do: %v, %v", ran, err)
	}
}

// obey waits for a request and carries it out.
func obey(t *testing.T, l ledger.Ledger) ledger.Ran {
	t.Helper()
	for range 1000 {
		var n int
		err := l.(*store).reader.db.QueryRow("SELECT count(*) FROM request WHERE answer IS NULL").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		ran, err := l.RunRequests(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return ran
	}
	t.Fatal("no request came")
	return ledger.Ran{}
}

// A writer that ends without an answer is stood in for.
func TestEditWriterEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	a := ledgertest.Message("a", 1)
	l := openTest(t, path)
	ledgertest.Commit(t, l, ledgertest.Claim(t, l, ledgertest.Inbox), a)
	e := edit(t, path)
	defer e.Close()
	time.AfterFunc(50*time.Millisecond, func() { l.Close() })
	done, err := e.Do(t.Context(), ledger.Change{Revise: []ledger.Revision{{ReportID: "a", Records: []ledger.Record{ledgertest.Revised(a.Records[0], 2, nil)}}}})
	if err != nil || done.Records != 1 {
		t.Errorf("changed %+v, %v", done, err)
	}
}

// A command that is not waited for any more leaves its request to the writer.
func TestEditGivesUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	a := ledgertest.Message("a", 1)
	l := openTest(t, path)
	defer l.Close()
	ledgertest.Commit(t, l, ledgertest.Claim(t, l, ledgertest.Inbox), a)
	e := edit(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := e.Do(ctx, ledger.Change{Revise: []ledger.Revision{{ReportID: "a", Records: []ledger.Record{ledgertest.Revised(a.Records[0], 2, nil)}}}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("an end of patience: %v", err)
	}
	e.Close()
	ledgertest.Want(t, "rows", ledgertest.Places(obey(t, l).Rows), "INBOX/2=a.1")
}

// A ledger of the first schema keeps all it has.
func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	db, err := sql.Open("sqlite", dsn(path, ""))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(migrations[0].script + `; PRAGMA application_id = 1178750039; PRAGMA user_version = 1;
		INSERT INTO folder (id, account, name, next_seq, committed, uidvalidity, high) VALUES (1, 'yahoo', 'INBOX', 2, 1, 9, 5);
		INSERT INTO mail VALUES ('a', 1, 9, 5, 'report', 1772366400000, 1, 1, NULL, 0);
		INSERT INTO record (key, id, revision, at, event, class, provider, source_ip, domain, campaign, subscriber, verdict, json)
			VALUES (1 << 40 | 1, 'a.1', 1, 1772366400000, 'complaint', 'fbl', 'yahoo', '', '', '', '', 'review', '{"id":"a.1"}');
		INSERT INTO hourly VALUES (1772366400000, 'complaint', 'fbl', 'yahoo', 'review', 1)`)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()

	l := openTest(t, path)
	defer l.Close()
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	if !c.FirstSeen.IsZero() || c.Checkpoint.High != 5 {
		t.Errorf("claim %+v", c)
	}
	rows := ledgertest.Rows(t, l.Records(t.Context(), ledger.Query{ID: "a"}))
	if len(rows) != 1 || string(rows[0].JSON) != `{"id":"a.1"}` || !rows[0].At.Equal(ledgertest.Noon) {
		t.Fatalf("records %+v", rows)
	}
	ledgertest.Revise(t, l, ledger.Revision{ReportID: "a", Records: []ledger.Record{ledgertest.Revised(rows[0].Record, 2, func(r *ledger.Record) { r.Identity = "identified" })}})
	counts, err := l.Counts(t.Context(), time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	ledgertest.Diff(t, "counts", counts, []ledger.Count{{Hour: ledgertest.Noon, Event: "complaint", Class: "fbl", Provider: "yahoo", Feed: "", Identity: "identified", Verdict: "review", N: 1}})
	done := ledgertest.Commit(t, l, c, ledgertest.Message("a", 1), ledgertest.Message("b", 1))
	ledgertest.Want(t, "what is new", ledgertest.Places(done.Rows), "INBOX/3=b.1")
}

// What a newer version asks for is not taken for done.
func TestUnknownRequest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l := openTest(t, path)
	defer l.Close()
	db, err := sql.Open("sqlite", dsn(path, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`INSERT INTO request (kind, args, at) VALUES ('replay', '{}', 9e15), ('change', '{"Rewind": ["s"]}', 9e15), ('change', '{}', 9e15)`); err != nil {
		t.Fatal(err)
	}
	if _, err := l.RunRequests(t.Context()); err != nil {
		t.Fatal(err)
	}
	var refused, done int
	if err := db.QueryRow("SELECT sum(answer LIKE '%newer version%'), sum(answer NOT LIKE '%Err%') FROM request").Scan(&refused, &done); err != nil || refused != 2 || done != 1 {
		t.Errorf("%d refused, %d done, %v", refused, done, err)
	}
}

// A change is done whole, with its answer, or not at all.
func TestEditAllOrNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	a := ledgertest.Message("a", 1)
	l := openTest(t, path)
	ledgertest.Commit(t, l, ledgertest.Claim(t, l, ledgertest.Inbox), a)
	bad := ledger.Change{Revise: []ledger.Revision{{ReportID: "a", Records: []ledger.Record{ledgertest.Revised(a.Records[0], 2, nil)}}}, Ack: []ledger.Acked{{Sink: "s", FolderID: 99, Seq: 1}}}

	beside := edit(t, path)
	answered := make(chan error, 1)
	go func() {
		_, err := beside.Do(t.Context(), bad)
		answered <- err
	}()
	ledgertest.Want(t, "rows of what failed", ledgertest.Places(obey(t, l).Rows), "")
	if err := <-answered; err == nil || err.Error() != "ledger: there is no folder 99" {
		t.Errorf("beside a writer: %v", err)
	}
	beside.Close()
	l.Close()

	alone := edit(t, path)
	if done, err := alone.Do(t.Context(), bad); err == nil || done.Records != 0 {
		t.Errorf("alone: %+v, %v", done, err)
	}
	alone.Close()
	l = openTest(t, path)
	defer l.Close()
	ledgertest.Want(t, "records", ledgertest.Places(ledgertest.Rows(t, l.Records(t.Context(), ledger.Query{}))), "INBOX/1=a.1")
}

// A replay is the writer's to make, too, and it says which sinks have more to send.
func TestEditReplay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l.db")
	l := openTest(t, path)
	defer l.Close()
	c := ledgertest.Claim(t, l, ledgertest.Inbox)
	rows := ledgertest.Commit(t, l, c, ledgertest.Message("a", 3)).Rows
	for _, sink := range []string{"s", "r"} {
		if err := l.Ack(t.Context(), sink, 0, c.ID, 3); err != nil {
			t.Fatal(err)
		}
	}
	ledgertest.Bury(t, l, "r", rows[0])
	e := edit(t, path)
	defer e.Close()
	ask := func(replay ...ledger.Replay) (ran ledger.Ran, done ledger.Changed, err error) {
		answered := make(chan struct{})
		go func() {
			done, err = e.Do(t.Context(), ledger.Change{Replay: replay})
			close(answered)
		}()
		ran = obey(t, l)
		<-answered
		return ran, done, err
	}
	ran, done, err := ask(ledger.Replay{Sink: "s", Since: ledgertest.Noon}, ledger.Replay{Sink: "r", Dead: true})
	if err != nil || done.Resent != 4 {
		t.Errorf("answer %+v, %v", done, err)
	}
	ledgertest.Diff(t, "replayed", ran, ledger.Ran{Replayed: []string{"s", "r"}})
	ledgertest.Want(t, "unsent", ledgertest.Places(ledgertest.Rows(t, l.Unsent(t.Context(), "s"))), "INBOX/1=a.1 INBOX/2=a.2 INBOX/3=a.3")

	// A sink that is not known changes nothing, not even of the others.
	ran, done, err = ask(ledger.Replay{Sink: "r"}, ledger.Replay{Sink: "none"})
	if err == nil || err.Error() != `ledger: there is no sink "none"; there is r, s` || done.Resent != 0 || len(ran.Replayed) != 0 {
		t.Errorf("answer %+v, %+v, %v", ran, done, err)
	}
	ledgertest.Want(t, "unsent", ledgertest.Places(ledgertest.Rows(t, l.Unsent(t.Context(), "r"))), "")
}
