package watch

import (
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// TestQuota: the ledger tells how full the mailbox is; a server that refuses to
// tell is watched all the same.
func TestQuota(t *testing.T) {
	for name, test := range map[string]struct {
		answer imaptest.Action
		want   map[string]int64
	}{
		"told": {imaptest.Action{Do: imaptest.Answer, Text: "OK done",
			Before: "* QUOTAROOT INBOX \"\"\r\n* QUOTA \"\" (STORAGE 10 100 MESSAGE 19 20)\r\n"}, map[string]int64{"storage_used": 10, "storage_limit": 100, "message_used": 19, "message_limit": 20}},
		"none":    {imaptest.Action{Do: imaptest.Answer, Text: "OK done", Before: "* QUOTAROOT INBOX\r\n"}, nil},
		"refused": {imaptest.Action{Do: imaptest.Answer, Text: "NO not you"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := filled(2, 300)
				defer s.Close()
				s.Caps = append(s.Caps, "QUOTA")
				s.Hook = func(step imaptest.Step) imaptest.Action {
					if step.Command == "GETQUOTAROOT" && step.Part == imaptest.Received {
						return test.answer
					}
					return imaptest.Action{}
				}
				l := memory.New()
				stop := whileWatching(t, account(s, l))
				time.Sleep(time.Minute)
				same(t, records(t, l), expected(2))
				states, err := l.States(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got := map[string]int64(nil)
				for _, state := range states {
					if state.Name == "quota/test" {
						got = state.Counts
					}
				}
				if !maps.Equal(got, test.want) {
					t.Errorf("state %v, want %v", got, test.want)
				}
				stop()
			})
		})
	}
}
