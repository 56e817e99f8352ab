package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/recordtable"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// Nothing that a sender wrote moves the cursor, and a line is one line.
func TestRecordLine(t *testing.T) {
	row := ledger.Row{Record: ledger.Record{ID: "0a.1", At: time.Date(2026, 3, 2, 6, 1, 59, 0, time.UTC), Event: "complaint", Provider: "yahoo", Verdict: "yes"}}
	head := "0a.1" + strings.Repeat(" ", 32) + "2026-03-02 06:01  complaint     yes      yahoo             "
	o := newOnlooker(io.Discard, terminal.NewTable(recordtable.Columns, 0, false))
	defer o.close()
	for json, want := range map[string]string{
		`{"original_rcpt_to":"user@example.com"}`:            head + "user@example.com\n",
		`{"identity":{"subscriber":"s\u001b[2J\n17\u202e"}}`: head + "s\uFFFD[2J\uFFFD17\uFFFD\n",
		`{}`: head + "-\n",
		`{"original_rcpt_to":"` + strings.Repeat("x", 1000) + `"}`: head + strings.Repeat("x", 39) + "…\n",
	} {
		row.JSON = []byte(json)
		if got := o.recordLine(row); got != want {
			t.Errorf("%s:\n got %q\nwant %q", json, got, want)
		}
	}
}

// stuck is a terminal that stands still until it is freed.
type stuck struct {
	free  chan struct{}
	began chan struct{} // each write sends a value, as far as there is room
	text  bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	select {
	case s.began <- struct{}{}:
	default:
	}
	<-s.free
	return s.text.Write(p)
}

// A terminal that stands still holds nobody up; what did not fit is counted.
func TestOnlookerBlocked(t *testing.T) {
	w := &stuck{free: make(chan struct{}), began: make(chan struct{}, 1)}
	o := newOnlooker(w, terminal.NewTable(recordtable.Columns, 0, false))
	for i := range onlookerLines + 500 {
		o.show(ledger.Committed{Rows: []ledger.Row{{Record: ledger.Record{ID: fmt.Sprint("id-", i), JSON: []byte("{}")}}}})
		if i == 0 {
			<-w.began // it is not taken out of a full queue later
		}
	}
	close(w.free)
	o.close()
	lines := strings.Split(strings.TrimSuffix(w.text.String(), "\n"), "\n")
	shown, last := len(lines)-1, lines[len(lines)-1]
	if shown != onlookerLines+1 || last != fmt.Sprintf("... and %d records", onlookerLines+500-shown) {
		t.Errorf("%d lines, the last is %q", shown, last)
	}
	(*onlooker)(nil).show(ledger.Committed{Rows: []ledger.Row{{}}})
	(*onlooker)(nil).close()
}
