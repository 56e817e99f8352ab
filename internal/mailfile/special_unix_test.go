//go:build unix

package mailfile_test

import (
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/mailfile"
)

func TestSpecialFiles(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "a.eml")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	fixture.File(t, filepath.Join(dir, "b.eml"), "b")
	messages, errs := collect(dir, mailfile.Options{})
	if diff := cmp.Diff([]string{"1 b"}, messages); diff != "" {
		t.Error(diff)
	}
	if len(errs) != 1 || !errors.Is(errs[0], mailfile.ErrNotFile) || !strings.Contains(errs[0].Error(), "a.eml: not a regular file (named pipe)") {
		t.Errorf("errors %v", errs)
	}
	if _, errs := collect("/dev/null", mailfile.Options{}); len(errs) != 1 || !errors.Is(errs[0], mailfile.ErrNotFile) {
		t.Errorf("/dev/null: %v", errs)
	}
}
