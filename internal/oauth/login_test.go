package oauth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/fblwatch/fblwatch/internal/oauthtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The device grant: what the issuer says while a person takes their time.
func TestDevice(t *testing.T) {
	repeat := func(n int, code string) []string {
		return strings.Split(strings.Repeat(code+" ", n)[:n*(len(code)+1)-1], " ")
	}
	tests := []struct {
		name   string
		issuer *oauthtest.Issuer
		err    error
		text   string
		took   time.Duration
	}{
		{"at once", &oauthtest.Issuer{}, nil, "", time.Second},
		{"pending", &oauthtest.Issuer{Script: repeat(5, "authorization_pending"), Interval: 5}, nil, "", 30 * time.Second},
		// RFC 8628 section 3.5: each slow_down adds 5 s.
		{"slow down", &oauthtest.Issuer{Script: []string{"slow_down", "authorization_pending", "slow_down"}, Interval: 5}, nil, "", (5 + 10 + 10 + 15) * time.Second},
		{"denied", &oauthtest.Issuer{Script: []string{"authorization_pending", "access_denied"}}, ErrDenied, "", 2 * time.Second},
		{"declined, as Microsoft says", &oauthtest.Issuer{Script: []string{"authorization_declined"}}, ErrDenied, "", time.Second},
		{"expired", &oauthtest.Issuer{Script: []string{"expired_token"}}, ErrExpired, "", time.Second},
		{"nobody comes", &oauthtest.Issuer{Script: repeat(1000, "authorization_pending"), DeviceFor: 600}, ErrExpired, "", 10 * time.Minute},
		{"nobody comes, and the code lasts for ever", &oauthtest.Issuer{Script: repeat(9999, "authorization_pending"), DeviceFor: 1 << 30}, ErrExpired, "", maxApproval},
		{"an interval of years", &oauthtest.Issuer{Interval: 1 << 30}, ErrExpired, "", 15 * time.Minute},
		{"trouble in between", &oauthtest.Issuer{Script: []string{"temporarily_unavailable", "authorization_pending", "temporarily_unavailable"}}, nil, "", 4 * time.Second},
		{"trouble throughout", &oauthtest.Issuer{Script: repeat(99, "temporarily_unavailable")}, nil, "oauth: the issuer refuses: temporarily_unavailable", 11 * time.Second},
		{"refused", &oauthtest.Issuer{Script: []string{"invalid_client"}, Description: "AADSTS7000218: no"}, nil, "oauth: the issuer refuses: invalid_client: AADSTS7000218: no", time.Second},
		{"no refresh token", &oauthtest.Issuer{NoRefresh: true}, nil, "oauth: the issuer gave no refresh token, so the login would end within hours; try the scope offline_access", time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := account(t)
				s := source(t, test.issuer, config)
				began, prompts := time.Now(), 0
				err := s.Login(t.Context(), func(p Prompt) {
					prompts++
					if p.URL != issuerURL+"/approve" || p.Code != oauthtest.UserCode || p.Port != 0 || time.Until(p.Expires) > maxApproval {
						t.Errorf("%+v", p)
					}
				})
				good := test.err == nil && test.text == ""
				switch {
				case good && err != nil, test.err != nil && !errors.Is(err, test.err), test.text != "" && (err == nil || err.Error() != test.text):
					t.Errorf("error %v", err)
				case time.Since(began) != test.took || prompts != 1:
					t.Errorf("took %v with %d prompts", time.Since(began), prompts)
				}
				l, err := readTokens(config.TokenFile)
				if good != (err == nil) || good && l.refresh != "refresh-c4n4ry-1" {
					t.Errorf("the file holds %q, %v", l.refresh.Reveal(), err)
				}
			})
		})
	}
}

// What the issuer wants shown goes to a terminal.
func TestDeviceAnswer(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no address", `{"device_code":"d","user_code":"u"}`, "oauth: the issuer gave no token: it has no URL for the approval"},
		{"a program", `{"device_code":"d","user_code":"u","verification_uri":"file:///bin/sh"}`, "oauth: the issuer gave no token: it has no URL for the approval"},
		{"an escape", `{"device_code":"d","user_code":"u","verification_uri":"https://example.com/\u001b[2J"}`, "oauth: the issuer gave no token: it has no URL for the approval"},
		{"no code", `{"device_code":"d","verification_uri":"https://example.com"}`, "oauth: the issuer gave no token: it has no code for the approval"},
		{"a long code", `{"device_code":"d","verification_uri":"https://example.com","user_code":"` + strings.Repeat("x", 65) + `"}`, "oauth: the issuer gave no token: it has no code for the approval"},
		{"no JSON", `<html>`, "oauth: the issuer gave no token: its answer cannot be read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			issuer := &oauthtest.Issuer{Answer: func(w http.ResponseWriter, r *http.Request) bool {
				_, _ = io.WriteString(w, test.text)
				return true
			}}
			err := source(t, issuer, account(t)).Login(t.Context(), func(Prompt) { t.Error("prompted") })
			if err == nil || err.Error() != test.want {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestLoginCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, grant := range []string{Device, AuthorizationCode} {
			config := account(t)
			config.Grant = grant
			ctx, cancel := context.WithCancel(t.Context())
			err := source(t, &oauthtest.Issuer{}, config).Login(ctx, func(Prompt) { cancel() })
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", grant, err)
			}
		}
		s := source(t, &oauthtest.Issuer{}, account(t))
		s.client.Transport = hanging{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := s.Login(ctx, func(Prompt) {}); err == nil || time.Since(began) != time.Second {
			t.Errorf("the issuer hangs: %v after %v", err, time.Since(began))
		}
	})
}

