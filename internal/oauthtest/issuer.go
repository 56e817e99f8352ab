// Package oauthtest has a scripted OAuth 2.0 issuer for tests.
package oauthtest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Issuer is an issuer for one client. The zero value approves every device at the first
// poll and gives tokens for an hour. It is an http.Handler without a network of its own.
// Set the fields before the first request, or by Set.
type Issuer struct {
	URL          string // without a slash at the end; empty: https://issuer.example.com
	ClientID     string // the only client; empty: any
	ClientSecret string // of the client, in the header or in the form; empty: none

	// Script has the errors for the requests for tokens, in turn. An empty one is a
	// success, as is every request after the last.
	Script []string
	// Description is part of each error.
	Description string

	ExpiresIn int           // seconds; 0: 3600, negative: left out of the answer
	Negative  bool          // expires_in is -1
	Rotate    bool          // each refresh gives a new refresh token, and the old one is used up
	NoRefresh bool          // gives no refresh token
	TokenType string        // instead of Bearer
	Skew      time.Duration // of its Date header

	Interval  int // seconds between polls; 0: 1
	DeviceFor int // seconds; 0: 900

	// Answer is called first, if it is set. It reports whether it has answered.
	Answer func(w http.ResponseWriter, r *http.Request) bool

	mu       sync.Mutex
	given    int             // tokens
	refresh  map[string]bool // valid refresh tokens
	access   map[string]bool
	codes    map[string]url.Values // given to browsers, with the requests for them
	secrets  []string
	requests []Request
}

// Request is a request that reached the issuer.
type Request struct {
	Path  string
	Form  url.Values
	Basic bool // the client sent its secret in the header
}

// Serve starts the issuer on a loopback port. The caller closes the server.
func (i *Issuer) Serve() *httptest.Server {
	server := httptest.NewServer(i)
	i.Set(func(i *Issuer) { i.URL = server.URL })
	return server
}

// Transport returns a transport to the issuer in memory, which works in a
// testing/synctest bubble.
func (i *Issuer) Transport() http.RoundTripper { return memory{i} }

type memory struct{ http.Handler }

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	recorder := httptest.NewRecorder()
	m.ServeHTTP(recorder, r)
	if err := r.Context().Err(); err != nil { // the answer comes too late
		return nil, err
	}
	return recorder.Result(), nil
}

// Set changes fields while requests may come.
func (i *Issuer) Set(change func(*Issuer)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	change(i)
}

// Revoke makes every refresh token invalid.
func (i *Issuer) Revoke() { i.Set(func(i *Issuer) { clear(i.refresh) }) }

// Forget makes every access token invalid.
func (i *Issuer) Forget() { i.Set(func(i *Issuer) { clear(i.access) }) }

// Accepts reports whether an access token is valid.
func (i *Issuer) Accepts(token string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.access[token]
}

// Requests returns the requests for a path.
func (i *Issuer) Requests(path string) []Request {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(i.requests), func(r Request) bool { return r.Path != path })
}

// Secrets returns every token and every browser's code that the issuer gave.
func (i *Issuer) Secrets() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.AppendSeq(slices.Clone(i.secrets), maps.Keys(i.codes))
}

// The codes that the issuer gives a device and its user.
const (
	DeviceCode = "device-c4n4ry-code"
	UserCode   = "WDJB-MJHT"
)

func accessToken(n int) string  { return fmt.Sprintf("access-c4n4ry-%d", n) }
func refreshToken(n int) string { return fmt.Sprintf("refresh-c4n4ry-%d", n) }

// The paths of the endpoints.
const (
	TokenPath     = "/token"
	DevicePath    = "/device"
	AuthorizePath = "/authorize"
	DiscoveryPath = "/.well-known/openid-configuration"
)

