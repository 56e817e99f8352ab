package settings

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

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
