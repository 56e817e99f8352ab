package watch

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
	"github.com/fblwatch/fblwatch/internal/privacy"
)

// TestPrivacy: with addresses dropped no recipient is stored, neither in a
// record nor in the kept head, and the identifiers are the same as without.
func TestPrivacy(t *testing.T) {
	filter, err := privacy.New(privacy.Config{Addresses: "drop", Subject: "drop"})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := filled(3, 0)
		defer s.Close()
		open, closed := memory.New(), memory.New()
		plain, private := account(s, open), account(s, closed)
		private.Rules.Privacy = filter
		for _, a := range []*Account{plain, private} {
			runOnce(t, a)
		}
		ids := func(l ledger.Reader) (ids []string) {
			for row, err := range l.Records(t.Context(), ledger.Query{}) {
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, row.ID)
				id, _, _ := strings.Cut(row.ID, ".")
				head, err := l.Head(t.Context(), id)
				if err != nil || len(head) == 0 {
					t.Fatalf("head of %s: %v", id, err)
				}
				stored := string(row.JSON) + string(head)
				named := strings.Contains(stored, "user0@example.com") || strings.Contains(stored, "user1@example.com")
				if secret := l == ledger.Reader(closed); named && secret {
					t.Errorf("a recipient stands in %s", stored)
				}
			}
			return ids
		}
		if a, b := ids(open), ids(closed); len(a) != 3 || !slices.Equal(a, b) {
			t.Errorf("ids %v and %v", a, b)
		}
	})
}
