package ledgertest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func testHeads(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	heads := map[string]string{"none": "", "one": "a", "long": strings.Repeat("long ", 100_000)}
	for i := range 40 {
		heads[fmt.Sprint("m", i)] = strings.Repeat(fmt.Sprint("head ", i), 500)
	}
	var messages []ledger.Message
	for id, head := range heads {
		m := Message(id, 0)
		m.Head = []byte(head)
		messages = append(messages, m, m) // the second is a duplicate
	}
	Commit(t, l, c, messages...)
	for id, head := range heads {
		got, err := l.Head(t.Context(), id)
		if err != nil || string(got) != head {
			t.Errorf("head of %s: %d octets, %v, want %d", id, len(got), err, len(head))
		}
	}
	if got, err := l.Head(t.Context(), "unknown"); got != nil || err != nil {
		t.Errorf("head of an unknown message: %q, %v", got, err)
	}
}

// Records and heads as long as they may be keep their octets among short ones.
func testLong(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	random := rand.New(rand.NewPCG(1, 2))
	text := func(n int) []byte { // base64, which hardly shrinks; it repeats itself after 100,000 octets
		b := make([]byte, 75_000)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return bytes.Repeat([]byte(base64.StdEncoding.EncodeToString(b)), 1+n/100_000)[:n]
	}
	var messages []ledger.Message
	for i, size := range []int{40, 1_000_000, 40, 16_384, 999_999, 65_536, 65_535, 40} {
		m := Message(fmt.Sprintf("m%d", i), 2)
		m.Records[0].JSON = fmt.Appendf(nil, `{"text":"%s"}`, text(size-11))
		m.Head = text(min(size, 256<<10))
		messages = append(messages, m)
	}
	Commit(t, l, c, messages...)
	for _, m := range messages {
		rows := Rows(t, l.Records(t.Context(), ledger.Query{ID: m.ReportID}))
		if len(rows) != 2 || !bytes.Equal(rows[0].JSON, m.Records[0].JSON) || !bytes.Equal(rows[1].JSON, m.Records[1].JSON) {
			t.Errorf("%s: its %d records differ", m.ReportID, len(rows))
		}
		if head, err := l.Head(t.Context(), m.ReportID); err != nil || !bytes.Equal(head, m.Head) {
			t.Errorf("%s: its head of %d octets differs, %v", m.ReportID, len(head), err)
		}
	}
	kept := 0
	for k, err := range l.KeptMessages(t.Context(), time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(k.Head, messages[kept].Head) {
			t.Errorf("%s: its kept head of %d octets differs", k.ReportID, len(k.Head))
		}
		kept++
	}
	if kept != len(messages) {
		t.Errorf("%d messages are kept", kept)
	}
}

func testPrune(t *testing.T, l ledger.Ledger) {
	c := Claim(t, l, Inbox)
	old, young := Message("old", 2), Message("young", 1)
	old.Records[0].At = Noon.Add(-48 * time.Hour)
	Commit(t, l, c, old)
	time.Sleep(5 * time.Millisecond)
	between := time.Now()
	time.Sleep(5 * time.Millisecond)
	Commit(t, l, c, young)
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
		Want(t, what+": old head", string(head), oldHead)
		if head, err = l.Head(t.Context(), "young"); err != nil || string(head) != "From: young" {
			t.Errorf("%s: young head %q, %v", what, head, err)
		}
		Want(t, what+": records", Places(Rows(t, l.Records(t.Context(), ledger.Query{}))), rows)
	}
	prune(time.Time{}, time.Time{})
	check("nothing", "From: old", "INBOX/1=old.1 INBOX/2=old.2 INBOX/3=young.1")
	prune(between, time.Time{})
	check("heads", "", "INBOX/1=old.1 INBOX/2=old.2 INBOX/3=young.1")
	prune(time.Time{}, Noon)
	check("records", "", "INBOX/2=old.2 INBOX/3=young.1")
	Want(t, "unsent", Places(Rows(t, l.Unsent(t.Context(), "s"))), "INBOX/2=old.2 INBOX/3=young.1")
	// The message is still known, and a number is not given twice.
	if done := Commit(t, l, c, old, Message("new", 1)); done.Duplicates != 1 || done.Rows[0].Seq != 4 {
		t.Errorf("after pruning: %+v", done)
	}
	// A head's place is not given to another once all are gone.
	prune(time.Now().Add(time.Hour), time.Now().Add(time.Hour))
	Commit(t, l, c, Message("last", 1))
	if head, err := l.Head(t.Context(), "old"); head != nil || err != nil {
		t.Errorf("a pruned head came back: %q, %v", head, err)
	}
	Want(t, "all but the last pruned", Places(Rows(t, l.Records(t.Context(), ledger.Query{}))), "INBOX/5=last.1")
}

func testTodos(t *testing.T, l ledger.Ledger) {
	a, b := Claim(t, l, Inbox), Claim(t, l, Junk)
	add := func(c ledger.Claim, v uint64, todos ...ledger.Todo) {
		t.Helper()
		if _, err := l.Commit(t.Context(), c, ledger.Batch{Checkpoint: ledger.Checkpoint{UIDValidity: v}, Todos: todos}); err != nil {
			t.Fatal(err)
		}
	}
	check := func(c ledger.Claim, want ...ledger.Todo) {
		t.Helper()
		got, err := l.Todos(t.Context(), c, 100)
		if err != nil {
			t.Fatal(err)
		}
		Diff(t, "todos", got, want)
	}
	add(a, 7, ledger.Todo{UIDValidity: 7, UID: 9, Action: "seen"}, ledger.Todo{UIDValidity: 7, UID: 3, Action: "seen"})
	add(b, 7, ledger.Todo{UIDValidity: 7, UID: 9, Action: "seen"})
	add(a, 7, ledger.Todo{UIDValidity: 7, UID: 9, Action: "seen"}, ledger.Todo{UIDValidity: 7, UID: 9, Action: "move Done"}) // the first is owed already
	check(a, ledger.Todo{UIDValidity: 7, UID: 9, Action: "seen"}, ledger.Todo{UIDValidity: 7, UID: 3, Action: "seen"}, ledger.Todo{UIDValidity: 7, UID: 9, Action: "move Done"})
	if err := l.CompleteTodos(t.Context(), a, []ledger.Todo{{UIDValidity: 7, UID: 9, Action: "seen"}, {UIDValidity: 7, UID: 100, Action: "seen"}}); err != nil {
		t.Fatal(err)
	}
	check(a, ledger.Todo{UIDValidity: 7, UID: 3, Action: "seen"}, ledger.Todo{UIDValidity: 7, UID: 9, Action: "move Done"})
	add(a, 8, ledger.Todo{UIDValidity: 8, UID: 1, Action: "seen"}) // another UIDVALIDITY drops what was owed
	check(a, ledger.Todo{UIDValidity: 8, UID: 1, Action: "seen"})
	const wide = 1<<64 - 1 // servers give more than the 32 bits of RFC 9051
	add(a, wide, ledger.Todo{UIDValidity: wide, UID: 1, Action: "seen"}, ledger.Todo{UIDValidity: wide, UID: 2, Action: "seen"})
	if err := l.CompleteTodos(t.Context(), a, []ledger.Todo{{UIDValidity: wide, UID: 1, Action: "seen"}}); err != nil {
		t.Fatal(err)
	}
	check(a, ledger.Todo{UIDValidity: wide, UID: 2, Action: "seen"})
	check(b, ledger.Todo{UIDValidity: 7, UID: 9, Action: "seen"})
}
