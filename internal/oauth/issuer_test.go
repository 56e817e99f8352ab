package oauth

import (
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/fblwatch/fblwatch/internal/oauthtest"
)

// The providers' endpoints as they document them.
func TestEndpoints(t *testing.T) {
	tests := []struct {
		config        Config
		token, device string
		style         oauth2.AuthStyle
		scopes        string
	}{
		{Config{Provider: Google}, "https://oauth2.googleapis.com/token", "https://oauth2.googleapis.com/device/code", oauth2.AuthStyleInParams, "https://mail.google.com/"},
		{Config{Provider: Microsoft}, "https://login.microsoftonline.com/common/oauth2/v2.0/token", "https://login.microsoftonline.com/common/oauth2/v2.0/devicecode",
			oauth2.AuthStyleInParams, "https://outlook.office.com/IMAP.AccessAsUser.All offline_access"},
		{Config{Provider: Microsoft, Tenant: "example.com", Grant: ClientCredentials}, "https://login.microsoftonline.com/example.com/oauth2/v2.0/token",
			"https://login.microsoftonline.com/example.com/oauth2/v2.0/devicecode", oauth2.AuthStyleInParams, "https://outlook.office365.com/.default"},
		{Config{Provider: Microsoft, TokenEndpoint: "https://login.example.com/token", Scopes: []string{"a", "b"}}, "https://login.example.com/token",
			"https://login.microsoftonline.com/common/oauth2/v2.0/devicecode", oauth2.AuthStyleInParams, "a b"},
		{Config{TokenEndpoint: "https://example.com/t", DeviceAuthorizationEndpoint: "https://example.com/d"}, "https://example.com/t", "https://example.com/d", oauth2.AuthStyleInHeader, ""},
	}
	for _, test := range tests {
		got, err := New(test.config).findEndpoint(t.Context())
		if err != nil || got.TokenURL != test.token || got.DeviceAuthURL != test.device || got.AuthStyle != test.style {
			t.Errorf("%+v: %+v, %v", test.config, got, err)
		}
		if scopes := strings.Join(test.config.scopes(), " "); scopes != test.scopes {
			t.Errorf("%+v: scopes %s", test.config, scopes)
		}
	}
}

