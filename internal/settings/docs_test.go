package settings

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

var (
	yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
	variable  = regexp.MustCompile(`^[A-Z_]+$`)
)

// Each config of the pages about sinks is one that loads.
func TestDocs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/sinks/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal("no pages", err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range yamlBlock.FindAllSubmatch(text, -1) {
			_, err := Parse(block[1], filepath.Base(page), func(name string) (string, bool) { return "/x", variable.MatchString(name) })
			if err != nil {
				t.Errorf("%v in\n%s", err, block[1])
			}
		}
	}
}
