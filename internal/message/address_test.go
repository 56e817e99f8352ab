package message

import (
	"slices"
	"testing"
)

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		in, addr string
		rest     bool
	}{
		{"a@example.com", "a@example.com", false},
		{"<a@example.com>", "a@example.com", false},
		{`"A <x> B" <a@example.com>`, "a@example.com", true},
		{"a@example.com (A)", "a@example.com", true},
		{"A a@example.com", "a@example.com", true},
		{"<>", "<>", false},
		{"< >", "<>", false},
		{"<a@example.com", "a@example.com", false},
		{"MAILER-DAEMON", "MAILER-DAEMON", false},
		{"two words", "two words", false},
		{`"a b"@example.com`, `"a b"@example.com`, false},
		{`"a \"@b"@example.com (A)`, `"a \"@b"@example.com`, true},
		{`"A B" a@example.com`, "a@example.com", true},
	} {
		if addr, rest := Address(c.in); addr != c.addr || rest != c.rest {
			t.Errorf("%q: %q %t", c.in, addr, rest)
		}
	}
}

func TestAddresses(t *testing.T) {
	in := `"B, C" <b@example.com>, c@example.com (D, E),, "a\"," <f@example.com>`
	want := []string{`"B, C" <b@example.com>`, "c@example.com (D, E)", `"a\"," <f@example.com>`}
	if got := slices.Collect(Addresses(in)); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := slices.Collect(Addresses(`a@example.com\`)); !slices.Equal(got, []string{`a@example.com\`}) {
		t.Errorf("%q", got)
	}
}

func TestRecipients(t *testing.T) {
	for addr, want := range map[string][3]bool{ // address, placeholder, hash
		"a@example.com":            {true, false, false},
		"redacted@example.com":     {true, true, false},
		"user@redacted.invalid":    {true, true, false},
		"undisclosed-recipients:;": {false, true, false},
		"xxxx@example.com":         {true, true, false},
		"x":                        {false, true, false},
		"":                         {false, true, false},
		"max@example.com":          {true, false, false},
		"0123456789abcdef0123456789abcdef@example.com": {true, false, true},
		"0123456789abcdef0123456789abcdeg@example.com": {true, false, false},
		"a b@example.com": {false, false, false},
		"a@exa mple.com":  {false, false, false},
		"@example.com":    {false, true, false},

		`"a b"@example.com`: {true, false, false},
		`b"@example.com`:    {false, false, false},
		"a@@example.com":    {false, false, false},
		"a@b@example.com":   {false, false, false},
		"a***z@example.com": {true, true, false},
		"a...@example.com":  {true, true, false},
		"a.b*@example.com":  {true, true, false},
	} {
		if got := [3]bool{IsAddress(addr), IsPlaceholder(addr), IsHash(addr)}; got != want {
			t.Errorf("%q: %v, want %v", addr, got, want)
		}
	}
}

func TestParseIP(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1":                    "192.0.2.1",
		"[192.0.2.1]":                  "192.0.2.1",
		"::ffff:192.0.2.1":             "192.0.2.1",
		"2001:DB8:0:0::1":              "2001:db8::1",
		"IPv6:2001:db8::1":             "2001:db8::1",
		"192.0.2.1 (mail.example.com)": "192.0.2.1",
		"x.x.x.x":                      "",
		"192.0.2.256":                  "",
		"fe80::1%eth0":                 "",
		"mail.example.com 192.0.2.1":   "",
	} {
		if got, _ := ParseIP(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestParam(t *testing.T) {
	for in, want := range map[string]string{
		`multipart/report; boundary=a=b/c; x=y`:                       "a=b/c",
		`multipart/report; x="a;boundary=no"; Boundary = "--a b" ;`:   "--a b",
		"multipart/report; report-type=feedback-report;\n boundary=b": "b",
		`multipart/report; boundary="open`:                            "open",
		`multipart/report;`:                                           "",
		`multipart/report; charset="charset=utf-8"; boundary=b`:       "b",
	} {
		if got := string(Param([]byte(in), "boundary")); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
