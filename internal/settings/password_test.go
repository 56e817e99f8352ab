package settings

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/mailboxurl"
)

// nobody sits at the terminal.
var nobody = Person{LogIn: func(account string) string { return "fblwatch login --account " + account }}

func passwordOf(t *testing.T, a Account) (imapclient.Secret, error) {
	t.Helper()
	credentials, err := a.login(nobody)(t.Context(), imapclient.Challenge{Trial: 1})
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
		fixture.File(t, path, text)
		got, err := passwordOf(t, Account{PasswordFile: path})
		if got.Reveal() != want || (err == nil) != (want != "") || err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.20q: %q, %v", text, got.Reveal(), err)
		}
	}
}

// systemd's LoadCredential=NAME:FILE is a file below $CREDENTIALS_DIRECTORY.
func TestPasswordCredential(t *testing.T) {
	dir := t.TempDir()
	fixture.File(t, filepath.Join(dir, "fbl"), "hunter2\n")
	text := "accounts:\n  - {name: a, url: 'imaps://fbl@h', password_file: '${CREDENTIALS_DIRECTORY}/fbl'}\n"
	config, err := Parse([]byte(text), "c", env("CREDENTIALS_DIRECTORY", dir))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := passwordOf(t, config.Accounts[0]); err != nil || got != "hunter2" {
		t.Errorf("%q, %v", got.Reveal(), err)
	}
	if _, err = Parse([]byte(text), "c", env()); err == nil || !strings.HasSuffix(err.Error(), "the environment variable CREDENTIALS_DIRECTORY is not set") {
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
		got, err := passwordOf(t, Account{PasswordCommand: []string{"sh", "-c", test.script}})
		if got.Reveal() != test.want || (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
			t.Errorf("%s: %.60q, %.300v", test.script, got.Reveal(), err)
		}
	}
	if _, err := passwordOf(t, Account{PasswordCommand: []string{"/none/such"}}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
}

// A command that hangs, or whose children do, is not waited for.
func TestPasswordCommandHangs(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("the end"))
	defer cancel()
	began := time.Now()
	_, err := Account{PasswordCommand: []string{"sh", "-c", "sleep 60 & sleep 60"}}.login(nobody)(ctx, imapclient.Challenge{Trial: 1})
	if err == nil || err.Error() != "password: password_command sh: the end" || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

// A refused password is not tried again on the same connection.
func TestLoginTriesOnce(t *testing.T) {
	login := Account{Name: "a", URL: mailboxurl.URL{User: "u"}, Password: "p"}.login(nobody)
	credentials, err := login(context.Background(), imapclient.Challenge{Trial: 1})
	if err != nil || credentials.Username != "u" || credentials.Password.Reveal() != "p" {
		t.Errorf("%+v, %v", credentials, err)
	}
	refused := errors.New("refused")
	if _, err := login(context.Background(), imapclient.Challenge{Trial: 2, Last: refused}); !errors.Is(err, refused) {
		t.Errorf("second trial: %v", err)
	}
}