// The folder is made; one that cannot be is found out before a person is asked.
func TestLoginFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := account(t)
		folder := filepath.Join(filepath.Dir(config.TokenFile), "state")
		config.TokenFile = filepath.Join(folder, "login.json")
		loggedIn(t, &oauthtest.Issuer{}, config)
		if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", info, err)
		}
		config.TokenFile = filepath.Join(config.TokenFile, "below", "a-file")
		issuer := &oauthtest.Issuer{}
		err := source(t, issuer, config).Login(t.Context(), func(Prompt) { t.Error("prompted") })
		if err == nil || !strings.HasPrefix(err.Error(), "oauth: token_file: ") || len(issuer.Requests(oauthtest.DevicePath)) != 0 {
			t.Errorf("%v", err)
		}
	})
}

// local is a Config at an issuer on a loopback port.
func local(t *testing.T, issuer *oauthtest.Issuer) Config {
	server := issuer.Serve()
	t.Cleanup(server.Close)
	return Config{Provider: server.URL, ClientID: "client", TokenFile: filepath.Join(t.TempDir(), "login.json")}
}

func visitURL(t *testing.T, address string) (status int) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(address)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// A browser goes to the issuer and comes back; whatever else comes to the port
// changes nothing.
func TestBrowser(t *testing.T) {
	issuer := &oauthtest.Issuer{ClientSecret: "client-c4n4ry-secret"}
	config := local(t, issuer)
	config.Grant, config.ClientSecret, config.Scopes = AuthorizationCode, "client-c4n4ry-secret", []string{"mail", "offline_access"}
	visited := make(chan struct{})
	err := New(config).Login(t.Context(), func(p Prompt) {
		go func() { // Login waits for it below
			defer close(visited)
			asked, err := url.Parse(p.URL)
			if err != nil || p.Code != "" || p.Port == 0 {
				t.Errorf("%+v: %v", p, err)
				return
			}
			back := asked.Query().Get("redirect_uri")
			for _, bad := range []string{back, back + "?code=x", back + "?code=x&state=y", back + "favicon.ico?code=x&state=" + asked.Query().Get("state")} {
				if status := visitURL(t, bad); status != http.StatusBadRequest {
					t.Errorf("%s: status %d", bad, status)
				}
			}
			if status := visitURL(t, p.URL); status != http.StatusOK {
				t.Errorf("status %d", status)
			}
		}()
	})
	<-visited
	if err != nil {
		t.Fatal(err)
	}
	if l, err := readTokens(config.TokenFile); err != nil || l.refresh != "refresh-c4n4ry-1" {
		t.Errorf("%q, %v", l.refresh.Reveal(), err)
	}
	asked := issuer.Requests(oauthtest.AuthorizePath)[0].Form
	if asked.Get("code_challenge_method") != "S256" || asked.Get("scope") != "mail offline_access" || asked.Get("response_type") != "code" {
		t.Errorf("asked %v", asked)
	}
	if token := issuer.Requests(oauthtest.TokenPath)[0]; !token.Basic || token.Form.Get("client_secret") != "" {
		t.Errorf("the secret went %+v; RFC 6749 section 2.3.1 wants it in the header", token)
	}
}

func TestBrowserDenied(t *testing.T) {
	for code, want := range map[string]error{"access_denied": ErrDenied, "server_error": nil} {
		config := local(t, &oauthtest.Issuer{})
		config.Grant = AuthorizationCode
		visited := make(chan struct{})
		err := New(config).Login(t.Context(), func(p Prompt) {
			go func() {
				defer close(visited)
				asked, _ := url.Parse(p.URL)
				visitURL(t, asked.Query().Get("redirect_uri")+"?error="+code+"&state="+asked.Query().Get("state"))
			}()
		})
		<-visited
		var e *Error
		if want != nil && !errors.Is(err, want) || want == nil && (!errors.As(err, &e) || e.Code != code) {
			t.Errorf("%s: %v", code, err)
		}
	}
}
