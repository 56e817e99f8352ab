package strictyaml

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type secret string

type inner struct {
	On    bool          `yaml:"on"`
	N     int           `yaml:"n"`
	Wait  time.Duration `yaml:"wait"`
	Upper upper         `yaml:"upper"`
	Rows  []row         `yaml:"rows"`
}

type row struct {
	Name string `yaml:"name"`
}

func (i inner) Validate() error {
	if i.N < 0 {
		return errors.New("n is below 0")
	}
	return nil
}

type upper string

func (u *upper) UnmarshalText(text []byte) error {
	if string(text) != strings.ToUpper(string(text)) {
		return errors.New("is not in upper case")
	}
	*u = upper(text)
	return nil
}

type whole struct {
	Text   string   `yaml:"text"`
	File   string   `yaml:"file"`
	Secret secret   `yaml:"secret"`
	List   []string `yaml:"list"`
	Inner  *inner   `yaml:"inner"`
	Other  int
	Group  group             `yaml:",inline"`
	Map    map[string]string `yaml:"map"`
}

// group has its keys in whole.
type group struct {
	Size int `yaml:"size"`
}

func reader() *Reader {
	values := map[string]string{"ON": "true", "N": "7", "NULL": "null", "EMPTY": "", "S": "hunter2"}
	return &Reader{
		Name: "f", Secret: reflect.TypeFor[secret](), IsPath: func(key string) bool { return key == "file" },
		Env:  func(name string) (string, bool) { v, set := values[name]; return v, set },
		Home: func() (string, error) { return "/home/fbl", nil },
	}
}

func TestRead(t *testing.T) {
	for text, want := range map[string]whole{
		"text: 2026-01-01\nlist: [1, 0x10, true, 'null', '<<']": {Text: "2026-01-01", List: []string{"1", "0x10", "true", "null", "<<"}},
		"text: '${NULL}'\nfile: ~/x":                            {Text: "null", File: "/home/fbl/x"},
		"text: ~/x\nfile: ~x":                                   {Text: "~/x", File: "~x"},
		"text: ${EMPTY}${NONE:-none}$${S}\nfile:":               {Text: "none${S}"},
		"inner: {on: '${ON}', n: \"${N}\", wait: 5s, upper: A, rows: [{name: '${S}'}]}": {
			Inner: &inner{On: true, N: 7, Wait: 5 * time.Second, Upper: "A", Rows: []row{{"hunter2"}}},
		},
		"inner: {n: 010}":                   {Inner: &inner{N: 10}},
		"size: 010\nmap: {a: '${S}', 1: 2}": {Group: group{10}, Map: map[string]string{"a": "hunter2", "1": "2"}},
	} {
		var got whole
		if err := reader().Read([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "f: the file is empty",
		"~":                                    "f: the file is empty",
		"# a comment":                          "f: the file is empty",
		"text: a\n---\ntext: b":                "f: more than one YAML document; leave out the --- lines",
		"[a]":                                  "f:1: expected keys with values, of file, inner, list, map, secret, size, text",
		"txt: hunter2":                         `f:1: unknown key "txt"; did you mean "text"?`,
		"qwertz: x":                            `f:1: unknown key "qwertz"; known are file, inner, list, map, secret, size, text`,
		"Other: 1":                             `f:1: unknown key "Other"; known are file, inner, list, map, secret, size, text`,
		"<<: {text: x}":                        `f:1: unknown key "<<"; known are file, inner, list, map, secret, size, text`,
		"text: x\ntext: y":                     `f:2: key "text" is here and in line 1`,
		"[a, b]: x":                            "f:1: a key must be a word",
		"list: hunter2":                        "f:1: list: expected a list, such as [a, b]",
		"list: [[hunter2]]":                    "f:1: list[0]: expected text",
		"list: [a,\n null]":                    "f:2: list[1]: is empty",
		"text: &a hunter2":                     "f:1: text: anchors, aliases and tags are not known here; quote a value that begins with & * or !",
		"text: !!int hunter2":                  "f:1: text: anchors, aliases and tags are not known here; quote a value that begins with & * or !",
		"text: {a: hunter2}":                   "f:1: text: expected text",
		"text: '${NONE}'":                      "f:1: text: the environment variable NONE is not set",
		"text: '${a b}'":                       "f:1: text: ${...} holds no name of a variable; write $${ for a plain ${",
		"size: hunter2":                        "f:1: size: expected a number",
		"map: [hunter2]":                       "f:1: map: expected keys with values, such as {a: b}",
		"map: {a: b, a: hunter2}":              `f:1: map: key "a" is here and in line 1`,
		"map: {a: }":                           "f:1: map.a: is empty",
		"map: {a: [hunter2]}":                  "f:1: map.a: expected text",
		"inner: [hunter2]":                     "f:1: inner: expected keys with values, of n, on, rows, upper, wait",
		"inner: {on: '${S}'}":                  "f:1: inner.on: expected true or false",
		"inner: {on: '${NULL}'}":               "f:1: inner.on: expected true or false",
		"inner: {n: '${S}'}":                   "f:1: inner.n: expected a number",
		"inner: {on: yes}":                     "f:1: inner.on: expected true or false",
		"inner: {n: 99999999999999999999}":     "f:1: inner.n: expected a number",
		"inner: {n: 0x10}":                     "f:1: inner.n: expected a number",
		"inner: {n: 1_000}":                    "f:1: inner.n: expected a number",
		"inner: {n: 1e3}":                      "f:1: inner.n: expected a number",
		"inner: {n: 10.0}":                     "f:1: inner.n: expected a number",
		"inner: {wait: '${S}'}":                "f:1: inner.wait: expected a time such as 5s",
		"inner: {upper: '${S}'}":               "f:1: inner.upper: is not in upper case",
		"inner:\n  rows: []\n  n: -1":          "f:3: inner: n is below 0",
		"inner:\n  rows:\n  - {nmae: hunter2}": `f:3: inner.rows[0]: unknown key "nmae"; did you mean "name"?`,
	} {
		if err := reader().Read([]byte(text), new(whole)); err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestLiterals(t *testing.T) {
	for text, want := range map[string][]string{
		"secret: hunter2": {"secret"}, "secret: '${S}'": nil, "secret: ''\ntext: x": nil, "text: x": nil,
	} {
		r := reader()
		if err := r.Read([]byte(text), new(whole)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, r.Literals()); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}
