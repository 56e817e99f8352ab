package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

func (p *program) passwordOf(t *testing.T, a Account) (imapclient.Secret, error) {
	t.Helper()
	credentials, err := p.login(a)(t.Context(), imapclient.Challenge{Trial: 1})
	return credentials.Password, err
}

func TestPasswordFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pass")
	for text, want := range map[string]string{
		"hunter2":                          "hunter2",
		"hunter2\n":                        "hunter2",
		"hunter2\r\n":                      "hunter2",
		"  hunter2 \nsecond line":          "  hunter2 ",
		"":                                 "",
		"\nhunter2\n":                      "",
		strings.Repeat("x", maxPassword+1): "",
	} {
		writeFile(t, path, text)
		got, err := (&program{}).passwordOf(t, Account{PasswordFile: path})
		if got.Reveal() != want || (err == nil) != (want != "") || err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.20q: %q, %v", text, got.Reveal(), err)
		}
	}
}

// systemd's LoadCredential=NAME:FILE is a file below $CREDENTIALS_DIRECTORY.
func TestPasswordCredential(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "fbl"), "hunter2\n")
	text := "accounts:\n  - {name: a, url: 'imaps://fbl@h', password_file: '${CREDENTIALS_DIRECTORY}/fbl'}\n"
	config, err := readConfig([]byte(text), "c", env("CREDENTIALS_DIRECTORY", dir))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := (&program{}).passwordOf(t, config.Accounts[0]); err != nil || got != "hunter2" {
		t.Errorf("%q, %v", got.Reveal(), err)
	}
	if _, err = readConfig([]byte(text), "c", env()); err == nil || !strings.HasSuffix(err.Error(), "the environment variable CREDENTIALS_DIRECTORY is not set") {
		t.Errorf("outside of systemd: %v", err)
	}
}

func TestPasswordCommand(t *testing.T) {
	tests := []struct {
		script, want, err string
	}{
		{"echo hunter2", "hunter2", ""},
		{"printf 'hunter2\\r\\nuser: x\\n'; echo warning >&2", "hunter2", ""},
		{"exit 3", "", "password: password_command sh: exit status 3"},
		{"echo 'gpg: decryption failed:\n No secret key' >&2; exit 2", "", "password: password_command sh: exit status 2: gpg: decryption failed: No secret key"},
		{"echo hunter2; echo cannot store hunter2 >&2; exit 1", "", "password: password_command sh: exit status 1: cannot store <secret>"},
		{"printf '%0600d' 0 >&2; exit 1", "", "password: password_command sh: exit status 1: " + strings.Repeat("0", maxGrievance)},
		{"echo", "", "password: password_command sh: the first line is empty"},
		{"head -c 70000 /dev/zero", "", "password: password_command sh: printed more than 65536 octets"},
	}
	for _, test := range tests {
		got, err := (&program{}).passwordOf(t, Account{PasswordCommand: []string{"sh", "-c", test.script}})
		if got.Reveal() != test.want || (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
			t.Errorf("%s: %.60q, %.300v", test.script, got.Reveal(), err)
		}
	}
	if _, err := (&program{}).passwordOf(t, Account{PasswordCommand: []string{"/none/such"}}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
}

// A command that hangs, or whose children do, is not waited for.
func TestPasswordCommandHangs(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("the end"))
	defer cancel()
	began := time.Now()
	_, err := (&program{}).login(Account{PasswordCommand: []string{"sh", "-c", "sleep 60 & sleep 60"}})(ctx, imapclient.Challenge{Trial: 1})
	if err == nil || err.Error() != "password: password_command sh: the end" || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
