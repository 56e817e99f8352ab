package trust

import (
	"testing"
	"time"
)

// Letters of Unicode that become ASCII in lower case are no other way to write an
// id or an address of ours.
func TestForeignLetters(t *testing.T) {
	plain := complaint("feedback@"+reporter, oursOriginal)
	for _, id := range []string{"m\u0130x.kx.example.com", "mix.\u212ax.example.com", "mix.kx.example\u3002com", "\uff4dix.kx.example.com"} {
		conf := config
		conf.AuthservIDs = []string{"mix.kx.example.com"}
		if got := check(t, conf, publish(t), results(id, dkimPass(reporter))+receivedOurs+plain, true, time.Time{}, false); got.Auth != authNone {
			t.Errorf("%s: %+v", id, got)
		}
	}
	conf := config
	conf.AuthservIDs = []string{"mx.xn--bcher-kva.example"}
	if got := check(t, conf, publish(t), results("mx.bücher.example", dkimPass(reporter))+receivedOurs+plain, true, time.Time{}, false); got.Auth != authNone {
		t.Errorf("another spelling of an id: %+v", got)
	}
	for _, test := range []struct {
		a, b string
		same bool
	}{
		{"Staff@Hotmail.com", "staff@hotmail.com", true},
		{"x@bücher.example", "X@xn--bcher-kva.example", true},
		{"\u017ftaff@example.com", "staff@example.com", false},
		{"staff@x.example", "staff@y.example", false},
		{"a@b@x.example", "b@x.example", false},
		{"x.example", "x.example", false},
	} {
		if got := sameAddress(test.a, test.b); got != test.same {
			t.Errorf("%s and %s: %v", test.a, test.b, got)
		}
	}
	for in, want := range map[string]string{
		"Example.COM.":      "example.com",
		" example.com ":     "example.com",
		"Bücher.example":    "xn--bcher-kva.example",
		"BÜCHER.Example":    "xn--bcher-kva.example",
		"straße.example":    "xn--strae-oqa.example",
		"a_b.bücher.ex":     "a_b.bücher.ex", // no host
		"\xff.example":      "\xff.example",
		"_domainkey.Ex.com": "_domainkey.ex.com",
	} {
		if got := canonical(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}
