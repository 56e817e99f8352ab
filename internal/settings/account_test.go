package settings

import "testing"

func TestPatternMatches(t *testing.T) {
	for _, test := range []struct {
		pattern, name string
		want          bool
	}{
		{"FBL/*", "FBL/a", true}, {"FBL/*", "FBLX", false}, {"*", "x", true}, {"%", "x", true},
		{"a*b*c", "a.b.c", true}, {"a*b*c", "a.c", false}, {"A.B*", "AxB", false}, {"*end", "the end", true}, {"*end", "ending", false},
	} {
		if got := matches(test.pattern, test.name); got != test.want {
			t.Errorf("%s, %s: %v", test.pattern, test.name, got)
		}
	}
}
