package sink

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	file := func(name, path string) Config {
		return Config{Name: name, Type: TypeFile, File: FileConfig{Path: path}}
	}
	for _, test := range []struct {
		config Config
		want   string // empty: it is valid
	}{
		{file("f", "r.ndjson"), ""},
		{file("a.b-c_9", "./s3://r.ndjson"), ""},
		{file("f", ""), "path is empty"},
		{file("f", "/var/log/"), "path names a directory"},
		{file("f", "a\x00"), "path holds a NUL"},
		{file("f", "s3://bucket/r"), "path is a URL"},
		{file("", "r"), "name is missing"},
		{file("a b", "r"), "name holds other characters"},
		{file("stdout", "r"), "name is that of the standard output"},
		{Config{Name: "c", Type: TypeExec, Exec: ExecConfig{Command: []string{"cat"}}}, ""},
		{Config{Name: "c", Type: TypeExec}, "command is missing"},
		{Config{Name: "c", Type: TypeExec, Exec: ExecConfig{Command: []string{"cat"}}, File: FileConfig{Path: "r"}}, "path is no key of the type exec"},
		{Config{Name: "f", Type: TypeFile, Exec: ExecConfig{Command: []string{"cat"}}, File: FileConfig{Path: "r"}}, "command is no key of the type file"},
		{Config{Name: "f", File: FileConfig{Path: "r"}}, "type is missing"},
		{Config{Name: "f", Type: "kafka"}, "type is none of exec, file"},
	} {
		err := test.config.Validate()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%+v: %v, want %q", test.config, err, test.want)
		}
	}
	for want, list := range map[string]List{
		"":                          {file("a", "r"), file("b", "s"), {Name: "c", Type: TypeExec}, {Name: "d", Type: TypeExec}},
		"[2].name is that of [0]":   {file("a", "r"), file("b", "s"), file("a", "t")},
		"[1].path is that of [0]":   {file("a", "r"), file("b", "r")},
		"[1].path is that of [0]; ": {file("a", "d/../r"), file("b", "./r")},
	} {
		err := list.Validate()
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%+v: %v, want %q", list, err, want)
		}
	}
}

func TestOpen(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	path := filepath.Join(t.TempDir(), "r")
	s, err := Open(Config{Name: "f", Type: TypeFile, File: FileConfig{Path: path}}, Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := Open(Config{Name: "g", Type: TypeFile, File: FileConfig{Path: path}}, Options{Log: log}); err == nil {
		t.Error("two sinks write one file")
	}
	if _, err := Open(Config{Name: "f", Type: "kafka"}, Options{Log: log}); err == nil {
		t.Error("an unknown type opens")
	}
}
