package survey

import (
	"slices"
	"testing"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/internal/settings"
)

// The newest messages are found however far apart their UIDs are.
func TestNewest(t *testing.T) {
	server := imaptest.New()
	address, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	uids := []uint32{1, 5, 1_000_000, 4_000_000_000}
	for _, uid := range uids {
		server.AppendMessage("INBOX", imaptest.Message{UID: uid, Body: sample.Report(0, 0)})
	}
	var a settings.Account
	if err := a.URL.UnmarshalText([]byte("imap://user@" + address)); err != nil {
		t.Fatal(err)
	}
	a.Password = "pass"
	options, err := a.IMAP(settings.Person{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := imapclient.Dial(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	selected, err := client.Examine(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	for _, next := range []uint32{selected.UIDNext, 0} { // 0: the server does not tell
		for n, want := range map[int][]uint32{1: uids[3:], 3: uids[1:], 10: uids} {
			if got, err := Newest(t.Context(), client, n, next); err != nil || !slices.Equal(got, want) {
				t.Errorf("the newest %d below %d: %v, %v", n, next, got, err)
			}
		}
	}
}
