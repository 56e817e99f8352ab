package identify

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// TestAllMatches: all matches count, also where the search for more than the
// first is saved.
func TestAllMatches(t *testing.T) {
	all := func(e *expression, v string) (f found) {
		matches := e.re.FindAllStringSubmatchIndex(v, maxMatches+1)
		if len(matches) > maxMatches {
			return found{}
		}
		for _, m := range matches {
			for i, value := range e.match(v, m) {
				if value != "" && !f.set(i, value) {
					return found{}
				}
			}
		}
		return f
	}
	for _, match := range []string{
		`a(?P<subscriber>\d)`, `(?i)a(?P<subscriber>\d)`, `\ba(?P<subscriber>\d)`, `(?m)^a(?P<subscriber>\d)`, `(?m)a(?P<subscriber>\d)$`,
		`^a(?P<subscriber>\d)`, `^(?P<subscriber>[^ ]+)`, `a(?P<subscriber>\d)$`, `^a(?P<subscriber>\d)$`, `(?P<subscriber>\d*)`,
		`a(?P<subscriber>\d?)`, `a(?P<subscriber>\d)|b(?P<campaign>\d)`, `^a(?P<subscriber>\d)|b(?P<campaign>\d)`, `aa(?P<subscriber>.*?)a`,
	} {
		e := &expression{re: regexp.MustCompile(match)}
		if err := errors.Join(e.groups(false), e.needs()); err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{
			"", "a", "1", "a1", "a1 ", " a1", "a1a1", "a1 a1 ", "a1 a2", "a1 A2", "a1\na2", "a1 b2", "a1b2a3", "b2 a1", "aa1a aa2a", "12 3",
			strings.Repeat("a1", maxMatches), strings.Repeat("a1", maxMatches+1),
		} {
			if got, want := e.read(v), all(e, v); got != want {
				t.Errorf("%s in %q: %q, want %q", match, v, got, want)
			}
		}
	}
}
