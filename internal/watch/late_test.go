package watch

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

func TestGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const last = ^uint32(0)
		text := func(gaps []ledger.Gap) string {
			s := ""
			for _, g := range gaps {
				s += fmt.Sprintf("%d-%d ", g.Low, g.High)
			}
			return s
		}
		for _, test := range []struct {
			lo, hi uint32
			uids   []uint32
			want   string
		}{
			{1, 5, []uint32{1, 2, 3, 4, 5}, ""},
			{1, 5, []uint32{5, 2}, "1-1 3-4 "},
			{1, 5, nil, "1-5 "},
			{3, 9, []uint32{1, 3, 4, 12}, "5-9 "},
			{last - 2, last, []uint32{last}, fmt.Sprintf("%d-%d ", last-2, last-1)},
			{last, last, []uint32{last}, ""},
		} {
			if got := text(gapsOf(test.lo, test.hi, test.uids)); got != test.want {
				t.Errorf("from %d to %d without %v: %s, want %s", test.lo, test.hi, test.uids, got, test.want)
			}
		}
		gaps := append(gapsOf(1, 9, []uint32{5}), gapsOf(last-1, last, nil)...)
		for _, test := range []struct {
			there []uint32
			want  string
		}{
			{nil, fmt.Sprintf("1-4 6-9 %d-%d ", last-1, last)},
			{[]uint32{1, 3, 6, 9, last}, fmt.Sprintf("2-2 4-4 7-8 %d-%d ", last-1, last-1)},
			{[]uint32{1, 2, 3, 4, 5, last - 1, last}, "6-9 "},
		} {
			if got := text(young(gaps, test.there)); got != test.want {
				t.Errorf("with %v: %s, want %s", test.there, got, test.want)
			}
		}
		var many []uint32
		for uid := uint32(2); uid <= 1000; uid += 2 {
			many = append(many, uid)
		}
		if got := gapsOf(1, 1000, many); len(got) != gapsMost || got[gapsMost-1].Low != 999 {
			t.Errorf("%d gaps, the last %v", len(got), got[len(got)-1])
		}
		time.Sleep(gapFor)
		if got := young(gaps, nil); len(got) != 0 {
			t.Errorf("after a day: %v", got)
		}
	})
}

func TestRemember(t *testing.T) {
	known := remember(nil, []ledger.Known{{UID: 3, Mark: "c"}, {UID: 1, Mark: "a"}})
	known = remember(known, []ledger.Known{{UID: 3, Mark: "new"}, {UID: 7, Mark: "g"}, {UID: 2, Mark: "b"}})
	if got := fmt.Sprint(known); got != "[{2 b} {3 new} {7 g}]" {
		t.Error(got)
	}
}
