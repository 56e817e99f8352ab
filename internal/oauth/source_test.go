package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/oauthtest"
)

const issuerURL = "https://issuer.example.com"

// account is a Config at the test issuer, with the login file in a folder of
// its own.
func account(t *testing.T) Config {
	return Config{
		TokenEndpoint: issuerURL + oauthtest.TokenPath, DeviceAuthorizationEndpoint: issuerURL + oauthtest.DevicePath,
		AuthorizationEndpoint: issuerURL + oauthtest.AuthorizePath,
		ClientID:              "client", TokenFile: filepath.Join(t.TempDir(), "login.json"),
	}
}

// source is a Source whose issuer is in memory.
func source(t *testing.T, issuer *oauthtest.Issuer, config Config) *Source {
	t.Helper()
	if err := config.Validate(); err != nil {
		t.Fatal(err)
	}
	s := New(config)
	s.client.Transport = issuer.Transport()
	return s
}

// loggedIn is a Source after Login.
func loggedIn(t *testing.T, issuer *oauthtest.Issuer, config Config) *Source {
	t.Helper()
	s := source(t, issuer, config)
	if err := s.Login(t.Context(), func(Prompt) {}); err != nil {
		t.Fatal(err)
	}
	return s
}

func want(t *testing.T, s *Source, trial int, access string, life time.Duration) {
	t.Helper()
	got, expires, err := s.Token(t.Context(), trial)
	if err != nil || got.Reveal() != access {
		t.Fatalf("token %q, %v; want %q", got.Reveal(), err, access)
	}
	if left := time.Until(expires).Round(time.Second); life != 0 && left != life || life == 0 && !expires.IsZero() {
		t.Fatalf("expires in %v, want %v", left, life)
	}
}

func renewals(issuer *oauthtest.Issuer) int {
	n := 0
	for _, r := range issuer.Requests(oauthtest.TokenPath) {
		if r.Form.Get("grant_type") == "refresh_token" {
			n++
		}
	}
	return n
}

// A token is used for three quarters of its life, and expires by our clock.
func TestTokenLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &oauthtest.Issuer{}
		s := loggedIn(t, issuer, account(t))
		want(t, s, 1, "access-c4n4ry-1", time.Hour)
		time.Sleep(45*time.Minute - time.Second)
		want(t, s, 1, "access-c4n4ry-1", 15*time.Minute+time.Second)
		time.Sleep(time.Second)
		want(t, s, 1, "access-c4n4ry-2", time.Hour)
		if n := renewals(issuer); n != 1 {
			t.Errorf("%d renewals", n)
		}
		last := issuer.Requests(oauthtest.TokenPath)[1]
		if last.Form.Get("refresh_token") != "refresh-c4n4ry-1" || last.Form.Get("client_id") != "client" || last.Basic {
			t.Errorf("asked with %v", last.Form)
		}
	})
}

// The issuer's clock is a day off, or its lifetimes are nonsense: nothing loops.
func TestTokenClock(t *testing.T) {
	tests := []struct {
		name   string
		issuer *oauthtest.Issuer
		life   time.Duration // 0: unknown
	}{
		{"a day behind", &oauthtest.Issuer{Skew: -24 * time.Hour}, time.Hour},
		{"a day ahead", &oauthtest.Issuer{Skew: 24 * time.Hour}, time.Hour},
		{"not said", &oauthtest.Issuer{ExpiresIn: -1}, 0},
		{"negative", &oauthtest.Issuer{Negative: true}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := loggedIn(t, test.issuer, account(t))
				for range 100 {
					want(t, s, 1, "access-c4n4ry-1", test.life)
				}
				if n := renewals(test.issuer); n != 0 {
					t.Errorf("%d renewals at once", n)
				}
			})
		})
	}
}

// A clock that was set back, or a machine that slept, spoils no token for long.
func TestLoginFresh(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name         string
		l            tokens
		fresh, valid bool
	}{
		{"none", tokens{}, false, false},
		{"new", tokens{access: "a", obtained: now, expires: now.Add(time.Hour)}, true, true},
		{"two thirds", tokens{access: "a", obtained: now.Add(-40 * time.Minute), expires: now.Add(20 * time.Minute)}, true, true},
		{"four fifths", tokens{access: "a", obtained: now.Add(-48 * time.Minute), expires: now.Add(12 * time.Minute)}, false, true},
		{"over", tokens{access: "a", obtained: now.Add(-time.Hour), expires: now}, false, false},
		{"unknown life", tokens{access: "a", obtained: now.Add(-1000 * time.Hour)}, true, true},
		{"from the future", tokens{access: "a", obtained: now.Add(time.Hour), expires: now.Add(2 * time.Hour)}, false, false},
	}
	for _, test := range tests {
		if fresh, valid := test.l.fresh(now), test.l.valid(now); fresh != test.fresh || valid != test.valid {
			t.Errorf("%s: fresh %v, valid %v", test.name, fresh, valid)
		}
	}
}

