package imapclient

import "testing"

func TestMatches(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "a/b", true}, {"%", "a", true}, {"%", "a/b", false}, {"a/%", "a/b", true}, {"a/%", "a/b/c", false}, {"a/*", "a/b/c", true},
		{"%/%", "a/b", true}, {"%/%", "a/b/c", false}, {"a*c%e", "abcdce", true}, {"a*c%e", "abcd/e", false}, {"a", "ab", false}, {"ab", "a", false},
		{"inbox", "INBOX", true}, {"Sale 100%", "Sale 100%", true}, {"Fr%", "Früher", true}, {"", "", true}, {"", "a", false}, {"%", "", true},
		{"fbl/%", "FBL/Yahoo", true}, {"FRÜH%", "früher", true}, {"Fr\u00fcher", "Fru\u0308her", true}, {"K", "\u212a", true},
		{"FBL/%", "FBL2", false}, {"FBL/%", "FBL/2026/Old", false}, {"INB", "INBOX", false}, {"inbox/%", "INBOX/a", true},
		{"%", "a/", true}, {"a/%", "a/b/", true}, {"a/", "a/", true}, {"a/", "a", false}, {"a", "a/", true},
	} {
		if got := matches(test.pattern, test.name, '/'); got != test.want {
			t.Errorf("%q, %q: %v", test.pattern, test.name, got)
		}
	}
	if !matches("%", "a/b", 0) {
		t.Error("a server without a hierarchy")
	}
}
