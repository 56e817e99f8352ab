package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/fixture"
)

var fence = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// blocks returns the README's code blocks of one language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	return blocksOf(t, "README.md", language)
}

func blocksOf(t *testing.T, file, language string) (found []string) {
	t.Helper()
	text, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range fence.FindAllStringSubmatch(string(text), -1) {
		if match[1] == language {
			found = append(found, match[2])
		}
	}
	if len(found) == 0 {
		t.Fatalf("%s has no block of %s", file, language)
	}
	return found
}

// output runs the program.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), append([]string{"fblwatch"}, args...), nil, &stdout, &stderr, env()); code != exitDone {
		t.Fatalf("%v: exit %d: %s", args, code, &stderr)
	}
	return stdout.String()
}

// The README's sessions print what stands there, in an empty directory.
func TestReadmeConsole(t *testing.T) {
	sessions := blocks(t, "console")
	t.Chdir(t.TempDir())
	for _, session := range sessions {
		for step := range strings.SplitSeq(strings.TrimPrefix(session, "$ "), "\n$ ") {
			command, want, _ := strings.Cut(step, "\n")
			args := strings.Fields(strings.TrimPrefix(command, "fblwatch "))
			if got := output(t, args...); got != want {
				t.Errorf("%s\n got %s\nwant %s", command, got, want)
			}
		}
	}
}

// What the README's record says, the README's command prints.
func TestReadmeRecord(t *testing.T) {
	examples, session := blocks(t, "json"), blocks(t, "console")[0]
	first, _, _ := strings.Cut(strings.TrimPrefix(session, "$ fblwatch "), "\n")
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile("`fblwatch (parse --format json [^`]*)`").FindSubmatch(readme)
	if command == nil {
		t.Fatal("the README does not name the command that prints the record")
	}
	t.Chdir(t.TempDir())
	output(t, strings.Fields(first)...)
	var want, got map[string]any
	if err := json.Unmarshal([]byte(examples[0]), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(output(t, strings.Fields(string(command[1]))...)), &got); err != nil {
		t.Fatal(err)
	}
	within(t, "", want, got)
}

func within(t *testing.T, path string, want, got any) {
	t.Helper()
	if object, ok := want.(map[string]any); ok {
		for key, value := range object {
			below, _ := got.(map[string]any)
			within(t, path+"."+key, value, below[key])
		}
		return
	}
	w, _ := json.Marshal(want)
	if g, _ := json.Marshal(got); !bytes.Equal(w, g) {
		t.Errorf("%s is %s, the README says %s", path, g, w)
	}
}

// The README's commands are the program's, with the same words.
func TestReadmeCommands(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range (&program{}).app().Commands {
		want = append(want, "| `fblwatch "+c.Name+"` | "+c.Usage+" |")
	}
	got := regexp.MustCompile("(?m)^\\| `fblwatch .*$").FindAllString(string(readme), -1)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("\n got %s\nwant %s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The demo says what it does before it compiles, which takes a while in silence.
func TestMakeDemo(t *testing.T) {
	dry := exec.Command("make", "-n", "demo")
	dry.Dir = "../.."
	out, err := dry.Output()
	if err != nil {
		t.Skip("no make: ", err)
	}
	said, run := strings.Index(string(out), "about a minute"), strings.Index(string(out), "go build")
	if said < 0 || run < said {
		t.Errorf("make demo: %s", out)
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if before, _, found := strings.Cut(string(readme), "\nmake demo\n"); !found || !strings.Contains(before, "about a minute") {
		t.Error("the README does not say how long the demo compiles, before its command")
	}
}

// Every option in a shell line exists.
func TestReadmeShell(t *testing.T) {
	app := (&program{}).app()
	for _, line := range strings.Split(strings.Join(blocks(t, "sh"), ""), "\n") {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "fblwatch" {
			continue
		}
		command := app.Command(words[1])
		if command == nil {
			t.Errorf("no command: %s", line)
			continue
		}
		for _, word := range words[2:] {
			if name := strings.TrimLeft(word, "-"); name != word && !slices.Contains(flagNames(command.Flags), name) {
				t.Errorf("no option %s: %s", word, line)
			}
		}
	}
}

// The README's program compiles.
func TestReadmeGo(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	for _, program := range blocks(t, "go") {
		fixture.File(t, source, program)
		overlay, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, "readme-example", "main.go"): source}})
		if err != nil {
			t.Fatal(err)
		}
		overlayFile := filepath.Join(dir, "overlay.json")
		fixture.File(t, overlayFile, overlay)
		build := exec.Command("go", "build", "-overlay", overlayFile, "-o", os.DevNull, "./readme-example")
		build.Dir = root
		if out, err := build.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
