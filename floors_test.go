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

// floors has every package of the module, the lowest floor first. Imports run to a
// lower floor, or within one floor to a package that is named before.
var floors = [][]string{
	{ // 1: of use to anybody
		"internal/message", "internal/jsontree", "internal/plainfile", "internal/nearest", "internal/strictyaml", "internal/mailboxurl",
		"internal/subprocess", "internal/backoff", "internal/mailfile", "internal/terminal",
		"internal/imaptest", "internal/imaptest/realserver", "internal/oauthtest", "internal/pacetest", "internal/fixture",
	},
	{ // 2: public
		"callbacks", "report", "imapclient",
	},
	{ // 3: what a report says and may do
		"internal/remote", "internal/trust", "internal/identify", "internal/privacy", "internal/enrich", "internal/rule", "internal/hook", "internal/oauth",
		"internal/sample", "internal/ledger", "internal/ledger/sqlite", "internal/ledger/memory", "internal/ledger/backend", "internal/ledger/ledgertest",
	},
	{ // 4: what is done with it
		"internal/process", "internal/suppress", "internal/delivery", "internal/digest", "internal/profile", "internal/recordtable", "internal/sink",
	},
	{ // 5: what runs
		"internal/watch", "internal/settings", "internal/survey", "internal/daemon", "internal/demo",
	},
	{ // 6: flags and text
		"cmd/fblwatch", "cmd/demo",
	},
}

// place is a package's floor, from 1, and its number on it.
type place struct{ floor, number int }

func placeOf(name string) (p place, known bool) {
	for i, floor := range floors {
		if number := slices.Index(floor, name); number >= 0 {
			return place{i + 1, number}, true
		}
	}
	return place{}, false
}

// below reports whether p may be imported by a package at q.
func (p place) below(q place) bool {
	return p.floor < q.floor || p.floor == q.floor && p.number < q.number
}

// testOnly may be imported by the tests of any floor.
var testOnly = []string{
	"internal/imaptest", "internal/imaptest/realserver", "internal/oauthtest", "internal/pacetest", "internal/fixture", "internal/sample", "internal/ledger/ledgertest",
}

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
		at, known := placeOf(name)
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
			if below, ok := placeOf(to); ok && !below.below(at) {
				add("%s (floor %d) imports %s (floor %d)", name, at.floor, to, below.floor)
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			to := ours(imported)
			if to == "" || to == name || slices.Contains(testOnly, to) {
				continue
			}
			if below, ok := placeOf(to); ok && !below.below(at) {
				add("%s (floor %d) imports %s (floor %d) in a test", name, at.floor, to, below.floor)
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
		{"up", pkg{ImportPath: module + "/report", Imports: []string{module + "/imapclient"}}, "report (floor 2) imports imapclient (floor 2)"},
		{"down to internal", pkg{ImportPath: module + "/report", Imports: []string{module + "/internal/message"}}, ""},
		{"across", pkg{ImportPath: module + "/internal/privacy", Imports: []string{module + "/internal/ledger"}}, "internal/privacy (floor 3) imports internal/ledger (floor 3)"},
		{"logger", pkg{ImportPath: module + "/report", Imports: []string{"log"}}, "report is public and logs with log"},
		{"logger below a module", pkg{ImportPath: module + "/report", Imports: []string{"go.uber.org/zap/zapcore"}}, "report is public and logs with go.uber.org/zap/zapcore"},
		{"unknown", pkg{ImportPath: module + "/internal/new"}, "internal/new is not in the table of floors"},
		{"vague", pkg{ImportPath: module + "/report", Name: "util"}, "report: the name says nothing"},
		{"test up", pkg{ImportPath: module + "/report", TestImports: []string{module + "/internal/watch"}}, "report (floor 2) imports internal/watch (floor 5) in a test"},
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
