package imaptest

import (
	"bytes"
	"testing"
)

// The count must be right wherever a read ends.
func TestRawFetchExact(t *testing.T) {
	for n := range 40 {
		s := New()
		for range 5 {
			s.Append("INBOX", body(30000+n*997))
		}
		s.Append("INBOX", bytes.Repeat([]byte("a OK FETCH completed\r\n"), 10000))
		addr, err := s.Listen()
		if err != nil {
			t.Fatal(err)
		}
		got, err := RawFetch(addr, s.User, s.Password, "INBOX", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, step := range s.Steps() {
			if step.Command == "UID FETCH" {
				want += step.Size
			}
		}
		if got != int64(want) {
			t.Errorf("counted %d octets of %d", got, want)
		}
		s.Close()
	}
}
