package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// A sweep says at its end what it read, by event and verdict, what it left alone
// by kind, and how long it took.
func TestSwept(t *testing.T) {
	row := func(event, verdict string) ledger.Row {
		return ledger.Row{Record: ledger.Record{Event: event, Verdict: verdict}}
	}
	s := swept{start: time.Now().Add(-90 * time.Second)}
	s.add(ledger.Committed{Messages: 6, Kinds: map[string]int64{"report": 2, "unparsed": 1, "dsn": 2, "autoreply": 1}, Rows: []ledger.Row{
		row("complaint", "yes"), row("complaint", "review"), row("complaint", "review"), row("unparsed", "no"),
	}})
	s.add(ledger.Committed{Messages: 2, Duplicates: 3, Kinds: map[string]int64{"dsn": 1, "report": 1}, Rows: []ledger.Row{row("not_spam", "no")}})
	for _, colour := range []terminal.Colours{false, true} {
		var out strings.Builder
		s.print(&out, 80, colour)
		got := out.String()
		want := "8 new messages, 5 records; already recorded: 3 messages\n" +
			"  complaint         3  1 yes, 2 review\n" +
			"  not_spam          1  1 no\n" +
			"  unparsed          1  1 no\n" +
			"  left alone        4  3 bounces, 1 auto-reply\n" +
			"  took 1m30s\n"
		if colour {
			want = strings.NewReplacer("yes", terminal.Green+"yes"+terminal.Plain, "review", terminal.Yellow+"review"+terminal.Plain, "1 no\n", "1 "+terminal.Cyan+"no"+terminal.Plain+"\n").Replace(want)
		}
		if got = regexp.MustCompile(`took 1m30(\.\d)?s`).ReplaceAllString(got, "took 1m30s"); got != want {
			t.Errorf("\n got %q\nwant %q", got, want)
		}
	}
	var out strings.Builder
	(&swept{start: time.Now()}).print(&out, 0, false)
	if got := out.String(); !regexp.MustCompile(`^0 new messages, 0 records\n  took \d+(ms|s)\n$`).MatchString(got) {
		t.Errorf("%q", got)
	}
}
