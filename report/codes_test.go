package report

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// docs/trust.md has each code, once, with its cause, and no others.
func TestCodesInDocs(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var codes, rows []string
	for _, m := range regexp.MustCompile(`(?m)^\tCode\w+ +Code = (?:"(\w+)"|Code\((\w+)\))`).FindAllStringSubmatch(read("codes.go"), -1) {
		name := m[1]
		if name == "" {
			name = map[string]string{"Named": string(Named), "Token": string(Token)}[m[2]]
		}
		codes = append(codes, name)
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| [^|]+ \\|[^|]*\\|$").FindAllStringSubmatch(read("../docs/trust.md"), -1) {
		rows = append(rows, m[1])
	}
	slices.Sort(codes)
	slices.Sort(rows)
	if len(codes) < 40 || !slices.Equal(codes, rows) {
		t.Errorf("codes.go has   %q\ndocs/trust.md %q", codes, rows)
	}
}
