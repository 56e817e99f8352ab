// Package fblwatch_test holds the module's shape: which package may import which.
package fblwatch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/fblwatch/fblwatch"

// floors has every package of the module. Imports run to a lower floor only.
var floors = map[string]int{
	"callbacks":           0,
	"report":              0,
	"internal/subprocess": 0,
	"internal/nearest":    0,
	"internal/pacetest":   0,
	"internal/plainfile":  0,
	"internal/sample":     0,
	"imapclient":          1,
	"internal/trust":      1,
	"internal/enrich":     1,
	"internal/hook":       1,
	"internal/identify":   1,
	"internal/imaptest":   1,
	"internal/ledger":     1,
	"internal/mailboxurl": 1,
	"internal/mailfile":   1,
	"internal/oauthtest":  1,
	"internal/privacy":    1,
	"internal/route":      1,
	"internal/strictyaml": 1,
	"internal/alarm":      2,
	"internal/sink":       2,
	"internal/dashboard":  2,
	"internal/oauth":      2,
	"internal/process":    2,
	"internal/watch":      3,
	"cmd/fblwatch":        4,
}

// testOnly may be imported by the tests of any floor.
var testOnly = []string{"internal/imaptest", "internal/oauthtest", "internal/pacetest", "internal/sample"}

// vague names say nothing about what a package does.
var vague = []string{"config", "metrics", "util", "common", "helper", "types", "mock"}

// loggers are the well-known ones that a public package must not take.
var loggers = []string{
	"log", "github.com/sirupsen/logrus", "github.com/rs/zerolog", "github.com/go-kit/log",
	"github.com/go-logr/logr", "go.uber.org/zap", "k8s.io/klog", "github.com/golang/glog",
}

// pkg is what go list -json says of one package.
type pkg struct {
	ImportPath   string
	Name         string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

// check returns one line for each import or package that breaks the rules.
func check(pkgs []pkg) []string {
	var wrong []string
	add := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }

	for _, p := range pkgs {
		if p.ImportPath == module {
			continue // this file's own package
		}
		name := ours(p.ImportPath)
		floor, known := floors[name]
		if !known {
			add("%s is not in the table of floors", name)
			continue
		}
		if slices.Contains(vague, p.Name) || slices.Contains(vague, path.Base(name)) {
			add("%s: the name says nothing", name)
		}
		public := !strings.HasPrefix(name, "internal/") && !strings.HasPrefix(name, "cmd/")
		for _, imported := range p.Imports {
			if public && slices.ContainsFunc(loggers, func(l string) bool { return under(imported, l) }) && imported != "log/slog" {
				add("%s is public and logs with %s", name, imported)
			}
			to := ours(imported)
			if to == "" {
				continue
			}
			if public && strings.HasPrefix(to, "internal/") {
				add("%s is public and imports %s", name, to)
			}
			if f, ok := floors[to]; ok && f >= floor {
				add("%s (floor %d) imports %s (floor %d)", name, floor, to, f)
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			to := ours(imported)
			if to == "" || to == name || slices.Contains(testOnly, to) {
				continue
			}
			if f, ok := floors[to]; ok && f >= floor {
				add("%s (floor %d) imports %s (floor %d) in a test", name, floor, to, f)
			}
		}
	}
	return wrong
}

// ours returns the path within the module, or "" for others' packages.
func ours(importPath string) string {
	name, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return ""
	}
	return name
}

func under(importPath, root string) bool {
	return importPath == root || strings.HasPrefix(importPath, root+"/")
}

func TestFloors(t *testing.T) {
	pkgs := list(t)
	if len(pkgs) < 2 {
		t.Fatalf("go list found %d packages", len(pkgs))
	}
	for _, line := range check(pkgs) {
		t.Error(line)
	}
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Name,Imports,TestImports,XTestImports", "./...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var pkgs []pkg
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name string
		pkg  pkg
		want string
	}{
		{"down", pkg{ImportPath: module + "/imapclient", Imports: []string{module + "/callbacks", "log/slog"}}, ""},
		{"up", pkg{ImportPath: module + "/report", Imports: []string{module + "/imapclient"}}, "report (floor 0) imports imapclient (floor 1)"},
		{"across", pkg{ImportPath: module + "/internal/privacy", Imports: []string{module + "/internal/ledger"}}, "internal/privacy (floor 1) imports internal/ledger (floor 1)"},
		{"public to internal", pkg{ImportPath: module + "/imapclient", Imports: []string{module + "/internal/sample"}}, "imapclient is public and imports internal/sample"},
		{"logger", pkg{ImportPath: module + "/report", Imports: []string{"log"}}, "report is public and logs with log"},
		{"logger below a module", pkg{ImportPath: module + "/report", Imports: []string{"go.uber.org/zap/zapcore"}}, "report is public and logs with go.uber.org/zap/zapcore"},
		{"unknown", pkg{ImportPath: module + "/internal/new"}, "internal/new is not in the table of floors"},
		{"vague", pkg{ImportPath: module + "/report", Name: "util"}, "report: the name says nothing"},
		{"test up", pkg{ImportPath: module + "/report", TestImports: []string{module + "/internal/watch"}}, "report (floor 0) imports internal/watch (floor 3) in a test"},
		{"test of itself", pkg{ImportPath: module + "/report", XTestImports: []string{module + "/report"}}, ""},
		{"test with the test server", pkg{ImportPath: module + "/imapclient", XTestImports: []string{module + "/internal/imaptest", module + "/internal/sample"}}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := strings.Join(check([]pkg{test.pkg}), "; "); got != test.want {
				t.Errorf("check says %q, want %q", got, test.want)
			}
		})
	}
}
