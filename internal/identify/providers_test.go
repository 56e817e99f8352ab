package identify

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// providers.md has a row for each preset, in the order in which they are tried.
func TestProvidersPresets(t *testing.T) {
	text, err := os.ReadFile("../../providers.md")
	if err != nil {
		t.Fatal(err)
	}
	section := regexp.MustCompile(`(?s)\n## Presets\n(.*?)\n## `).FindSubmatch(text)
	if section == nil {
		t.Fatal("providers.md has no section on presets")
	}
	var got, want []string
	for _, row := range regexp.MustCompile(`(?m)^\| ([a-z-]+) \|`).FindAllSubmatch(section[1], -1) {
		if name := string(row[1]); name != "preset" {
			got = append(got, name)
		}
	}
	for _, b := range builtins {
		if !slices.Contains(want, b.name) {
			want = append(want, b.name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}
