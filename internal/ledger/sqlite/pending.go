package sqlite

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// formatPending writes pending UIDs as ranges with their tries, zero left out:
// "7-9,12:2,20-30:1".
func formatPending(pending []ledger.Pending) string {
	var b strings.Builder
	for i := 0; i < len(pending); {
		first, last := pending[i], pending[i]
		for i++; i < len(pending) && pending[i].UID == last.UID+1 && pending[i].Tries == first.Tries; i++ {
			last = pending[i]
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, first.UID)
		if last.UID != first.UID {
			fmt.Fprintf(&b, "-%d", last.UID)
		}
		if first.Tries != 0 {
			fmt.Fprintf(&b, ":%d", first.Tries)
		}
	}
	return b.String()
}

func parsePending(s string) ([]ledger.Pending, error) {
	var pending []ledger.Pending
	for part := range strings.SplitSeq(s, ",") {
		if s == "" {
			break
		}
		uids, tries, _ := strings.Cut(part, ":")
		lo, hi, ok := strings.Cut(uids, "-")
		if !ok {
			hi = lo
		}
		first, err1 := strconv.ParseUint(lo, 10, 32)
		last, err2 := strconv.ParseUint(hi, 10, 32)
		n, err3 := strconv.Atoi("0" + tries)
		if err1 != nil || err2 != nil || err3 != nil || last < first {
			return nil, fmt.Errorf("ledger: pending UIDs %q are damaged", part)
		}
		for uid := first; uid <= last; uid++ {
			pending = append(pending, ledger.Pending{UID: uint32(uid), Tries: n})
		}
	}
	return pending, nil
}
