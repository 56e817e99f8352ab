package ledgertest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func testClaimsFence(t *testing.T, l ledger.Ledger) {
	first := Claim(t, l, Inbox)
	other := Claim(t, l, Junk)
	if age := time.Since(first.FirstSeen); age < 0 || age > time.Minute {
		t.Errorf("first contact was %v", first.FirstSeen)
	}
	Commit(t, l, first, Message("a", 1))
	second := Claim(t, l, Inbox)
	if age := time.Since(second.LastCommit); !first.LastCommit.IsZero() || age < 0 || age > time.Minute {
		t.Errorf("read at %v, then at %v", first.LastCommit, second.LastCommit)
	}
	if !second.FirstSeen.Equal(first.FirstSeen) {
		t.Errorf("first contact was %v, then %v", first.FirstSeen, second.FirstSeen)
	}
	if second.ID != first.ID || second.Token == first.Token {
		t.Errorf("second claim %+v of %+v", second, first)
	}
	if _, err := l.Commit(t.Context(), first, ledger.Batch{Messages: []ledger.Message{Message("b", 1)}, Checkpoint: ledger.Checkpoint{High: 5}}); !errors.Is(err, ledger.ErrClaimLost) {
		t.Errorf("commit with a lost claim: %v", err)
	}
	if _, err := l.Todos(t.Context(), first, 100); !errors.Is(err, ledger.ErrClaimLost) {
		t.Errorf("todos with a lost claim: %v", err)
	}
	if err := l.CompleteTodos(t.Context(), first, nil); !errors.Is(err, ledger.ErrClaimLost) {
		t.Errorf("done with a lost claim: %v", err)
	}
	folders, err := l.Folders(t.Context())
	if err != nil || len(folders) != 2 {
		t.Fatalf("folders %v, %v", folders, err)
	}
	if folders[0].Checkpoint.High != 0 {
		t.Errorf("the lost commit moved the checkpoint: %+v", folders[0])
	}
	// A Claim of Folders is no claim, nor is the zero Claim.
	for _, c := range []ledger.Claim{folders[0], {}} {
		if _, err := l.Commit(t.Context(), c, ledger.Batch{}); !errors.Is(err, ledger.ErrClaimLost) {
			t.Errorf("commit with claim %+v: %v", c, err)
		}
	}
	Commit(t, l, second, Message("c", 1))
	Commit(t, l, other, Message("d", 1)) // another folder is not fenced
	Want(t, "records", Places(Rows(t, l.Records(t.Context(), ledger.Query{}))), "INBOX/1=a.1 INBOX/2=c.1 Junk/1=d.1")
}

func testOrderPerFolder(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	// Ids that sort against the order of the batch.
	one := Commit(t, l, a, Message("z", 2), Message("m", 0), Message("a", 1))
	two := Commit(t, l, b, Message("y", 1))
	three := Commit(t, l, a, Message("k", 1), Message("b", 1))
	Want(t, "first", Places(one.Rows), "INBOX/1=z.1 INBOX/2=z.2 INBOX/3=a.1")
	Want(t, "second", Places(two.Rows), "Junk/1=y.1")
	Want(t, "third", Places(three.Rows), "INBOX/4=k.1 INBOX/5=b.1")
	if one.Messages != 3 || one.Duplicates != 0 {
		t.Errorf("first: %d messages, %d duplicates", one.Messages, one.Duplicates)
	}
	all := append(append(one.Rows, three.Rows...), two.Rows...)
	Diff(t, "records", Rows(t, l.Records(t.Context(), ledger.Query{})), all)
}

func testDuplicates(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	done := Commit(t, l, a, Message("x", 1), Message("y", 1), Message("x", 1))
	if done.Messages != 2 || done.Duplicates != 1 {
		t.Errorf("within a batch: %+v", done)
	}
	done = Commit(t, l, a, Message("y", 1), Message("z", 1))
	if done.Messages != 1 || done.Duplicates != 1 {
		t.Errorf("across batches: %+v", done)
	}
	Want(t, "rows", Places(done.Rows), "INBOX/3=z.1")
	done, err := l.Commit(t.Context(), b, ledger.Batch{Messages: []ledger.Message{Message("x", 1)}, Checkpoint: ledger.Checkpoint{UIDValidity: 1, High: 3}})
	if err != nil || done.Messages != 0 || done.Duplicates != 1 || len(done.Rows) != 0 {
		t.Errorf("across folders: %+v, %v", done, err)
	}
	if c := Claim(t, l, Junk); c.Checkpoint.High != 3 {
		t.Errorf("a batch of duplicates left the checkpoint at %+v", c.Checkpoint)
	}
	if n := len(Rows(t, l.Records(t.Context(), ledger.Query{}))); n != 3 {
		t.Errorf("%d records", n)
	}
}

