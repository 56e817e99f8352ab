package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/oauthtest"
)

// issuer: issuer [DESCRIPTION ERROR...] gives a script an OAuth2 issuer at
// $ISSUER that answers with these errors first. Its client is "client" with the
// secret "client-c4n4ry-secret".
func startIssuer(ts *testscript.TestScript, _ bool, args []string) {
	issuer := &oauthtest.Issuer{ClientID: "client", ClientSecret: "client-c4n4ry-secret", Rotate: true}
	if len(args) > 0 {
		issuer.Description, issuer.Script = args[0], args[1:]
	}
	server := issuer.Serve()
	ts.Defer(server.Close)
	ts.Setenv("ISSUER", server.URL)
}

func TestShellWord(t *testing.T) {
	for in, want := range map[string]string{
		"yahoo": "yahoo", "/etc/fbl.yaml": "/etc/fbl.yaml", "": "''", "my account": "'my account'", "it's": `'it'\''s'`, "$(x)": "'$(x)'",
	} {
		if got := shellWord(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	p := program{configFile: "my config.yaml"}
	if got, want := p.loginLine("a"), "fblwatch login -c 'my config.yaml' --account a"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := (&program{}).loginLine("a"), "fblwatch login --account a"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// An issuer that quotes all it was sent, in each of its answers, gets no secret
// into what a command prints or logs.
func TestCommandsShowNoSecret(t *testing.T) {
	imap := imaptest.New()
	defer imap.Close()
	address, err := imap.Listen()
	if err != nil {
		t.Fatal(err)
	}
	issuer := &oauthtest.Issuer{ClientSecret: "client-c4n4ry-secret", Rotate: true, ExpiresIn: 1}
	server := issuer.Serve()
	defer server.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	fixture.File(t, config, fmt.Sprintf(`
ledger: %[1]s/l.db
log: {level: debug}
accounts:
  - name: person
    url: imap://user@%[2]s
    oauth2: {provider: '%[3]s', client_id: client, client_secret: client-c4n4ry-secret, token_file: %[1]s/login.json}
  - name: application
    url: imap://user@%[2]s
    oauth2: {token_endpoint: '%[3]s/token', grant: client_credentials, client_id: client, client_secret: client-c4n4ry-secret}
`, dir, address, server.URL))

	var shown bytes.Buffer
	fblwatch := func(want int, args ...string) {
		t.Helper()
		if code := run(t.Context(), append([]string{"fblwatch"}, args...), nil, &shown, &shown, env()); code != want {
			t.Errorf("%v: exit %d", args, code)
		}
	}
	fblwatch(exitDone, "login", "-c", config, "--account", "person")
	fblwatch(exitDone, "login", "-c", config, "--account", "application")
	time.Sleep(time.Second) // the token's life
	issuer.Set(func(i *oauthtest.Issuer) {
		i.Answer = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == oauthtest.DiscoveryPath {
				return false
			}
			_, secret, _ := r.BasicAuth()
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]string{
				"error":             "invalid_grant",
				"error_description": r.Form.Encode() + " " + secret + " " + r.Header.Get("Authorization"),
			})
			return true
		}
	})
	fblwatch(exitFailed, "login", "-c", config, "--account", "person")
	fblwatch(exitFailed, "login", "-c", config, "--account", "application")
	fblwatch(exitFailed, "check", "-c", config)
	fblwatch(exitFailed, "folders", "-c", config)
	fblwatch(exitFailed, "sweep", "-c", config)
	text := shown.String()
	for _, secret := range []string{"c4n4ry", base64.StdEncoding.EncodeToString([]byte("client:client-c4n4ry-secret"))} {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("a secret shows: %s", text[max(0, at-200):min(len(text), at+100)])
		}
	}
	if n := strings.Count(text, "<secret>"); n < 10 {
		t.Errorf("the issuer's words show %d times:\n%s", n, text)
	}
}
