package imapclient_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// TestNumbersBeyond: UIDVALIDITY has up to 64 bits. A UID over 32 bits is an error
// after the messages that can be read, and the session goes on.
func TestNumbersBeyond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 3, nil)
		s.SetUIDValidity("INBOX", 1<<41)
		third := regexp.MustCompile(`\b(UID|UIDNEXT|SEARCH 1 2) [34]\b`)
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if line := third.ReplaceAllString(step.Text, "$1 4294967297"); line != step.Text && step.Part == imaptest.Data {
				return imaptest.Action{Do: imaptest.Drop, Before: line + "\r\n"}
			}
			return imaptest.Action{}
		}
		c := dialed(t, s, nil)
		defer s.Close()
		sel, err := c.Examine(t.Context(), "INBOX")
		if err != nil || sel.UIDValidity != 1<<41 || sel.UIDNext != 0 {
			t.Errorf("%+v, %v", sel, err)
		}
		st, err := c.Status(t.Context(), "INBOX")
		if err != nil || st.UIDNext != nil || *st.UIDValidity != 1<<41 {
			t.Errorf("%+v, %v", st, err)
		}
		uids, err := c.Search(t.Context(), 1, 0)
		if !errors.Is(err, imapclient.ErrUID) || !strings.Contains(err.Error(), "4294967297") || len(uids) != 2 {
			t.Errorf("Search: %v, %v", uids, err)
		}
		n := 0
		for m, err := range c.FetchFrom(t.Context(), 1, 100) {
			if n++; n < 3 && (err != nil || m.UID != uint32(n)) || n == 3 && !errors.Is(err, imapclient.ErrUID) {
				t.Errorf("FetchFrom, %d: %+v, %v", n, m, err)
			}
		}
		if n != 3 {
			t.Errorf("FetchFrom yielded %d times", n)
		}
		if err := c.Noop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestUIDValidityBeyond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := imaptest.Filled(t, 1, nil)
		defer s.Close()
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if strings.Contains(step.Text, "[UIDVALIDITY") {
				return imaptest.Action{Do: imaptest.Drop, Before: "* OK [UIDVALIDITY 18446744073709551616] 65 bits\r\n"}
			}
			return imaptest.Action{}
		}
		_, err := dialed(t, s, nil).Examine(t.Context(), "INBOX")
		if !errors.Is(err, imapclient.ErrUIDValidity) || !strings.Contains(err.Error(), `"18446744073709551616" of INBOX is no number of 64 bits`) {
			t.Error(err)
		}
	})
}
