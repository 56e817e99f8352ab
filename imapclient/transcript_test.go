package imapclient_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

var update = flag.Bool("update", false, "write testdata/transcript.golden anew")

// TestTranscript holds every event of a whole session, by its c-client name and
// in order, against a golden file, and below them the lines of Debug. Those come
// from the reading side, so their place among the events is left to chance.
func TestTranscript(t *testing.T) {
	var text strings.Builder
	for _, debug := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h := &recorder{}
			dialogue(t, h, debug)
			for _, line := range h.lines {
				if strings.HasPrefix(line, "mm_dlog ") == debug {
					text.WriteString(inOrder(line) + "\n")
				}
			}
		})
	}
	const golden = "testdata/transcript.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("the events have changed (-update writes them anew):\n%s", text.String())
	}
	for _, secret := range []string{"secret", "c2VjcmV0", "AHVzZXIA", "hello 1"} {
		for line := range strings.Lines(text.String()) {
			if strings.Contains(strings.ReplaceAll(line, "<secret>", ""), secret) {
				t.Errorf("%q is in %s", secret, line)
			}
		}
	}
}

// inOrder sorts the items of STATUS and FETCH: go-imap sends them in the order
// of a map.
func inOrder(line string) string {
	client := strings.HasPrefix(line, "mm_dlog C: T")
	server := strings.HasPrefix(line, "mm_dlog S: * STATUS ") || strings.Contains(line, " INTERNALDATE \"")
	head, list, ok := strings.Cut(line, " (")
	if !ok || !client && !server {
		return line
	}
	list, behind := strings.CutSuffix(list, ")")
	if server {
		// Name and value make an item; a date holds two spaces.
		list = strings.ReplaceAll(list, "\" 1-Jan-2026 00:0", "\"_1-Jan-2026_00:0")
		list = strings.ReplaceAll(list, ":00 +0000", ":00_+0000")
		words := strings.Fields(list)
		var items []string
		for i := 0; i+1 < len(words); i += 2 {
			items = append(items, words[i]+" "+words[i+1])
		}
		list = strings.Join(items, "|")
	} else {
		list = strings.ReplaceAll(list, " ", "|")
	}
	items := strings.Split(list, "|")
	slices.Sort(items)
	list = strings.ReplaceAll(strings.Join(items, " "), "_", " ")
	if behind {
		list += ")"
	}
	return head + " (" + list
}

// dialogue is a session in which everything happens that makes an event.
func dialogue(t *testing.T, h *recorder, debug bool) {
	s := imaptest.Filled(t, 2, nil)
	defer s.Close()
	s.User, s.Password = "user", "secret"
	s.AddMailbox("FBL/Yahoo", `\Marked`)
	s.AddMailbox("Entw&APw-rfe", `\Noselect`)
	told := false
	s.Hook = func(st imaptest.Step) imaptest.Action {
		switch {
		case st.Command == "LIST" && st.Part == imaptest.Tagged:
			return imaptest.Action{Before: "* LSUB () \".\" {3}\r\nFBL\r\n"}
		case st.Command == "NOOP" && st.Part == imaptest.Received && !told:
			told = true
			return imaptest.Action{Before: "* OK [ALERT] maintenance at noon\r\n* NO disk nearly full\r\n* BAD what was that\r\n* VANISHED (EARLIER) 41,43:44\r\n* XYZZY plugh\r\n+ stray\r\nX1 OK who asked\r\n"}
		case st.Command == "UID FETCH" && st.UID == 2 && strings.HasPrefix(st.Text, "* "):
			return imaptest.Action{Before: "* 2 FETCH (FLAGS ($a]b) UID 2)\r\n"}
		}
		return imaptest.Action{}
	}
	opts := options(s, h)
	opts.Debug = debug
	opts.Login = trials("wrong", "secret")
	c, err := imapclient.Dial(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	// Debug lines come from the reading side: it must be through before the
	// owner goes on, so that the order is the same each time.
	step := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
	}
	_, err = c.List(t.Context(), "*")
	step(err)
	_, err = c.Status(t.Context(), "FBL/Yahoo")
	step(err)
	if _, err := c.Examine(t.Context(), "Missing"); err == nil {
		t.Fatal("a missing mailbox was opened")
	}
	_, err = c.Examine(t.Context(), "INBOX")
	step(err)
	_, err = c.Search(t.Context(), 1, 0)
	step(err)
	_, err = bodies(t.Context(), c, []uint32{1, 2, 9}, 1000)
	step(err)
	step(c.Noop(t.Context()))
	go func() {
		time.Sleep(time.Minute)
		s.SetFlags("INBOX", 1, `\Seen`)
		time.Sleep(time.Minute)
		s.Append("INBOX", imaptest.Body(3))
	}()
	_, err = c.Idle(t.Context(), 4*time.Minute)
	step(err)
	s.Expunge("INBOX", 1)
	synctest.Wait() // it is told in IDLE still, which the next command ends
	step(c.Noop(t.Context()))
	step(c.Logout(t.Context()))
}
