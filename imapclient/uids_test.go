package imapclient_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// TestUIDs: UIDs lists what Search lists, and not what is beside the range (imap4d
// answers 100:200 by the last message).
func TestUIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 5, nil)
		s.Expunge("INBOX", 3)
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Part == imaptest.Tagged && step.Command == "UID FETCH" {
				return imaptest.Action{Before: "* 4 FETCH (UID 5)\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 2 FLAGS ())\r\n"}
			}
			return imaptest.Action{}
		}
		c := session(t, s, nil)
		for _, test := range []struct {
			lo, hi uint32
			want   string
		}{{1, 0, "[1 2 4 5]"}, {2, 4, "[2 4]"}, {0, 1, "[1]"}, {100, 200, "[]"}, {100, 0, "[]"}} {
			uids, err := c.UIDs(t.Context(), test.lo, test.hi)
			if err != nil || fmt.Sprint(uids) != test.want {
				t.Errorf("%d:%d are %v, %v, want %s", test.lo, test.hi, uids, err, test.want)
			}
		}
		s.Hook = nil
		got, err := bodies(t.Context(), c, []uint32{1, 2}, 100) // what UIDs asked for is forgotten
		if err != nil {
			t.Fatal(err)
		}
		want(t, got, message(1), message(2))
		if n := c.Exists(); n != 4 || c.Empty() {
			t.Errorf("%d messages", n)
		}
	})
}
