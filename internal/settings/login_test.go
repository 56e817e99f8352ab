package settings

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/mailboxurl"
	"github.com/fblwatch/fblwatch/internal/oauth"
	"github.com/fblwatch/fblwatch/internal/oauthtest"
)

// A session gets the token there is, then a new one, then the server's refusal
// with what may be behind it; a login that is over counts as a wrong password.
func TestTokenLogin(t *testing.T) {
	issuer := &oauthtest.Issuer{}
	server := issuer.Serve()
	defer server.Close()
	a := Account{Name: "a", URL: mailboxurl.URL{User: "fbl@example.com"}, OAuth2: &oauth.Config{
		Provider: oauth.Microsoft, TokenEndpoint: server.URL + oauthtest.TokenPath, DeviceAuthorizationEndpoint: server.URL + oauthtest.DevicePath,
		ClientID: "client", TokenFile: filepath.Join(t.TempDir(), "login.json"),
	}}
	refused := &imapclient.AuthError{Username: "fbl@example.com", Err: errors.New("NO")}

	_, err := a.login(nobody)(t.Context(), imapclient.Challenge{Trial: 1})
	if !errors.As(err, new(*imapclient.AuthError)) || !errors.Is(err, oauth.ErrNoLogin) || hintOf(err) != "run fblwatch login --account a" {
		t.Errorf("%v; hint %s", err, hintOf(err))
	}
	if err := oauth.New(*a.OAuth2).Login(t.Context(), func(oauth.Prompt) {}); err != nil {
		t.Fatal(err)
	}
	login := a.login(nobody)
	for trial := 1; trial <= 2; trial++ {
		c, err := login(t.Context(), imapclient.Challenge{Trial: trial})
		if err != nil || c.Username != "fbl@example.com" || c.Password != "" || c.Token != "access-c4n4ry-1" || time.Until(c.Expires) < 59*time.Minute {
			t.Errorf("trial %d: %+v, %v", trial, c, err)
		}
	}
	busy := &imapclient.AuthError{Err: &imapclient.ResponseError{Command: "login", Status: "NO", Code: "UNAVAILABLE"}}
	if _, err := login(t.Context(), imapclient.Challenge{Trial: 2, Last: busy}); err != busy {
		t.Errorf("a busy server: %v", err)
	}
	_, err = login(t.Context(), imapclient.Challenge{Trial: 3, Last: refused})
	if !errors.Is(err, refused) || !strings.Contains(hintOf(err), "Set-CASMailbox") {
		t.Errorf("%v; hint %s", err, hintOf(err))
	}

	issuer.Revoke()
	text, err := os.ReadFile(a.OAuth2.TokenFile)
	if err != nil {
		t.Fatal(err)
	}
	fixture.File(t, a.OAuth2.TokenFile, strings.ReplaceAll(string(text), `"expires": "2`, `"expires": "1`)) // a thousand years ago
	_, err = a.login(nobody)(t.Context(), imapclient.Challenge{Trial: 1})
	if !errors.As(err, new(*imapclient.AuthError)) || !errors.Is(err, oauth.ErrRevoked) || hintOf(err) != "run fblwatch login --account a" {
		t.Errorf("%v; hint %s", err, hintOf(err))
	}
	if hint := mailboxHint(oauth.Config{Provider: oauth.Microsoft, Grant: oauth.ClientCredentials}); !strings.Contains(hint, "New-ServicePrincipal") {
		t.Errorf("%s", hint)
	}
}

func hintOf(err error) string {
	if advised := interface{ Hint() string }(nil); errors.As(err, &advised) {
		return advised.Hint()
	}
	return ""
}