// A refused token is replaced at once, but not again and again.
func TestTokenRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &oauthtest.Issuer{}
		s := loggedIn(t, issuer, account(t))
		want(t, s, 2, "access-c4n4ry-1", time.Hour) // younger than any server's news
		time.Sleep(youth)
		for range 50 {
			want(t, s, 2, "access-c4n4ry-2", time.Hour)
		}
		if n := renewals(issuer); n != 1 {
			t.Errorf("%d renewals", n)
		}
	})
}

// Two hundred sessions in need of a token make one request.
func TestTokenSharedBySessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &oauthtest.Issuer{Rotate: true}
		s := loggedIn(t, issuer, account(t))
		time.Sleep(time.Hour)
		var sessions sync.WaitGroup
		for range 200 {
			sessions.Go(func() {
				if got, _, err := s.Token(t.Context(), 1); err != nil || got != "access-c4n4ry-2" {
					t.Errorf("%q, %v", got.Reveal(), err)
				}
			})
		}
		sessions.Wait()
		if n := renewals(issuer); n != 1 {
			t.Errorf("%d renewals", n)
		}
	})
}

// Two processes share a file, and an issuer that takes a refresh token once
// only: each uses what the other got.
func TestTokenSharedByProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &oauthtest.Issuer{Rotate: true}
		config := account(t)
		one := loggedIn(t, issuer, config)
		two := source(t, issuer, config)
		want(t, two, 1, "access-c4n4ry-1", time.Hour)
		for round := range 20 {
			time.Sleep(time.Hour)
			var both sync.WaitGroup
			for _, s := range []*Source{one, two} {
				both.Go(func() {
					if _, _, err := s.Token(t.Context(), 1); err != nil {
						t.Errorf("round %d: %v", round, err)
					}
				})
			}
			both.Wait()
		}
		if n := renewals(issuer); n != 20 {
			t.Errorf("%d renewals in 20 rounds", n)
		}
		want(t, source(t, issuer, config), 1, "access-c4n4ry-21", time.Hour)
	})
}

// A revoked login says so, asks no more often than needed, and is good again
// after a new one, in another process too.
func TestTokenRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &oauthtest.Issuer{Description: "AADSTS50173: revoked"}
		config := account(t)
		s := loggedIn(t, issuer, config)
		issuer.Revoke()
		time.Sleep(50 * time.Minute)
		want(t, s, 1, "access-c4n4ry-1", 10*time.Minute) // which is still valid
		time.Sleep(10 * time.Minute)
		for range 10 {
			_, _, err := s.Token(t.Context(), 1)
			var e *Error
			if !errors.Is(err, ErrRevoked) || !errors.As(err, &e) || e.Code != "invalid_grant" {
				t.Fatalf("%v", err)
			}
		}
		if n := renewals(issuer); n != 2 {
			t.Errorf("%d renewals", n)
		}
		loggedIn(t, issuer, config)
		time.Sleep(renewPause)
		want(t, s, 1, "access-c4n4ry-2", time.Hour-renewPause)
	})
}

// An issuer in trouble costs nothing while the token is valid, and a session
// waits no longer than for one answer.
func TestTokenIssuerDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &oauthtest.Issuer{}
		s := loggedIn(t, issuer, account(t))
		status := http.StatusInternalServerError
		issuer.Set(func(i *oauthtest.Issuer) {
			i.Answer = func(w http.ResponseWriter, r *http.Request) bool {
				http.Error(w, "Internal Server Error", status)
				return true
			}
		})
		time.Sleep(59 * time.Minute)
		want(t, s, 1, "access-c4n4ry-1", time.Minute)
		if token, _, err := s.Token(t.Context(), 2); err == nil {
			t.Errorf("the refused token %q again", token.Reveal())
		}
		time.Sleep(time.Minute)
		_, _, err := s.Token(t.Context(), 1)
		if err == nil || err.Error() != "oauth: the issuer answered with HTTP status 500" {
			t.Errorf("%v", err)
		}
		issuer.Set(func(i *oauthtest.Issuer) { i.Answer = nil })
		time.Sleep(renewPause)
		want(t, s, 1, "access-c4n4ry-2", time.Hour)
	})
}

