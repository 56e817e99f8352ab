package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A command writes the profiles that the environment asks for. Each tells what it
// counts.
func TestProfile(t *testing.T) {
	dir := t.TempDir()
	cpu, memory := filepath.Join(dir, "cpu"), filepath.Join(dir, "memory")
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"fblwatch", "version"}, nil, io.Discard, &stderr,
		env("FBLWATCH_CPUPROFILE", cpu, "FBLWATCH_MEMPROFILE", memory))
	if code != exitDone || stderr.Len() > 0 {
		t.Fatalf("exit %d, stderr %s", code, &stderr)
	}
	for path, counted := range map[string]string{cpu: "nanoseconds", memory: "alloc_space"} {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		packed, err := gzip.NewReader(file)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		profile, err := io.ReadAll(packed)
		if err != nil || !bytes.Contains(profile, []byte(counted)) {
			t.Errorf("%s counts no %s: %v", path, counted, err)
		}
	}
}

// If a profile cannot be made, the error names its variable, and the command does
// not run.
func TestProfileRefused(t *testing.T) {
	for _, variable := range []string{"FBLWATCH_CPUPROFILE", "FBLWATCH_MEMPROFILE"} {
		var stdout, stderr bytes.Buffer
		path := filepath.Join(t.TempDir(), "no", "profile")
		code := run(t.Context(), []string{"fblwatch", "version"}, nil, &stdout, &stderr, env(variable, path))
		if code != exitUsage || stdout.Len() > 0 || !strings.Contains(stderr.String(), "error: "+variable+": open "+path) {
			t.Errorf("exit %d, stdout %s, stderr %s", code, &stdout, &stderr)
		}
	}
}
