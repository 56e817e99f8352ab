package sink

import (
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/strictyaml"
	"github.com/fblwatch/fblwatch/report"
)

var yamlBlock = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// docConfigs returns the sinks of each block of YAML of a page in docs/sinks, such as
// "exec", read as those of a config file. Other keys of the block are not read. A page
// has at least one block. Variables are those of the environment: see testing.T.Setenv.
func docConfigs(t *testing.T, page string) (blocks []List) {
	t.Helper()
	name := filepath.Join("..", "..", "docs", "sinks", page+".md")
	for _, match := range yamlBlock.FindAllStringSubmatch(fixture.Read(t, name), -1) {
		var block struct {
			Sinks yaml.Node      `yaml:"sinks"`
			Rest  map[string]any `yaml:",inline"`
		}
		if err := yaml.Unmarshal([]byte(match[1]), &block); err != nil {
			t.Fatalf("%s: %v in\n%s", name, err, match[1])
		}
		if block.Sinks.IsZero() {
			continue
		}
		sinks, err := yaml.Marshal(map[string]*yaml.Node{"sinks": &block.Sinks})
		if err != nil {
			t.Fatal(err)
		}
		var read struct {
			Sinks List `yaml:"sinks"`
		}
		y := strictyaml.Reader{Name: name, Env: os.LookupEnv, Home: os.UserHomeDir}
		if err := y.Read(sinks, &read); err != nil {
			t.Fatalf("%v in\n%s", err, match[1])
		}
		blocks = append(blocks, read.Sinks)
	}
	if len(blocks) == 0 {
		t.Fatalf("%s has no config", name)
	}
	return blocks
}

// TestDocs: every type has a page with a config of that type, and a row in the table of
// types.
func TestDocs(t *testing.T) {
	table := fixture.Read(t, filepath.Join("..", "..", "docs", "sinks", "README.md"))
	docConfigs(t, "README")
	for name := range kinds {
		if !strings.Contains(table, "\n| `"+name+"` | ") || !strings.Contains(table, "("+name+".md)") {
			t.Errorf("README.md: no row for %s", name)
		}
		has := false
		for _, list := range docConfigs(t, name) {
			for _, c := range list {
				has = has || c.Type == name
			}
		}
		if !has {
			t.Errorf("%s.md: no sink of that type", name)
		}
	}
}

var pythonBlock = regexp.MustCompile("(?ms)^```python\n(.*?)^```$")

// The program of the page answers as the sink wants, and the one for each record gets
// the address.
func TestExecPage(t *testing.T) {
	python, err := osexec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	t.Setenv("OWN_TOKEN", "x")
	dir, page := t.TempDir(), fixture.Read(t, filepath.Join("..", "..", "docs", "sinks", "exec.md"))
	program := fixture.File(t, filepath.Join(dir, "own.py"), pythonBlock.FindStringSubmatch(page)[1])
	blocks := docConfigs(t, "exec")
	own, phplist := blocks[0][0], blocks[1][0]
	own.Exec.Command = []string{python, program}
	s, err := Open(own, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	write(t, s, rows(1, 1, 600))
	out := filepath.Join(dir, "out")
	phplist.Exec.Command = append([]string{os.Args[0], "command", "arguments", out}, phplist.Exec.Command[1:]...)
	each, err := Open(phplist, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer each.Close()
	item := itemOf(t, report.Record{OriginalRcptTo: "user@example.com"})
	if _, err := each.Write(t.Context(), []delivery.Item{item}); err != nil {
		t.Error(err)
	}
	if got, want := fixture.Read(t, out), `["-pblacklistemail" "-e" "user@example.com"] ""`+"\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
