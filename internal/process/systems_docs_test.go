package process

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/fblwatch/fblwatch/internal/trust"
)

// advice is what docs/trust.md says of a receiving system.
type advice struct {
	alone, dead bool         // its Authentication-Results are enough: without trust.dkim; with it, while the DNS is dead
	trust       trust.Config // what to set
}

var settingBlock = regexp.MustCompile("(?s)\n### ([a-z]+)\n(.*?)(\n##|$)")

// adviceOf reads docs/trust.md: its table of systems, and the settings below it.
func adviceOf(t testing.TB) map[string]advice {
	t.Helper()
	page, err := os.ReadFile("../../docs/trust.md")
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]trust.Config{}
	for text := string(page); ; {
		at := settingBlock.FindStringSubmatchIndex(text)
		if at == nil {
			break
		}
		name, body := text[at[2]:at[3]], text[at[4]:at[5]]
		config := trustedByAll
		if _, block, found := strings.Cut(body, "```yaml\n"); found {
			block, _, _ = strings.Cut(block, "```")
			config = configOf(t, block)
		}
		settings[name] = config
		text = text[at[5]:]
	}
	all := map[string]advice{}
	_, table, _ := strings.Cut(string(page), "| the mailbox is at |")
	table, _, _ = strings.Cut(table, "\n\n")
	for line := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) < 6 || strings.HasPrefix(line, "|--") || !strings.HasPrefix(line, "| ") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		config, there := settings[cells[2]]
		_, twice := all[cells[1]]
		if isAnswer := func(s string) bool { return s == "yes" || s == "no" }; !isAnswer(cells[3]) || !isAnswer(cells[4]) || !there || twice {
			t.Errorf("docs/trust.md: %s", line)
		}
		all[cells[1]] = advice{alone: cells[3] == "yes", dead: cells[4] == "yes", trust: config}
	}
	return all
}

// configOf reads a block of YAML with the key trust.
func configOf(t testing.TB, block string) trust.Config {
	t.Helper()
	type keys trust.Mailbox // without its short form, a name
	var long struct {
		Trust struct {
			Mailbox keys `yaml:"mailbox"`
		} `yaml:"trust"`
	}
	config := struct {
		Trust trust.Config `yaml:"trust"`
	}{trustedByAll}
	if err := yaml.Unmarshal([]byte(block), &long); err == nil && long.Trust.Mailbox.Gateway != nil {
		config.Trust.Mailbox = trust.Mailbox(long.Trust.Mailbox)
	} else if err := yaml.Unmarshal([]byte(block), &config); err != nil {
		t.Fatalf("docs/trust.md: %v\n%s", err, block)
	}
	return config.Trust
}

// TestSystemsInDocs: the page and the tests know the same systems.
func TestSystemsInDocs(t *testing.T) {
	said := adviceOf(t)
	for _, s := range systems() {
		if _, there := said[s.name]; !there {
			t.Errorf("docs/trust.md does not say what to set for %s", s.name)
		}
		delete(said, s.name)
	}
	for name := range said {
		t.Errorf("no test for %s", name)
	}
}
