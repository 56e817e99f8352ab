package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// The start of an id is enough if one message has it.
func TestWholeID(t *testing.T) {
	l := memory.New()
	defer l.Close()
	claim, err := l.Claim(t.Context(), ledger.Folder{Account: "a", Name: "INBOX"})
	if err != nil {
		t.Fatal(err)
	}
	batch := ledger.Batch{Checkpoint: ledger.Checkpoint{UIDValidity: 1, High: 3}}
	for i, start := range []string{"aaaa1", "aaaa2", "bbbb"} {
		id := start + strings.Repeat("0", 32-len(start))
		batch.Messages = append(batch.Messages, ledger.Message{ReportID: id, UIDValidity: 1, UID: uint32(i + 1), Kind: "dsn"})
	}
	if _, err := l.Commit(t.Context(), claim, batch); err != nil {
		t.Fatal(err)
	}
	whole := "bbbb" + strings.Repeat("0", 28)
	for id, want := range map[string]string{
		"bbbb": whole, "bbbb.12": whole + ".12", "bbbb00": whole, whole: whole, whole + ".1": whole + ".1",
		"bbb": "bbb", "cccc": "cccc", "BBBB": "BBBB", "bbbb.x": "bbbb.x", "": "", "aaaa": "more than one id begins with aaaa",
		"aaaa1": "aaaa1" + strings.Repeat("0", 27),
	} {
		got, err := wholeID(t.Context(), l, id)
		if err != nil {
			got = fmt.Sprint(err)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}