// Discovery: what an issuer says of itself.
func TestDiscovery(t *testing.T) {
	const plain = `{"issuer":"URL","token_endpoint":"URL/t","device_authorization_endpoint":"URL/d"`
	tests := []struct {
		name, text string
		style      oauth2.AuthStyle
		want       string
	}{
		{"plain", plain + `}`, oauth2.AuthStyleInHeader, ""},
		{"both ways", plain + `,"token_endpoint_auth_methods_supported":["client_secret_post","client_secret_basic"]}`, oauth2.AuthStyleInHeader, ""},
		{"in the body only", plain + `,"token_endpoint_auth_methods_supported":["client_secret_post","private_key_jwt"]}`, oauth2.AuthStyleInParams, ""},
		{"another issuer", `{"issuer":"https://evil.example.net","token_endpoint":"URL/t","device_authorization_endpoint":"URL/d"}`, 0,
			`oauth: the provider calls itself "https://evil.example.net"; write that in the config if it is the right one`},
		{"no device grant", `{"issuer":"URL","token_endpoint":"URL/t"}`, 0, "oauth: the provider has no device_authorization_endpoint: it does not offer grant device"},
		{"in clear", `{"issuer":"URL","token_endpoint":"http://example.com/t","device_authorization_endpoint":"URL/d"}`, 0,
			"oauth: the provider's token_endpoint is not an https:// URL (http:// is allowed to this machine)"},
		{"no JSON", `<html>`, 0, "oauth: discovery of the provider's endpoints: oauth: the issuer gave no token: its answer cannot be read"},
		{"huge", `{"issuer":"` + strings.Repeat("x", 1<<20) + `"}`, 0, "oauth: the issuer gave no token: its answer is larger than 262144 octets"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			issuer := &oauthtest.Issuer{}
			issuer.Answer = func(w http.ResponseWriter, r *http.Request) bool {
				_, _ = io.WriteString(w, strings.ReplaceAll(test.text, "URL", issuerURL))
				return r.URL.Path == oauthtest.DiscoveryPath
			}
			s := source(t, issuer, Config{Provider: issuerURL, ClientID: "client", TokenFile: "login.json"})
			got, err := s.findEndpoint(t.Context())
			if test.want != "" {
				if err == nil || err.Error() != test.want {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || got.TokenURL != issuerURL+"/t" || got.DeviceAuthURL != issuerURL+"/d" || got.AuthStyle != test.style {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	s := source(t, &oauthtest.Issuer{}, Config{Provider: issuerURL + "/missing", ClientID: "client", TokenFile: "login.json"})
	if _, err := s.findEndpoint(t.Context()); err == nil || !strings.HasSuffix(err.Error(), "HTTP status 404") {
		t.Errorf("no metadata: %v", err)
	}
}

// A redirection would carry the refresh token and the client's secret away.
func TestNoRedirection(t *testing.T) {
	var reached []string
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { reached = append(reached, r.URL.Path) }))
	defer thief.Close()
	issuer := &oauthtest.Issuer{Answer: func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, thief.URL+r.URL.Path, http.StatusPermanentRedirect)
		return true
	}}
	config := local(t, issuer)
	config.TokenEndpoint, config.DeviceAuthorizationEndpoint = issuer.URL+oauthtest.TokenPath, issuer.URL+oauthtest.DevicePath
	if err := New(config).Login(t.Context(), func(Prompt) {}); err == nil || !strings.Contains(err.Error(), "HTTP status 308") {
		t.Errorf("%v", err)
	}
	config = Config{Grant: ClientCredentials, ClientID: "client", ClientSecret: "s", TokenEndpoint: config.TokenEndpoint}
	if _, _, err := New(config).Token(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "HTTP status 308") {
		t.Errorf("%v", err)
	}
	if len(reached) != 0 {
		t.Errorf("the other host was asked for %v", reached)
	}
}

// What the network says is in the error, and can be told apart.
func TestNetworkErrors(t *testing.T) {
	server := httptest.NewUnstartedServer(&oauthtest.Issuer{})
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	config := Config{Grant: ClientCredentials, ClientID: "client", ClientSecret: "client-c4n4ry-secret", TokenEndpoint: server.URL + "/token"}
	_, _, err := New(config).Token(t.Context(), 1)
	var unknown x509.UnknownAuthorityError
	var e *Error
	if !errors.As(err, &unknown) || !errors.As(err, &e) || !strings.Contains(e.Hint(), "SSL_CERT_FILE") {
		t.Errorf("unknown authority: %v", err)
	}
	server.Close()
	if _, _, err = New(config).Token(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("nobody there: %v", err)
	}
}

// Over a real connection: the whole of a login, and its renewal.
func TestLoopback(t *testing.T) {
	issuer := &oauthtest.Issuer{Rotate: true}
	config := local(t, issuer)
	s := New(config)
	if err := s.Login(t.Context(), func(Prompt) {}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s.held.expires = s.held.obtained // an hour later
		if err := writeTokens(config.TokenFile, s.held); err != nil {
			t.Fatal(err)
		}
		token, _, err := s.Token(t.Context(), 1)
		if err != nil || !issuer.Accepts(token.Reveal()) {
			t.Errorf("%q, %v", token.Reveal(), err)
		}
	}
	if n := renewals(issuer); n != 3 {
		t.Errorf("%d renewals", n)
	}
}

func TestSecretFile(t *testing.T) {
	config := Config{Grant: ClientCredentials, ClientID: "client", ClientSecretFile: filepath.Join(t.TempDir(), "none"), TokenEndpoint: issuerURL}
	if _, _, err := New(config).Token(t.Context(), 1); err == nil || !strings.HasPrefix(err.Error(), "oauth: client_secret_file: open ") {
		t.Errorf("%v", err)
	}
}
