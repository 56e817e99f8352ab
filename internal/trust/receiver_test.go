package trust

import (
	"strings"
	"testing"
)

func TestReceiver(t *testing.T) {
	const (
		gmail     = "Received: by 2002:a05:6402:3511:b0:5c2:1:2 with SMTP id a1; Mon, 1 Jun 2026 10:00:00 +0000\r\n"
		office    = "Received: from A.prod.outlook.com (2001:db8::1) by B.prod.outlook.com (2001:db8::2) with HTTPS; Mon, 1 Jun 2026 10:00:00 +0000\r\n"
		sovereign = "Received: from a.example.net (198.51.100.1) by BN1.mail.protection.office365.us (10.0.0.1); Mon, 1 Jun 2026 10:00:00 +0000\r\n"
		china     = "Received: from a.example.net (198.51.100.1) by SHA.mail.protection.partner.outlook.cn (10.0.0.1); Mon, 1 Jun 2026 10:00:00 +0000\r\n"
		queue     = "Received: (qmail 1 invoked from network); 1 Jun 2026 10:00:00 -0000\r\n"
		ours      = "Received: from a.example.net (198.51.100.1) by mx.example.com; Mon, 1 Jun 2026 10:00:00 +0000\r\n"
	)
	c := Config{
		AuthservIDs: []string{"mx.example.com"}, Hops: []string{"mx.example.com"},
		Profiles: []Profile{{Name: "example", IMAPHosts: []string{".mailbox.example"}, AuthservIDs: []string{"mx.mailbox.example"}, Hops: []string{".mailbox.example"}}},
		Accounts: map[string]Account{
			"gmail":     {Host: "IMAP.gmail.com"},
			"lookalike": {Host: "imap.gmail.com.evil.example"},
			"other":     {Host: "notimap.gmail.com"},
			"loopback":  {Host: "127.0.0.1"},
			"localhost": {Host: "localhost"},
			"office":    {Host: "outlook.office365.com"},
			"us":        {Host: "outlook.office365.us"},
			"cn":        {Host: "partner.outlook.cn"},
			"named":     {Host: "127.0.0.1", Mailbox: Mailbox{Profile: "Gmail"}},
			"own":       {Host: "imap.gmail.com", Mailbox: Mailbox{Profile: "own"}},
			"listed":    {Host: "imap.gmail.com", Mailbox: Mailbox{AuthservIDs: []string{"mx.example.net"}, Hops: []string{".example.net"}}},
			"auto":      {Host: "imap.gmail.com", Mailbox: Mailbox{Profile: "auto"}},
			"row":       {Host: "imap.mailbox.example"},
		},
	}
	for _, test := range []struct {
		account, mailbox, header string
		alias                    bool
		want                     string // the system's name and its first id; !: refused
	}{
		{account: "gmail", header: gmail, want: "gmail mx.google.com"},
		{account: "gmail", header: ours, want: "!gmail mx.google.com"},
		{account: "gmail", header: "", want: "!gmail mx.google.com"},
		{account: "lookalike", header: gmail, want: "own mx.example.com"},
		{account: "other", header: gmail, want: "own mx.example.com"},
		{account: "loopback", header: gmail, want: "own mx.example.com"},
		{account: "localhost", header: gmail, want: "own mx.example.com"},
		{account: "nobody's", header: gmail, want: "own mx.example.com"},
		{account: "", header: gmail, want: "own mx.example.com"},
		{account: "", mailbox: "gmail", header: gmail, want: "gmail mx.google.com"},
		{account: "", mailbox: "auto", header: gmail, want: "own mx.example.com"},
		{account: "office", header: office, want: "microsoft365 "},
		{account: "us", header: sovereign, want: "microsoft365 "},
		{account: "cn", header: china, want: "microsoft365 "},
		{account: "office", header: gmail, want: "!microsoft365 "},
		{account: "named", header: gmail, want: "gmail mx.google.com"},
		{account: "named", mailbox: "microsoft365", header: gmail, want: "gmail mx.google.com"},
		{account: "loopback", mailbox: "gmail", header: gmail, want: "gmail mx.google.com"},
		{account: "gmail", mailbox: "own", header: gmail, want: "own mx.example.com"},
		{account: "auto", mailbox: "own", header: gmail, want: "gmail mx.google.com"},
		{account: "own", header: gmail, want: "own mx.example.com"},
		{account: "listed", header: gmail, want: "own mx.example.net"},
		{account: "row", header: strings.Replace(ours, "mx.example.com", "a.mailbox.example", 1), want: "example mx.mailbox.example"},
		{account: "row", header: queue + strings.Replace(ours, "mx.example.com", "a.mailbox.example", 1), want: "example mx.mailbox.example"},
		{account: "row", header: queue + ours, want: "!example mx.mailbox.example"},
		{account: "", alias: true, header: office, want: "microsoft365 "},
		{account: "", alias: true, header: ours, want: "own mx.example.com"},
		{account: "gmail", alias: true, header: gmail, want: "gmail mx.google.com"},
	} {
		c.Mailbox, c.Microsoft365 = Mailbox{Profile: test.mailbox}, test.alias
		checker, err := New(c, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := readMessage([]byte(test.header + "Subject: x\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		m.account = test.account
		r := checker.receiver(m, stampedBy(m.fields))
		got := r.Name + " "
		if len(r.AuthservIDs) > 0 {
			got += r.AuthservIDs[0]
		}
		if r.refused {
			got = "!" + got
		}
		if got != test.want {
			t.Errorf("account %q, mailbox %q, alias %v, %.60q: got %q, want %q", test.account, test.mailbox, test.alias, test.header, got, test.want)
		}
	}
}
