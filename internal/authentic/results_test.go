package authentic

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseResults(t *testing.T) {
	type props = map[string]string
	for _, test := range []struct {
		name, value string
		want        authResults
	}{
		{"nothing checked", " mx.example.com; none", authResults{id: "mx.example.com"}},
		{"version", "MX.example.com. 1; dkim=pass header.d=a.example", authResults{"mx.example.com", []result{{"dkim", "pass", props{"header.d": "a.example"}}}}},
		{"no id", "spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=a.example;dkim=pass header.d=b.example;",
			authResults{"", []result{{"spf", "pass", props{"smtp.mailfrom": "a.example"}}, {"dkim", "pass", props{"header.d": "b.example"}}}}},
		{"blanks around =", "mx; dkim = Pass header.d = a.example", authResults{"mx", []result{{"dkim", "pass", props{"header.d": "a.example"}}}}},
		{"method version", "mx; dkim/1=pass", authResults{"mx", []result{{"dkim", "pass", props{}}}}},
		{"base64 ending in =", "mx; dkim=pass header.b=ab+/= header.d=a.example", authResults{"mx", []result{{"dkim", "pass", props{"header.b": "ab+/=", "header.d": "a.example"}}}}},
		{"quoted semicolon", `mx; spf=pass smtp.mailfrom="a; dkim=pass header.d=b"@c.example`,
			authResults{"mx", []result{{"spf", "pass", props{"smtp.mailfrom": "a; dkim=pass header.d=b@c.example"}}}}},
		{"comment with everything", `mx (a "b; (c\) ); dkim=pass); x) 1; dkim=fail (; dkim=pass) reason="no; key"`,
			authResults{"mx", []result{{"dkim", "fail", props{"reason": "no; key"}}}}},
		{"two properties of one name", "mx; dkim=pass header.d=a.example header.d=b.example header.d=a.example", authResults{"mx", []result{{"dkim", "pass", props{"header.d": ""}}}}},
		{"a property twice", "mx; dkim=pass header.d=a.example header.d=a.example", authResults{"mx", []result{{"dkim", "pass", props{"header.d": "a.example"}}}}},
		{"open comment", "mx; dkim=pass header.d=a.example (", authResults{}},
		{"open quote", `mx; dkim=pass header.d="a.example`, authResults{}},
		{"empty", "", authResults{}},
		{"id in a comment", "(mx.example.com) other; dkim=pass", authResults{"other", []result{{"dkim", "pass", props{}}}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, parseResults(test.value), cmp.AllowUnexported(authResults{}, result{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReceivedBy(t *testing.T) {
	for value, want := range map[string]string{
		"from a.example (b.example [192.0.2.1]) by MX.example.com (Postfix) with ESMTP id 1; Mon, 1 Jun 2026 10:00:00 +0000": "mx.example.com",
		"by 2002:a05:6402::1 with SMTP id x":           "2002:a05:6402::1",
		"from x (HELO by mx.example.com) by b.example": "b.example",
		"from \"a by mx.example.com\" by b.example":    "b.example",
		"from a; by mx.example.com":                    "",
		"":                                             "",
		"by":                                           "",
	} {
		if got := receivedBy(value); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}
