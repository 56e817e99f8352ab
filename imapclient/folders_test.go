package imapclient_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// answered is a server that answers a command by these lines.
func answered(tb testing.TB, command, lines string, caps ...string) *imaptest.Server {
	s := imaptest.Filled(tb, 1, nil)
	s.Caps = append(s.Caps, caps...)
	s.Hook = at(imaptest.Received, command, imaptest.Action{Do: imaptest.Answer, Before: lines, Text: "OK done"})
	return s
}

func TestLSub(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h := imaptest.Filled(t, 1, nil), &recorder{}
		s.AddMailbox("FBL/Yahoo", `\Subscribed`)
		s.AddMailbox("FBL/Entw&APw-rfe", `\Subscribed`)
		s.AddMailbox("FBL/not")
		s.Hook = at(imaptest.Received, "LSUB", imaptest.Action{Before: "* LIST () \"/\" stray\r\n"})
		c := session(t, s, h)
		got, err := c.LSub(t.Context(), "FBL/*")
		if err != nil {
			t.Fatal(err)
		}
		want(t, []string{fmt.Sprint(got)}, "[{FBL/Yahoo 47 []} {FBL/Entwürfe 47 []}]")
		want(t, h.events("mm_l"), "mm_log info dial imap.example.com:143", `mm_log info logged in as "user"`,
			"mm_list stray '/' []", "mm_lsub FBL/Yahoo '/' []", "mm_lsub FBL/Entwürfe '/' []")
		got, err = c.LSub(t.Context(), "FBL/Entwür%")
		if err != nil || len(got) != 1 || got[0].Mailbox != "FBL/Entwürfe" {
			t.Errorf("%v, %v", got, err)
		}
		if _, err := c.LSub(t.Context(), "a\r\nb"); err == nil {
			t.Error("no error")
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := answered(t, "LSUB", strings.Repeat("* LSUB () \"/\" x\r\n", 1<<16+1))
		c := session(t, s, nil)
		if got, err := c.LSub(t.Context(), "*"); !errors.Is(err, imapclient.ErrProtocol) || len(got) != 1<<16 {
			t.Errorf("%d mailboxes, %v", len(got), err)
		}
	})
}

func TestNamespace(t *testing.T) {
	for _, test := range []struct {
		line   string
		prefix string
		delim  rune
	}{
		{`* NAMESPACE (("" "/")) NIL NIL`, "", '/'},
		{`* NAMESPACE (("INBOX." ".")("#mh/" "/" "X-PARAM" ("FLAG1" "FLAG2"))) (("~" "/")) (("#shared/" "/"))`, "INBOX.", '.'},
		{`* NAMESPACE (("Entw&APw-rfe/" "/")) NIL NIL`, "Entwürfe/", '/'},
		{`* NAMESPACE (({6}` + "\r\n" + `INBOX. NIL)) NIL NIL`, "INBOX.", 0},
		{`* NAMESPACE NIL NIL NIL`, "", 0},
		{`* NAMESPACE`, "", 0},
		{`* NAMESPACE ((`, "", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := session(t, answered(t, "NAMESPACE", test.line+"\r\n", "NAMESPACE"), nil)
			prefix, delim, err := c.Namespace(t.Context())
			if prefix != test.prefix || delim != test.delim || err != nil {
				t.Errorf("%s: %q, %q, %v", test.line, prefix, delim, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // not offered
		s := imaptest.Filled(t, 1, nil)
		c := session(t, s, nil)
		prefix, delim, err := c.Namespace(t.Context())
		if prefix != "" || delim != '/' || err != nil {
			t.Errorf("%q, %q, %v", prefix, delim, err)
		}
		want(t, sent(s, "LIST", "NAMESPACE"), `LIST "" ""`)
	})
}

func TestQuota(t *testing.T) {
	for _, test := range []struct {
		lines string
		want  string
	}{
		{"* QUOTAROOT INBOX \"\"\r\n* QUOTA \"\" (STORAGE 10 512)\r\n", "[{ STORAGE 10 512}]"},
		{"* QUOTAROOT INBOX a \"b c\"\r\n* QUOTA a (STORAGE 10 512 message 3 100)\r\n* QUOTA \"b c\" (STORAGE 1 9223372036854775807)\r\n",
			"[{a STORAGE 10 512} {a MESSAGE 3 100} {b c STORAGE 1 9223372036854775807}]"},
		{"* QUOTAROOT INBOX {1}\r\na\r\n* QUOTA {1}\r\na (STORAGE 10 512)\r\n", "[{a STORAGE 10 512}]"},
		{"* QUOTAROOT INBOX\r\n", "[]"},
		{"* QUOTA a ()\r\n* QUOTA a (STORAGE 10)\r\n* QUOTA a (STORAGE -1 5)\r\n* QUOTA a (STORAGE x 5 MESSAGE 1 2)\r\n* QUOTA\r\n", "[{a MESSAGE 1 2}]"},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := answered(t, "GETQUOTAROOT", test.lines, "QUOTA")
			c := session(t, s, nil)
			got, err := c.Quota(t.Context(), "Entwürfe")
			if fmt.Sprint(got) != test.want || err != nil {
				t.Errorf("%q: %v, %v", test.lines, got, err)
			}
			want(t, sent(s, "GETQUOTA"), `GETQUOTAROOT "Entw&APw-rfe"`)
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c := session(t, answered(t, "GETQUOTAROOT", "* QUOTA a ("+strings.Repeat("STORAGE 1 2 ", 500)+")\r\n* QUOTA b (STORAGE 1 2)\r\n", "QUOTA"), nil)
		if got, err := c.Quota(t.Context(), "INBOX"); len(got) != 100 || err != nil {
			t.Errorf("%d quotas, %v", len(got), err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c := session(t, imaptest.Filled(t, 1, nil), nil)
		if _, err := c.Quota(t.Context(), "INBOX"); !errors.Is(err, imapclient.ErrNoQuota) {
			t.Errorf("not offered: %v", err)
		}
	})
}
