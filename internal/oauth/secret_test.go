package oauth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/oauthtest"
)

// Errors of issuers who put into them what they were sent, and more.
func TestScrub(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{"AADSTS70008: The refresh token has expired.\r\nTrace ID: 0000aaaa-11bb-cccc-dd33-eeeeee333333", "AADSTS70008: The refresh token has expired. Trace ID: 0000aaaa-11bb-cccc-dd33-eeeeee333333"},
		{"bad token s3cret!", "bad token <secret>"},
		{"refresh_token=s3cret%21&x=y", "refresh_token=<secret>&x=y"},
		{"bad token 1//0gAbCdEfGhIjKlMnOpQrStUvWxYz-0123456789_abcdefghij", "bad token 1//<secret>"},
		{"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2V4YW1wbGUuY29tIn0.c2lnbmF0dXJl is bad", "<secret> is bad"},
		{"\x1b[2J\u202eevil\x00", "[2J evil"},
		{strings.Repeat("word ", 100), strings.TrimSpace(strings.Repeat("word ", 60)) + " ..."},
	}
	for _, test := range tests {
		if got := scrub(test.text, "s3cret!"); got != test.want {
			t.Errorf("%q:\n got %q\nwant %q", test.text, got, test.want)
		}
	}
}

func TestHint(t *testing.T) {
	tests := []struct {
		e    Error
		want string
	}{
		{Error{Code: "invalid_client", Description: "AADSTS7000218: The request body must contain"}, "Allow public client flows"},
		{Error{Code: "invalid_client", Description: "AADSTS700021800: another"}, "check client_id and client_secret"},
		{Error{Code: "unauthorized_client", Description: "AADSTS700016: Application with identifier 'x' was not found"}, "client_id and tenant"},
		{Error{Code: "invalid_grant", Description: "AADSTS65001: consent"}, "administrator must consent"},
		{Error{Code: "invalid_scope"}, "check scopes"},
		{Error{Status: 503}, "problem of its own"},
		{Error{Code: "something_else", Status: 400}, ""},
	}
	for _, test := range tests {
		if hint := test.e.Hint(); !strings.Contains(hint, test.want) || test.want == "" && hint != "" {
			t.Errorf("%v: %q", &test.e, hint)
		}
	}
}

// Whatever an issuer answers, and however a Source, its Config, its errors and
// what it gave are printed, no secret shows.
func TestNoSecretShows(t *testing.T) {
	const clientSecret = "client-c4n4ry-secret"
	var shown bytes.Buffer
	print := func(values ...any) {
		for _, v := range values {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				fmt.Fprintf(&shown, verb+"\n", v)
			}
			text, _ := json.Marshal(v)
			shown.Write(text)
			if err, ok := v.(error); ok {
				for ; err != nil; err = errors.Unwrap(err) {
					fmt.Fprintf(&shown, "%v %+v %#v\n", err, err, err)
				}
			}
			for _, handler := range []slog.Handler{slog.NewTextHandler(&shown, nil), slog.NewJSONHandler(&shown, nil)} {
				slog.New(handler).Info("token", "err", v)
			}
		}
	}
	// Each answer holds all that the request and the issuer know.
	everything := func(r *http.Request, secrets []string) string {
		_ = r.ParseForm()
		_, basic, _ := r.BasicAuth()
		return strings.Join(append(secrets, r.Form.Encode(), r.Header.Get("Authorization"), basic), " ")
	}
	var issuer *oauthtest.Issuer
	answers := []func(w http.ResponseWriter, r *http.Request){
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			text := everything(r, issuer.Secrets())
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant", "error_description": text, "error_uri": "https://example.com/" + url.QueryEscape(text)})
		},
		func(w http.ResponseWriter, r *http.Request) { // even the code
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": everything(r, issuer.Secrets())})
		},
		func(w http.ResponseWriter, r *http.Request) { http.Error(w, everything(r, issuer.Secrets()), 500) },
		func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, everything(r, issuer.Secrets())) },
		func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"access_token": "%s"}`, everything(r, issuer.Secrets()))
		},
		func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"access_token": {"access-c4n4ry-9": 1}}`)
		},
		func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"access_token": "a", "token_type": "access-c4n4ry-9"}`)
		},
		func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, `{"access_token": "a", "expires_in": "access-c4n4ry-9"}`)
		},
		func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, strings.Repeat("access-c4n4ry-9 ", 1<<16)) },
		func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/"+url.QueryEscape(everything(r, issuer.Secrets())))
			w.WriteHeader(http.StatusFound)
		},
	}
	for n, answer := range answers {
		for _, grant := range []string{Device, ClientCredentials} {
			synctest.Test(t, func(t *testing.T) {
				config := account(t)
				config.ClientSecret, config.Grant = clientSecret, grant
				if grant == ClientCredentials {
					config.TokenFile = ""
				}
				issuer = &oauthtest.Issuer{ClientSecret: clientSecret, Rotate: true}
				s := source(t, issuer, config)
				if grant == Device {
					if err := s.Login(t.Context(), func(p Prompt) { print(p) }); err != nil {
						t.Fatal(err)
					}
				}
				access, expires, err := s.Token(t.Context(), 1)
				if err != nil {
					t.Fatal(err)
				}
				print(access, expires, config, &config, s, struct{ S *Source }{s})
				issuer.Set(func(i *oauthtest.Issuer) {
					i.Answer = func(w http.ResponseWriter, r *http.Request) bool { answer(w, r); return true }
				})
				time.Sleep(time.Hour)
				_, _, err = s.Token(t.Context(), 1)
				if err == nil {
					if n != 7 { // expires_in is not read by x/oauth2 where it is no number
						t.Errorf("answer %d gives a token", n)
					}
					return
				}
				print(err, errors.Join(err, err))
				if grant == Device {
					err := s.Login(t.Context(), func(p Prompt) { print(p) })
					if err == nil {
						t.Errorf("answer %d logs in", n)
					}
					print(err)
					fixture.File(t, config.TokenFile, "refresh-c4n4ry-1")
					time.Sleep(time.Minute)
					_, _, err = s.Token(t.Context(), 1)
					print(err)
				}
				text, err := yaml.Marshal(config)
				if err != nil {
					t.Fatal(err)
				}
				shown.Write(text)
			})
		}
	}
	text := shown.String()
	for _, canary := range []string{"c4n4ry", fmt.Sprintf("%x", "c4n4ry"), "YzRuNHJ5", "M0bjRye", "jNG40cn"} { // plain, hexadecimal, base64
		if at := strings.Index(text, canary); at >= 0 {
			t.Errorf("a secret shows: %q", text[max(0, at-200):min(len(text), at+100)])
		}
	}
	if !strings.Contains(text, "<secret>") || strings.Count(text, "oauth: ") < 100 {
		t.Errorf("little was printed: %d octets", len(text))
	}
}
