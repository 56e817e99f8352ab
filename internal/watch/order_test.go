package watch

import (
	"fmt"
	"testing"

	"github.com/fblwatch/fblwatch/imapclient"
)

func TestOrder(t *testing.T) {
	for _, c := range []struct{ asked, came, given string }{
		{"[1 2 3]", "[1 2 3]", "[1 2 3]"},
		{"[1 2 3 4 5]", "[3 1 4 2 5]", "[1 2 3 4 5]"},
		{"[1 2 3 4]", "[4 3 2 1]", "[1 2 3 4]"},
		{"[1 2 3 4]", "[1 3 4]", "[1 3 4]"}, // the second is missing
		{"[1 2 3]", "[1 3 3 2]", "[1 2 3]"}, // one came twice
		{"[1 2 3]", "[]", "[]"},
	} {
		var given []uint32
		asked := numbers(c.asked)
		o := newOrder(&asked, func(m *imapclient.Message) error {
			given = append(given, m.UID)
			return nil
		})
		for _, uid := range numbers(c.came) {
			if err := o.add(&imapclient.Message{UID: uid}); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.flush(); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(given); got != c.given {
			t.Errorf("asked for %s, came %s: gave %s, want %s", c.asked, c.came, got, c.given)
		}
	}
}

// TestOrderHoldsLittle: what comes long before its turn is given after all.
func TestOrderHoldsLittle(t *testing.T) {
	given := 0
	o := newOrder(&[]uint32{1, 2, 3}, func(*imapclient.Message) error { given++; return nil })
	for uid := uint32(2); uid <= 3; uid++ {
		if err := o.add(&imapclient.Message{UID: uid, Body: make([]byte, heldMost/2+1)}); err != nil {
			t.Fatal(err)
		}
	}
	if given != 2 || o.size != 0 {
		t.Errorf("%d given, %d octets held; want both given", given, o.size)
	}
	if err := o.add(&imapclient.Message{UID: 1}); err != nil {
		t.Fatal(err)
	}
	if err := o.flush(); err != nil || given != 3 {
		t.Errorf("the late one: %v, %d given", err, given)
	}
}

// Small messages count as much as the memory they are in.
func TestOrderHoldsFew(t *testing.T) {
	uids := []uint32{1}
	given := 0
	o := newOrder(&uids, func(*imapclient.Message) error { given++; return nil })
	for uid := uint32(2); given == 0; uid++ {
		if uid > 1+heldMost/4096+1 {
			t.Fatalf("%d messages are held", uid-2)
		}
		uids = append(uids, uid)
		if err := o.add(&imapclient.Message{UID: uid, Body: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
}

func numbers(s string) (l []uint32) {
	for rest := s[1 : len(s)-1]; rest != ""; {
		var n uint32
		fmt.Sscan(rest, &n)
		l = append(l, n)
		rest = rest[min(len(rest), len(fmt.Sprint(n))+1):]
	}
	return l
}
