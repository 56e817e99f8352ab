package settings

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/profile"
	"github.com/fblwatch/fblwatch/internal/sink"
)

// TestReceiverDocs: each page of docs/receivers has a config that is one, of a sink that
// the page and the table name; and the table names each page.
func TestReceiverDocs(t *testing.T) {
	const account = "accounts:\n  - {name: a, url: 'imaps://u@h', password: x}\n"
	dir := filepath.Join("..", "..", "docs", "receivers")
	table := fixture.Read(t, filepath.Join(dir, "README.md"))
	pages, err := filepath.Glob(filepath.Join(dir, "*.md"))
	if err != nil || len(pages) < 15 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	used := map[string]bool{"listmonk": true} // docs/listmonk.md
	for _, page := range pages {
		name := filepath.Base(page)
		if name == "README.md" {
			continue
		}
		text := fixture.Read(t, page)
		row := regexp.MustCompile(`(?m)^\| \[[^\]]+\]\(` + regexp.QuoteMeta(name) + `\) \| .*$`).FindString(table)
		if row == "" {
			t.Errorf("README.md: no row for %s", name)
		}
		blocks := yamlBlock.FindAllStringSubmatch(text, -1)
		if len(blocks) == 0 {
			t.Errorf("%s: no config", name)
		}
		for _, block := range blocks {
			c, err := Parse([]byte(account+block[1]), name, func(string) (string, bool) { return "value", true })
			if err != nil {
				t.Error(err)
				continue
			}
			for _, s := range c.Sinks {
				if s.Type != sink.TypeHTTP || !strings.Contains(row, "`"+s.Profile.Profile+"`") {
					t.Errorf("%s: the row does not name the profile %q", name, s.Profile.Profile)
				}
				used[s.Profile.Profile] = true
			}
		}
	}
	for _, name := range profile.Names() {
		if profile.Acts(name) && !used[name] {
			t.Errorf("no page shows the profile %s", name)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "..", "listmonk.md")); err != nil {
		t.Error(err)
	}
}
