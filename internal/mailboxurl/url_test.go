package mailboxurl

import (
	"errors"
	"testing"
)

func TestMailboxURL(t *testing.T) {
	tests := []struct {
		text string
		want URL
		err  error
	}{
		{text: "imaps://fbl@imap.example.com/INBOX", want: URL{"imaps", "fbl", "imap.example.com", 993, "INBOX", false, false}},
		{text: "imaps://fbl@example.com@imap.example.com/INBOX", want: URL{"imaps", "fbl@example.com", "imap.example.com", 993, "INBOX", false, false}},
		{text: "imaps://fbl%40example.com@imap.example.com", want: URL{"imaps", "fbl@example.com", "imap.example.com", 993, "", false, false}},
		{text: "imap://fbl@localhost:1143/", want: URL{"imap", "fbl", "localhost", 1143, "", false, false}},
		{text: "IMAP+STARTTLS://fbl@h/FBL/2026%2f01", want: URL{"imap+starttls", "fbl", "h", 143, "FBL/2026/01", false, false}},
		{text: "imaps://fbl@[2001:db8::1]:1993/a@b:c", want: URL{"imaps", "fbl", "2001:db8::1", 1993, "a@b:c", false, false}},
		{text: "imaps://fbl@[::1]/x", want: URL{"imaps", "fbl", "::1", 993, "x", false, false}},
		{text: "imaps://fbl%3aa@h/%C3%9C", want: URL{"imaps", "fbl:a", "h", 993, "Ü", false, false}},
		{text: "imaps://fbl@h:/x", want: URL{"imaps", "fbl", "h", 993, "x", false, false}},

		{text: "imap.example.com", err: errURLForm},
		{text: "pop3://fbl@h/", err: errURLScheme},
		{text: "imaps://fbl:hunter2@h/INBOX", err: ErrPassword},
		{text: "imaps://fbl:hunt@er2@h/INBOX", err: ErrPassword},
		{text: "imaps://fbl:@h/INBOX", err: ErrPassword},
		{text: "imaps://h/INBOX", err: errURLUser},
		{text: "imaps://@h/INBOX", err: errURLUser},
		{text: "imaps://fbl@/INBOX", err: errURLHost},
		{text: "imaps://fbl@a b/INBOX", err: errURLHost},
		{text: "imaps://fbl@[::1/INBOX", err: errURLHost},
		{text: "imaps://fbl@[::1]x/INBOX", err: errURLHost},
		{text: "imaps://fbl@[example.com]/INBOX", err: errURLHost},
		{text: "imaps://fbl@h:0/INBOX", err: errURLPort},
		{text: "imaps://fbl@h:65536/INBOX", err: errURLPort},
		{text: "imaps://fbl@h:imap/INBOX", err: errURLPort},
		{text: "imaps://fbl@h/100%", err: errURLEscape},
		{text: "imaps://f%zz@h/", err: errURLEscape},
		{text: "imaps://fbl@h/a%0d%0ab", err: errURLControl},
	}
	for _, test := range tests {
		var got URL
		if err := got.UnmarshalText([]byte(test.text)); !errors.Is(err, test.err) {
			t.Errorf("%s: error %v, want %v", test.text, err, test.err)
		} else if got != test.want {
			t.Errorf("%s: %+v, want %+v", test.text, got, test.want)
		}
	}
}
