package strictyaml

import (
	"errors"
	"testing"

	"go.yaml.in/yaml/v4"
)

// tree reads its own node.
type tree struct{ text string }

func (t *tree) UnmarshalYAML(n *yaml.Node) error {
	for _, c := range n.Content {
		if c.Value == "bad" {
			return errors.New("bad is wrong")
		}
		t.text += c.Value + ";"
	}
	return nil
}

func TestTree(t *testing.T) {
	type config struct {
		N    int  `yaml:"n"`
		When tree `yaml:"when"`
	}
	for text, want := range map[string]string{
		"when: {a: '${S}', b: 010, c: ~}": "a;hunter2;b;010;c;~;",
		"n: 1\nwhen: {}":                  "",
		"when: {a: [1, {b: [2]}]}":        "a;;",
	} {
		var got config
		if err := reader().Read([]byte(text), &got); err != nil || got.When.text != want {
			t.Errorf("%s: %q, %v", text, got.When.text, err)
		}
	}
	for text, want := range map[string]string{
		"when:\n  x: {a: 1, a: 2}":   `f:2: when.x: key "a" is here and in line 2`,
		"n: 1\nwhen: {bad: hunter2}": "f:2: when: bad is wrong",
		"when: [&a x]":               "f:1: when[0]: anchors, aliases and tags are not known here; quote a value that begins with & * or !",
		"when: {a: '${NONE}'}":       "f:1: when.a: the environment variable NONE is not set",
	} {
		if err := reader().Read([]byte(text), new(config)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