func testAllOrNothing(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	batch := ledger.Batch{Checkpoint: ledger.Checkpoint{UIDValidity: 9, High: 7}, Todos: []ledger.Todo{{UIDValidity: 9, UID: 1, Action: "seen"}}}
	for i := range 100 {
		batch.Messages = append(batch.Messages, Message(fmt.Sprintf("m%03d", i), 1))
	}
	if _, err := l.Commit(ctx, c, batch); !errors.Is(err, context.Canceled) {
		t.Errorf("commit on an ended context: %v", err)
	}
	Nothing(t, l, c)
	// Ended while it is under way, at some moment of the commit.
	for i := 0; i < 50; i++ {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*200*time.Microsecond)
		_, err := l.Commit(ctx, c, batch)
		cancel()
		if err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("commit: %v", err)
			}
			Nothing(t, l, c)
			continue
		}
		if n := len(Rows(t, l.Records(t.Context(), ledger.Query{}))); n != 100 {
			t.Errorf("%d records", n)
		}
		return
	}
	Commit(t, l, c, batch.Messages...)
}

// nothing fails unless the folder of c is as it was made.
func Nothing(t *testing.T, l ledger.Ledger, c ledger.Claim) {
	t.Helper()
	if rows := Rows(t, l.Records(t.Context(), ledger.Query{})); len(rows) != 0 {
		t.Fatalf("%d records were left", len(rows))
	}
	counts, err := l.MessageCounts(t.Context())
	if err != nil || len(counts) != 0 {
		t.Fatalf("message counts %v, %v", counts, err)
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

func testCheckpoint(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	Diff(t, "fresh", c.Checkpoint, ledger.Checkpoint{})
	long := ledger.Checkpoint{UIDValidity: 1<<64 - 1, High: 1<<32 - 1}
	for uid := range uint32(1000) {
		long.Pending = append(long.Pending, ledger.Pending{UID: 100 + uid})
	}
	long.Pending = append(long.Pending, ledger.Pending{UID: 1<<32 - 2, Tries: 3}, ledger.Pending{UID: 1<<32 - 1, Tries: 3})
	for _, cp := range []ledger.Checkpoint{
		{UIDValidity: 7, High: 20, Pending: []ledger.Pending{{UID: 3}, {UID: 4}, {UID: 5, Tries: 2}, {UID: 6, Tries: 2}, {UID: 8, Tries: 2}, {UID: 20, Tries: 1}}},
		{UIDValidity: 7, High: 21},
		long,
		{
			UIDValidity: 8, High: 30, Pending: []ledger.Pending{{UID: 4, Withheld: Noon}, {UID: 5, Tries: 1}, {UID: 6, Withheld: Noon.Add(time.Minute)}},
			Gaps:  []ledger.Gap{{Low: 1, High: 2, Since: Noon}, {Low: 9, High: 9, Since: Noon.Add(time.Hour)}},
			Known: []ledger.Known{{UID: 28, Mark: "a"}, {UID: 30, Mark: "b"}},
			Again: 4_000_000_000,
		},
		{UIDValidity: 3, High: 1}, // a new UIDVALIDITY starts again below
	} {
		if _, err := l.Commit(t.Context(), c, ledger.Batch{Checkpoint: cp}); err != nil {
			t.Fatal(err)
		}
		c = Claim(t, l, Inbox)
		Diff(t, "claim", c.Checkpoint, cp)
		folders, err := l.Folders(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		Diff(t, "folders", folders, []ledger.Claim{{Folder: Inbox, ID: c.ID, Checkpoint: cp, FirstSeen: c.FirstSeen, LastCommit: c.LastCommit}})
	}
}

func testBadBatch(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	stray, dotted := Message("a", 1), Message("a.b", 1)
	stray.Records[0].ID = "b.1"
	for name, batch := range map[string]ledger.Batch{
		"stray record":  {Messages: []ledger.Message{stray}},
		"dotted report": {Messages: []ledger.Message{dotted}},
		"no report id":  {Messages: []ledger.Message{Message("a", 1), Message("", 1)}},
		"pending twice": {Checkpoint: ledger.Checkpoint{High: 9, Pending: []ledger.Pending{{UID: 4}, {UID: 4}}}},
		"gaps overlap":  {Checkpoint: ledger.Checkpoint{High: 9, Gaps: []ledger.Gap{{Low: 2, High: 4, Since: Noon}, {Low: 4, High: 5, Since: Noon}}}},
		"gap above":     {Checkpoint: ledger.Checkpoint{High: 9, Gaps: []ledger.Gap{{Low: 9, High: 10, Since: Noon}}}},
		"pending falls": {Checkpoint: ledger.Checkpoint{High: 9, Pending: []ledger.Pending{{UID: 5}, {UID: 4}}}},
		"above high":    {Checkpoint: ledger.Checkpoint{High: 9, Pending: []ledger.Pending{{UID: 10}}}},
		"uid 0":         {Checkpoint: ledger.Checkpoint{High: 9, Pending: []ledger.Pending{{UID: 0}}}},
	} {
		if _, err := l.Commit(t.Context(), c, batch); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	Nothing(t, l, c)
}
