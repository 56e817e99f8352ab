package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/fblwatch/fblwatch/internal/oauth"
)

func TestSecretNeverShows(t *testing.T) {
	account := Account{Name: "a", Password: "hunter2", OAuth2: &oauth.Config{ClientSecret: "hunter2"}}
	var all bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s", "%-.2s", "%T%v"} {
		fmt.Fprintf(&all, verb+"\n", account.Password)
	}
	fmt.Fprintf(&all, "%v %+v %#v\n", account, account, &account)
	fmt.Fprintf(&all, "%v %+v %#v\n", account.OAuth2, *account.OAuth2, account.OAuth2)
	fmt.Fprintln(&all, account.Password, errors.New(account.Password.String()))
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		text, err := marshal(account)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&all, nil), slog.NewJSONHandler(&all, nil)} {
		slog.New(handler).Info("login", "password", account.Password, "account", account)
	}
	if shown := all.String(); strings.Contains(shown, "hunter2") || strings.Contains(shown, fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("the secret shows:\n%s", shown)
	} else if !strings.Contains(shown, "<secret>") {
		t.Errorf("<secret> shows nowhere:\n%s", shown)
	}
}
