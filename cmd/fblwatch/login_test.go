package main

import (
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

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
	server := httptest.NewServer(issuer)
	ts.Defer(server.Close)
	issuer.URL = server.URL
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
	if got, want := p.loginHint(Account{Name: "a"}), "run fblwatch login -c 'my config.yaml' --account a"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := fmt.Sprint((&program{}).loginHint(Account{Name: "a"})), "run fblwatch login --account a"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
