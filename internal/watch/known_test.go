package watch

import (
	"fmt"
	"testing"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
)

// The marks of a batch are of its highest UIDs, also if those of low ones came last.
func TestKnownAreTheHighest(t *testing.T) {
	p := &pipeline{f: newFolder(&Account{}, "INBOX"), more: map[uint32]int64{}}
	b := &batch{}
	for _, uid := range []uint32{7, 8, 9, 1, 2, 3} {
		if err := p.take(t.Context(), b, arrived{Message: &imapclient.Message{UID: uid}}, parsed{Result: process.Result{ID: "a"}}); err != nil {
			t.Fatal(err)
		}
	}
	p.advance(b)
	if got := fmt.Sprint(p.cp.Known); got != fmt.Sprint([]ledger.Known{{UID: 7, Mark: "ia"}, {UID: 8, Mark: "ia"}, {UID: 9, Mark: "ia"}}) {
		t.Error(got)
	}
}
