package watch

import (
	"slices"
	"testing"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func TestJoinObservers(t *testing.T) {
	var heard []string
	one := Observer{
		Committed: func(ledger.Committed) { heard = append(heard, "one committed") },
		Progress:  func(at Progress) { heard = append(heard, "one "+at.Folder) },
	}
	two := Observer{Committed: func(ledger.Committed) { heard = append(heard, "two committed") }}
	both := Join(one, Observer{}, two)
	both.Committed(ledger.Committed{})
	both.Progress(Progress{Folder: "INBOX"})
	if want := []string{"one committed", "two committed", "one INBOX"}; !slices.Equal(heard, want) || both.State != nil {
		t.Errorf("heard %q, want %q; State %v", heard, want, both.State != nil)
	}
}