func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	_, _, basic := r.BasicAuth()
	i.mu.Lock()
	if i.URL == "" {
		i.URL = "https://issuer.example.com"
	}
	i.requests = append(i.requests, Request{r.URL.Path, maps.Clone(r.Form), basic})
	answer := i.Answer
	i.mu.Unlock()
	if answer != nil && answer(w, r) {
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.Skew != 0 {
		w.Header().Set("Date", time.Now().Add(i.Skew).UTC().Format(http.TimeFormat))
	}
	switch r.URL.Path {
	case DiscoveryPath:
		say(w, http.StatusOK, map[string]any{
			"issuer": i.URL, "token_endpoint": i.URL + TokenPath,
			"device_authorization_endpoint": i.URL + DevicePath, "authorization_endpoint": i.URL + AuthorizePath,
		})
	case DevicePath:
		say(w, http.StatusOK, map[string]any{
			"device_code": DeviceCode, "user_code": UserCode, "verification_uri": i.URL + "/approve",
			"expires_in": or(i.DeviceFor, 900), "interval": or(i.Interval, 1),
		})
	case AuthorizePath:
		i.authorize(w, r)
	case TokenPath:
		i.token(w, r)
	default:
		http.NotFound(w, r)
	}
}

// authorize is the page on which a person approves at once.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	code := fmt.Sprintf("code-c4n4ry-%d", len(i.codes)+1)
	if i.codes == nil {
		i.codes = make(map[string]url.Values)
	}
	i.codes[code] = r.Form
	back := url.Values{"state": {r.Form.Get("state")}, "code": {code}}
	http.Redirect(w, r, r.Form.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	if len(i.Script) > 0 {
		code := i.Script[0]
		i.Script = i.Script[1:]
		if code != "" {
			i.refuse(w, code)
			return
		}
	}
	if !i.client(r) {
		i.refuse(w, "invalid_client")
		return
	}
	switch r.Form.Get("grant_type") {
	case "client_credentials":
		i.give(w, "")
	case "urn:ietf:params:oauth:grant-type:device_code":
		if r.Form.Get("device_code") != DeviceCode {
			i.refuse(w, "invalid_grant")
			return
		}
		i.give(w, refreshToken(i.given+1))
	case "authorization_code":
		asked, known := i.codes[r.Form.Get("code")]
		proof := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
		if !known || base64.RawURLEncoding.EncodeToString(proof[:]) != asked.Get("code_challenge") ||
			r.Form.Get("redirect_uri") != asked.Get("redirect_uri") {
			i.refuse(w, "invalid_grant")
			return
		}
		i.give(w, refreshToken(i.given+1))
	case "refresh_token":
		old := r.Form.Get("refresh_token")
		if !i.refresh[old] {
			i.refuse(w, "invalid_grant")
			return
		}
		if !i.Rotate {
			i.give(w, "")
			return
		}
		delete(i.refresh, old)
		i.give(w, refreshToken(i.given+1))
	default:
		i.refuse(w, "unsupported_grant_type")
	}
}

func (i *Issuer) client(r *http.Request) bool {
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.Form.Get("client_id"), r.Form.Get("client_secret")
	}
	return (i.ClientID == "" || id == i.ClientID) && secret == i.ClientSecret
}

func (i *Issuer) give(w http.ResponseWriter, refresh string) {
	i.given++
	if i.access == nil {
		i.access, i.refresh = make(map[string]bool), make(map[string]bool)
	}
	answer := map[string]any{"access_token": accessToken(i.given), "token_type": "Bearer", "expires_in": or(i.ExpiresIn, 3600)}
	i.access[accessToken(i.given)] = true
	i.secrets = append(i.secrets, accessToken(i.given))
	switch {
	case i.Negative:
		answer["expires_in"] = -1
	case i.ExpiresIn < 0:
		delete(answer, "expires_in")
	}
	if i.TokenType != "" {
		answer["token_type"] = i.TokenType
	}
	if refresh != "" && !i.NoRefresh {
		answer["refresh_token"] = refresh
		i.refresh[refresh] = true
		i.secrets = append(i.secrets, refresh)
	}
	say(w, http.StatusOK, answer)
}

func (i *Issuer) refuse(w http.ResponseWriter, code string) {
	answer := map[string]any{"error": code}
	if i.Description != "" {
		answer["error_description"] = i.Description
	}
	say(w, http.StatusBadRequest, answer)
}

func say(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer)
}

func or(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}
