package mailboxurl

import (
	"errors"
	"strings"
	"testing"
)

func TestMailboxName(t *testing.T) {
	tests := []struct {
		name string
		want URL
		err  error
	}{
		{name: "{imap.example.com:993/imap/ssl/user=fbl}INBOX", want: URL{"imaps", "fbl", "imap.example.com", 993, "INBOX", false, false}},
		{name: "{imap.example.com/imap/ssl/user=fbl@example.com}", want: URL{"imaps", "fbl@example.com", "imap.example.com", 993, "", false, false}},
		{name: "{imap.example.com/user=fbl}INBOX", want: URL{"imap+starttls", "fbl", "imap.example.com", 143, "INBOX", false, false}},
		{name: "{imap.example.com:143/imap/tls/novalidate-cert/user=fbl}FBL/2026", want: URL{"imap+starttls", "fbl", "imap.example.com", 143, "FBL/2026", true, false}},
		{name: "{localhost:1143/notls/norsh/user=fbl/readonly}a}b", want: URL{"imap", "fbl", "localhost", 1143, "a}b", false, true}},
		{name: "{h/IMAP4rev1/SSL/Validate-Cert/User=Fbl}[Gmail]/Spam", want: URL{"imaps", "Fbl", "h", 993, "[Gmail]/Spam", false, false}},
		{name: "{h/service=IMAP/tls-sslv23/loser/secure/user=fbl}x", want: URL{"imap+starttls", "fbl", "h", 143, "x", false, false}},
		{name: "{h/ssl/notls/secure/user=fbl}x", want: URL{"imaps", "fbl", "h", 993, "x", false, false}},
		{name: "{h/ssl/user=fbl:1993}x", want: URL{"imaps", "fbl", "h", 1993, "x", false, false}},
		{name: "{[2001:db8::1]:1993/ssl/user=fbl}x", want: URL{"imaps", "fbl", "2001:db8::1", 1993, "x", false, false}},
		{name: "{[192.0.2.1]/ssl/user=fbl}x", want: URL{"imaps", "fbl", "192.0.2.1", 993, "x", false, false}},
		{name: `{h/ssl/user="a/b:c=d \"e\" \\f"/readonly}x`, want: URL{"imaps", `a/b:c=d "e" \f`, "h", 993, "x", false, true}},
		{name: "{h/ssl/user=a=b}100%25 {}/Ü", want: URL{"imaps", "a=b", "h", 993, "100%25 {}/Ü", false, false}},

		{name: "{h/ssl/user=fbl", err: errNameForm},
		{name: "{}INBOX", err: errNameHost},
		{name: "{/ssl/user=fbl}INBOX", err: errNameHost},
		{name: "{:993/ssl/user=fbl}INBOX", err: errNameHost},
		{name: "{a b/ssl/user=fbl}INBOX", err: errNameHost},
		{name: "{fbl@h/ssl/user=fbl}INBOX", want: URL{}, err: errNameHost},
		{name: "{[::1/ssl/user=fbl}INBOX", err: errNameHost},
		{name: "{[h]/ssl/user=fbl}INBOX", err: errNameHost},
		{name: "{[::1]x/ssl/user=fbl}INBOX", err: errNameForm},
		{name: "{h/ssl}INBOX", err: errNameUser},
		{name: "{h/ssl/user=}INBOX", err: errNameUser},
		{name: `{h/ssl/user=""}INBOX`, err: errNameUser},
		{name: "{h/ssl/user}INBOX", err: errNameSwitch},
		{name: "{h:0/ssl/user=fbl}INBOX", err: errURLPort},
		{name: "{h:65536/ssl/user=fbl}INBOX", err: errURLPort},
		{name: "{h:imap/ssl/user=fbl}INBOX", err: errURLPort},
		{name: "{h:/ssl/user=fbl}INBOX", err: errURLPort},
		{name: "{h:993:993/ssl/user=fbl}INBOX", err: errNameTwice},
		{name: "{h:993=1/ssl/user=fbl}INBOX", err: errNameForm},
		{name: "{h/ssl/user=a/user=b}INBOX", err: errNameTwice},
		{name: "{h/imap/imap4/ssl/user=a}INBOX", err: errNameTwice},
		{name: "{h/service=imap/imap/ssl/user=a}INBOX", err: errNameTwice},
		{name: `{h/ssl/user="fbl}INBOX`, err: errNameQuote},
		{name: `{h/ssl/user="fbl\}INBOX`, err: errNameQuote},
		{name: `{h/ssl/user="fbl"x}INBOX`, err: errNameQuote},
		{name: `{h/ssl/user="a}b"}INBOX`, err: errNameQuote},
		{name: "{h/pop3/ssl/user=fbl}INBOX", err: errNameRefused},
		{name: "{h/nntp}alt.test", err: errNameRefused},
		{name: "{h/ssl/anonymous}INBOX", err: errNameRefused},
		{name: "{h/ssl/authuser=root/user=fbl}INBOX", err: errNameRefused},
		{name: "{h/ssl/debug/user=fbl}INBOX", err: errNameRefused},
		{name: "{h/tryssl/user=fbl}INBOX", err: errNameRefused},
		{name: "{h/service=pop3/user=fbl}INBOX", err: errNameService},
		{name: "{h/service=/user=fbl}INBOX", err: errNameService},
		{name: "{h/ssl/password=hunter2/user=fbl}INBOX", err: errNameSwitch},
		{name: "{h/ssl//user=fbl}INBOX", err: errNameSwitch},
		{name: "{h/ssl/user=fbl/}INBOX", err: errNameSwitch},
		{name: "{h/ssl=1/user=fbl}INBOX", err: errNameSwitch},
		{name: "{h/tls/notls/user=fbl}INBOX", err: errNameClash},
		{name: "{h/tls-sslv23/notls/user=fbl}INBOX", err: errNameClash},
		{name: "{h/secure/notls/user=fbl}INBOX", err: errNameClash},
		{name: "{h/ssl/validate-cert/novalidate-cert/user=fbl}INBOX", err: errNameClash},
		{name: "{h/ssl/user=fbl}a\r\nb", err: errURLControl},
		{name: "{h/ssl/user=f\x00bl}a", err: errURLControl},
		{name: "{" + strings.Repeat("/ssl", 100000) + "}INBOX", err: errNameHost},
	}
	for _, test := range tests {
		var got URL
		if err := got.UnmarshalText([]byte(test.name)); !errors.Is(err, test.err) {
			t.Errorf("%.80s: error %v, want %v", test.name, err, test.err)
		} else if got != test.want {
			t.Errorf("%.80s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

// An error names a switch that is c-client's own, suggests one that is near,
// and never shows another, which may be a password.
func TestMailboxNameErrors(t *testing.T) {
	for name, want := range map[string]string{
		"{h/POP3/user=u}x":              "has a switch that is not supported: /pop3: only IMAP mailboxes can be read",
		"{h/novalidatecert/user=u}x":    "has a switch that is not known here; is /novalidate-cert meant?",
		"{h/usr=u}x":                    "has a switch that is not known here; is /user meant?",
		"{h/ssl/hunter2hunter2/user=u}": "has a switch that is not known here; known are /user=NAME, /imap, /ssl, /tls, /tls-sslv23, /notls, /secure, /validate-cert, /novalidate-cert, /readonly, /norsh, /loser",
	} {
		var u URL
		if err := u.UnmarshalText([]byte(name)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

// Whatever a name is, its error holds nothing of it, and what it names can be
// dialled.
func FuzzMailboxName(f *testing.F) {
	for _, name := range []string{
		"{imap.example.com:993/imap/ssl/user=fbl}INBOX", `{h/user="a\"b"/notls}x`, "{[::1]:143/user=" + "c4n4ry" + "}", "{h/" + "c4n4ry" + "=x}", "imaps://u@h/x",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		var u URL
		err := u.UnmarshalText([]byte(name))
		switch {
		case err != nil && u != URL{}:
			t.Errorf("%q: an error, and %+v", name, u)
		case err != nil && strings.Contains(err.Error(), "c4n4ry"):
			t.Errorf("%q: %v", name, err)
		case err == nil && (u.Host == "" || u.User == "" || u.Port < 1 || u.Port > 65535 || imapPorts[u.Scheme] == 0 || strings.ContainsAny(u.User+u.Host+u.Folder, "\r\n\x00")):
			t.Errorf("%q: %+v", name, u)
		}
	})
}
