package remote

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/fixture"
)

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pass")
	for text, want := range map[string]string{
		"hunter2":                        "hunter2",
		"hunter2\n":                      "hunter2",
		"hunter2\r\n":                    "hunter2",
		"  hunter2 \nsecond line":        "  hunter2 ",
		"":                               "",
		"\nhunter2\n":                    "",
		strings.Repeat("x", maxSecret+1): "",
	} {
		fixture.File(t, path, text)
		got, err := Source{File: path}.Get(t.Context())
		if got.Reveal() != want || (err == nil) != (want != "") || err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.20q: %q, %v", text, got.Reveal(), err)
		}
	}
}

func TestCommand(t *testing.T) {
	tests := []struct {
		script, want, err string
	}{
		{"echo hunter2", "hunter2", ""},
		{"printf 'hunter2\\r\\nuser: x\\n'; echo warning >&2", "hunter2", ""},
		{"exit 3", "", "token_command sh: exit status 3"},
		{"echo 'gpg: decryption failed:\n No secret key' >&2; exit 2", "", "token_command sh: exit status 2: gpg: decryption failed: No secret key"},
		{"echo hunter2; echo cannot store hunter2 >&2; exit 1", "", "token_command sh: exit status 1: cannot store <secret>"},
		{"printf '%0600d' 0 >&2; exit 1", "", "token_command sh: exit status 1: " + strings.Repeat("0", maxGrievance)},
		{"echo", "", "token_command sh: the first line is empty"},
		{"head -c 70000 /dev/zero", "", "token_command sh: printed more than 65536 octets"},
	}
	for _, test := range tests {
		got, err := Source{Key: "token", Command: []string{"sh", "-c", test.script}}.Get(t.Context())
		if got.Reveal() != test.want || (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
			t.Errorf("%s: %.60q, %.300v", test.script, got.Reveal(), err)
		}
	}
	if _, err := (Source{Command: []string{"/none/such"}}).Get(t.Context()); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
}

// A command that hangs, or whose children do, is not waited for.
func TestCommandHangs(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("the end"))
	defer cancel()
	began := time.Now()
	_, err := Source{Key: "token", Command: []string{"sh", "-c", "sleep 60 & sleep 60"}}.Get(ctx)
	if err == nil || err.Error() != "token_command sh: the end" || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
