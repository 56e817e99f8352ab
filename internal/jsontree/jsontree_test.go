package jsontree

import (
	"slices"
	"strings"
	"testing"
)

// TestCloseJSON: of a text that ends too early, what was whole before the cut
// stays, and nothing that the cut runs through.
func TestCloseJSON(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":1} and more`:                    `{"a":1}`,
		"\n {\"a\" : [1, true, null]}":        `{"a" : [1, true, null]}`,
		`{"a":1,"b":12`:                       `{"a":1}`,
		`{"a":1,"b":12,`:                      `{"a":1,"b":12}`,
		`{"a":"x","b":"y`:                     `{"a":"x"}`,
		`{"a":"x","b":"y"`:                    `{"a":"x","b":"y"}`,
		`{"a":"x","b"`:                        `{"a":"x"}`,
		`{"a":"x","b":`:                       `{"a":"x"}`,
		`{"a":[{"b":"c"},{"d":tru`:            `{"a":[{"b":"c"},{}]}`,
		`{"a":"x\"}`:                          `{}`,
		`{"a":"one lo!` + "\n" + ` ng line"}`: `{"a":"one long line"}`,
		`{"a":"bro` + "\r\n" + `ken"}`:        `{"a":"broken"}`,
		`{`:                                   `{}`,
		`{"a":[1}`:                            `{"a":[]}`,
		`{"a":[1,],"b":"x,", }`:               `{"a":[1],"b":"x,"}`,
		"{\"a\":\"x\ty\x01\"}":                `{"a":"x\u0009y\u0001"}`,
		`{"a":"C:\x\n\\","b":"\u12"}`:         `{"a":"C:\\x\n\\","b":"\\u12"}`,
		`[1]`:                                 ``,
		`x{"a":1}`:                            ``,
		``:                                    ``,
	} {
		if got, _, _ := complete([]byte(in)); string(got) != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestCutJSON cuts a text at every octet: each value that is read is one of the
// whole text's.
func TestCutJSON(t *testing.T) {
	const text = `{"A":"x","b":{"C":[1.5,-20,"y\"z",{"d":true}],"e":null},"f":"é\n","g":[[{"h":"i"}]]}`
	whole := leavesOf(t, text)
	if len(whole) != 7 {
		t.Fatalf("%q", whole)
	}
	for cut := range text {
		for _, leaf := range leavesOf(t, text[:cut]) {
			if !slices.Contains(whole, leaf) {
				t.Fatalf("cut at %d: %q is invented", cut, leaf)
			}
		}
	}
}

func leavesOf(t *testing.T, text string) (leaves []string) {
	tree, _ := Read([]byte(text))
	tree.Leaves(func(path, value string) { leaves = append(leaves, path+"="+value) })
	return leaves
}

func TestTree(t *testing.T) {
	tree, whole := Read([]byte(`{"A":{"List":[{"Name":"x"},{"Name":"y"},7],"n":3},"B":[true,"z"]}`))
	if !whole {
		t.Error("not whole")
	}
	for path, want := range map[string][]string{"a.list.name": {"x", "y"}, "a.n": {"3"}, "b": {"true", "z"}, "a": nil, "c.d": nil} {
		if got := tree.Take(path); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		if got := tree.Take(path); path != "a.list.name" && len(got) > 0 && path != "b" {
			t.Errorf("%s is taken, and still there: %q", path, got)
		}
	}
	tree, _ = Read([]byte(`{"A":{"b":["x","y","z"]},"c":["d","e"]}`))
	if b, c := tree.One("a.b"), tree.One("c"); b != "x" || c != "d" {
		t.Errorf("%q %q", b, c)
	}
	var left []string
	if tree.Leaves(func(path, value string) { left = append(left, path+"="+value) }); !slices.Equal(left, []string{"a.b=y", "a.b=z", "c=e"}) {
		t.Errorf("of several, one is taken, and left are %q", left)
	}
}

func TestDepth(t *testing.T) {
	if tree, _ := Read([]byte(strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33))); tree != nil {
		t.Error("33 objects within each other are read")
	}
}
