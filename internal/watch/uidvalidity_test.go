package watch

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// TestOnUIDValidity: what is read of a folder whose UIDVALIDITY is another.
func TestOnUIDValidity(t *testing.T) {
	for _, test := range []struct {
		do    string
		fetch int // messages that are read again, or anew
		total int
	}{
		{"", 12, 12}, {"rescan", 12, 12}, {"new-only", 7, 12}, {"stop", 0, 10},
	} {
		t.Run("on "+test.do, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := imaptest.New()
				defer s.Close()
				add := func(i int, age time.Duration) {
					s.AppendMessage("INBOX", imaptest.Message{Date: time.Now().Add(-age), Body: messageOf(i, 300)})
				}
				for i := range 10 {
					age := 96 * time.Hour
					if i >= 5 {
						age = time.Hour
					}
					add(i, age)
				}
				l := memory.New()
				a := account(s, l)
				a.OnUIDValidity = test.do
				runOnce(t, a)
				s.SetUIDValidity("INBOX", 7)
				add(10, 0)
				add(11, 0)
				read := 0
				a.Committed = func(done ledger.Committed) { read += done.Messages + done.Duplicates }
				err := a.Run(t.Context(), true)
				if stop := test.do == "stop"; stop != errors.As(err, new(*FolderError)) || !stop && err != nil {
					t.Fatal(err)
				} else if stop && !strings.Contains(err.Error(), "set on_uidvalidity to rescan or new-only") {
					t.Error(err)
				}
				if read != test.fetch {
					t.Errorf("%d messages were read, want %d", read, test.fetch)
				}
				if got := records(t, l); len(got) != test.total {
					t.Errorf("%d records, want %d", len(got), test.total)
				}
				if test.do == "stop" { // a way out
					a.All = true
					if err := a.Run(t.Context(), true); err != nil || len(records(t, l)) != 12 {
						t.Errorf("sweep --all: %v, %d records", err, len(records(t, l)))
					}
					return
				}
				read = 0
				add(12, 0)
				if err := a.Run(t.Context(), true); err != nil || read != 1 {
					t.Errorf("the next sweep read %d messages, %v", read, err)
				}
				if got, want := records(t, l), "13 complaint user12@example.com"; got[len(got)-1] != want {
					t.Errorf("last %s, want %s", got[len(got)-1], want)
				}
			})
		})
	}
}
