package report

import (
	"os"
	"strings"
	"testing"
)

// TestProvidersPage: providers.md says of each provider and feed of the table by
// what trust believes it.
func TestProvidersPage(t *testing.T) {
	page, err := os.ReadFile("../providers.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range builtin {
		feed := row.Feed
		if feed == "" {
			feed = "unknown"
		}
		if line := "\n| " + row.Name + ", " + feed + " |"; row.Name != "" && !strings.Contains(string(page), line) {
			t.Errorf("no row %q", line[1:])
		}
	}
}
