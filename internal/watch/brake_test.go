package watch

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// believed trusts the reports of sample.Signed.
func believed(t *testing.T) process.Rules {
	t.Helper()
	checker, err := trust.New(trust.Config{
		Own: trust.Own{Domains: []string{"example.com"}}, DKIM: new(false), AuthservIDs: []string{"mx.example.com"}, Reporters: []string{"fbl.example.net"},
	}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return process.Rules{Trust: checker}
}

// verdicts lists "uid verdict" of all records in order of seq, with an asterisk
// if the brake held it back.
func verdicts(t *testing.T, l ledger.Reader) (got []string) {
	t.Helper()
	for _, r := range decoded(t, l) {
		star := ""
		if slices.Contains(r.Suppress.Codes, report.CodeOverBrake) {
			star = "*"
		}
		got = append(got, fmt.Sprintf("%d %s%s", r.Mailbox.UID, r.Suppress.Verdict, star))
	}
	return got
}

// A day's complaints beyond the brake wait for a person, also where a later
// sweep brings them; those of the next day have their own count.
func TestBrake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		defer s.Close()
		s.Append("INBOX", sample.Signed(0))
		s.Append("INBOX", sample.Signed(1))
		s.Append("INBOX", sample.Signed(1)) // known by then: it takes no place
		s.Append("INBOX", sample.Signed(2))
		s.Append("INBOX", sample.Signed(3))
		l := memory.New()
		sweep := func() string {
			t.Helper()
			var said bytes.Buffer
			a := account(s, l)
			a.Rules = believed(t)
			a.Rules.Brake = process.NewBrake(3, slog.New(slog.NewTextHandler(&said, nil)))
			runOnce(t, a)
			return said.String()
		}
		said := sweep()
		same(t, verdicts(t, l), []string{"1 yes", "2 yes", "4 yes", "5 review*"})
		if strings.Count(said, "brake") != 2 || !strings.Contains(said, "provider=example.net feed=unknown day=2026-01-01 brake=3") {
			t.Errorf("said %q", said)
		}
		s.Append("INBOX", sample.Signed(4))
		s.Append("INBOX", sample.Signed(5))
		sweep()
		same(t, verdicts(t, l)[4:], []string{"6 review*", "7 review*"})
		s.AppendMessage("INBOX", imaptest.Message{Body: sample.Signed(6), Date: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)})
		sweep()
		same(t, verdicts(t, l)[6:], []string{"8 yes"})
	})
}

// What could not be written takes no place.
func TestBrakeAfterFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.New()
		defer s.Close()
		s.Append("INBOX", sample.Signed(0))
		s.Append("INBOX", sample.Signed(1))
		l := &failing{memory.New(), 1}
		a := account(s, l)
		a.Rules = believed(t)
		a.Rules.Brake = process.NewBrake(2, nil)
		if err := a.Run(t.Context(), true); err == nil {
			t.Fatal("the first sweep did not fail")
		}
		runOnce(t, a)
		same(t, verdicts(t, l), []string{"1 yes", "2 yes"})
	})
}
