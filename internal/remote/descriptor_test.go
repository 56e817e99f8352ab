//go:build unix

package remote

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// A shell's <(command) and /dev/stdin are pipes, too, and are read; the end of
// the program does not wait for theirs.
func TestFileFromDescriptor(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	source := Source{File: fmt.Sprintf("/dev/fd/%d", r.Fd())}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := source.Get(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := w.WriteString("hunter2\n"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got, err := source.Get(t.Context()); err != nil || got != "hunter2" {
		t.Errorf("%q, %v", got.Reveal(), err)
	}
}