// A session that goes away leaves the renewal to end: its answer may hold the
// only refresh token there is.
func TestTokenCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &oauthtest.Issuer{Rotate: true}
		config := account(t)
		s := loggedIn(t, issuer, config)
		time.Sleep(time.Hour)
		ctx, cancel := context.WithCancel(t.Context())
		issuer.Set(func(i *oauthtest.Issuer) {
			i.Answer = func(http.ResponseWriter, *http.Request) bool { cancel(); return false }
		})
		if got, _, err := s.Token(ctx, 1); err != nil || got != "access-c4n4ry-2" {
			t.Errorf("%q, %v", got.Reveal(), err)
		}
		want(t, source(t, issuer, config), 1, "access-c4n4ry-2", time.Hour)

		s.turn <- struct{}{} // somebody is at it
		if _, _, err := s.Token(ctx, 1); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// The issuer hangs: Token ends within its time.
func TestTokenHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := loggedIn(t, &oauthtest.Issuer{}, account(t))
		s.client.Transport = hanging{}
		time.Sleep(time.Hour)
		began := time.Now()
		_, _, err := s.Token(t.Context(), 1)
		if err == nil || time.Since(began) != requestTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, context.Cause(r.Context())
}

// Whoever holds the lock for ever is named, in time.
func TestTokenLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := account(t)
		s := loggedIn(t, &oauthtest.Issuer{}, config)
		unlock, err := lockFile(t.Context(), config.TokenFile)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		began := time.Now()
		if _, _, err = s.Token(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "another process") || time.Since(began) > renewTimeout {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		unlock()
		time.Sleep(renewPause)
		want(t, s, 1, "access-c4n4ry-2", time.Hour)
	})
}

// Client credentials: no person, no file.
func TestClientCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		secret := filepath.Join(t.TempDir(), "secret")
		fixture.File(t, secret, "client-c4n4ry-secret\r\n")
		issuer := &oauthtest.Issuer{ClientID: "client", ClientSecret: "client-c4n4ry-secret"}
		s := source(t, issuer, Config{
			Provider: Microsoft, Tenant: "example.com", Grant: ClientCredentials, ClientID: "client", ClientSecretFile: secret,
			TokenEndpoint: issuerURL + oauthtest.TokenPath,
		})
		want(t, s, 1, "access-c4n4ry-1", time.Hour)
		want(t, s, 1, "access-c4n4ry-1", time.Hour)
		time.Sleep(time.Hour)
		want(t, s, 1, "access-c4n4ry-2", time.Hour)
		asked := issuer.Requests(oauthtest.TokenPath)
		if len(asked) != 2 || asked[0].Form.Get("scope") != "https://outlook.office365.com/.default" || asked[0].Basic {
			t.Errorf("asked %v", asked)
		}
		fixture.File(t, secret, "another\n")
		time.Sleep(time.Hour)
		var e *Error
		if _, _, err := s.Token(t.Context(), 1); !errors.As(err, &e) || e.Code != "invalid_client" || errors.Is(err, ErrRevoked) {
			t.Errorf("%v", err)
		}
	})
}

// Answers that hold no token.
func TestBadAnswers(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no JSON", "<html>", "oauth: the issuer gave no token: its answer cannot be read"},
		{"huge", `{"access_token":"` + strings.Repeat("a", 2<<20) + `"}`, "oauth: the issuer gave no token: its answer is larger than 262144 octets"},
		{"no token", `{"token_type":"Bearer"}`, "oauth: the issuer gave no token: its answer cannot be read"},
		{"another type", `{"access_token":"a","token_type":"DPoP"}`, "oauth: the issuer gave no token: its token is of a type that IMAP does not take"},
		{"control character", `{"access_token":"a\u0001auth=Bearer b"}`, "oauth: the issuer gave no token: its token is too long or holds octets that no token has"},
		{"long token", `{"access_token":"` + strings.Repeat("a", 20<<10) + `"}`, "oauth: the issuer gave no token: its token is too long or holds octets that no token has"},
		{"refusal with status 200", `{"error":"server_error","error_description":"try\r\nlater"}`, "oauth: the issuer refuses: server_error: try later"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				issuer := &oauthtest.Issuer{Rotate: true}
				config := account(t)
				s := loggedIn(t, issuer, config)
				issuer.Set(func(i *oauthtest.Issuer) {
					i.Answer = func(w http.ResponseWriter, r *http.Request) bool {
						w.Header().Set("Content-Type", "application/json")
						fmt.Fprint(w, test.text)
						return true
					}
				})
				time.Sleep(time.Hour)
				if _, _, err := s.Token(t.Context(), 1); err == nil || err.Error() != test.want {
					t.Errorf("%v", err)
				}
				if file, err := readTokens(config.TokenFile); err != nil || file.refresh != "refresh-c4n4ry-1" {
					t.Errorf("the file holds %q, %v", file.refresh.Reveal(), err)
				}
			})
		})
	}
}
