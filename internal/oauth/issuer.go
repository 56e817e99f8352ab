package oauth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/endpoints"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/plainfile"
)

const (
	requestTimeout = 20 * time.Second // for one answer of the issuer, including its body
	maxAnswer      = 256 << 10        // octets of its body
	maxHeader      = 64 << 10         // octets of its header
	maxSecret      = 64 << 10         // octets of a client_secret_file
)

var (
	errTooLarge = fmt.Errorf("its answer is larger than %d octets", maxAnswer)
	errTooLate  = fmt.Errorf("no answer within %v", requestTimeout)
	errUnread   = errors.New("its answer cannot be read")
)

// newClient returns a client for issuers. It follows no redirect, which would carry
// secrets to another host. Proxies come from the environment.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true // two requests are an hour apart
	transport.MaxResponseHeaderBytes = maxHeader
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// within returns a context by which x/oauth2 uses the Source's client.
func (s *Source) within(ctx context.Context) context.Context {
	client := *s.client
	client.Transport = bounded{ctx, client.Transport}
	return context.WithValue(ctx, oauth2.HTTPClient, &client)
}

// bounded ends a request at the end of ctx and after requestTimeout, and an answer after
// maxAnswer octets. x/oauth2 does so for some of its requests only, and does not close
// every answer.
type bounded struct {
	ctx  context.Context
	base http.RoundTripper
}

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeoutCause(r.Context(), requestTimeout, errTooLate)
	defer cancel()
	defer context.AfterFunc(b.ctx, cancel)()
	answer, err := b.base.RoundTrip(r.WithContext(ctx))
	var text []byte
	if err == nil {
		defer answer.Body.Close()
		text, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	}
	switch {
	case err != nil && context.Cause(ctx) == errTooLate:
		return nil, errTooLate
	case err != nil:
		return nil, err
	case len(text) > maxAnswer:
		return nil, errTooLarge
	}
	answer.Body = io.NopCloser(bytes.NewReader(text))
	return answer, nil
}

// application returns the client's config for x/oauth2.
func (s *Source) application(ctx context.Context) (*oauth2.Config, error) {
	secret, err := s.config.secret(ctx)
	if err != nil {
		return nil, err
	}
	if s.endpoint == nil {
		endpoint, err := s.findEndpoint(ctx)
		if err != nil {
			return nil, err
		}
		s.endpoint = &endpoint
	}
	app := &oauth2.Config{
		ClientID: s.config.ClientID, ClientSecret: secret.Reveal(), Endpoint: *s.endpoint, Scopes: s.config.scopes(),
	}
	if secret == "" {
		app.Endpoint.AuthStyle = oauth2.AuthStyleInParams // RFC 6749 section 3.2.1
	}
	return app, nil
}

func (c Config) secret(ctx context.Context) (imapclient.Secret, error) {
	if c.ClientSecretFile == "" {
		return c.ClientSecret, nil
	}
	text, err := plainfile.Read(ctx, c.ClientSecretFile, maxSecret)
	if err != nil {
		return "", fmt.Errorf("oauth: client_secret_file: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", fmt.Errorf("oauth: client_secret_file %s: the first line is empty", c.ClientSecretFile)
	}
	return imapclient.Secret(line), nil
}

// findEndpoint returns the endpoint with an AuthStyle: without one x/oauth2 would guess
// how a client sends its secret, and ask twice. A device that polls too often must slow
// down.
func (s *Source) findEndpoint(ctx context.Context) (oauth2.Endpoint, error) {
	c, found := s.config, oauth2.Endpoint{AuthStyle: oauth2.AuthStyleInHeader} // RFC 6749 section 2.3.1
	switch {
	case c.Provider == Google:
		found = endpoints.Google
		found.AuthStyle = oauth2.AuthStyleInParams
	case c.Provider == Microsoft:
		found = endpoints.AzureAD(c.Tenant)
		found.AuthStyle = oauth2.AuthStyleInParams
	case c.TokenEndpoint == "":
		return s.discover(ctx)
	}
	found.TokenURL = cmp.Or(c.TokenEndpoint, found.TokenURL)
	found.DeviceAuthURL = cmp.Or(c.DeviceAuthorizationEndpoint, found.DeviceAuthURL)
	found.AuthURL = cmp.Or(c.AuthorizationEndpoint, found.AuthURL)
	return found, nil
}

// discover asks the issuer for its endpoints (OpenID Connect Discovery 1.0 section 4).
func (s *Source) discover(ctx context.Context) (oauth2.Endpoint, error) {
	var none oauth2.Endpoint
	address := strings.TrimSuffix(s.config.Provider, "/") + "/.well-known/openid-configuration"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return none, err
	}
	client := *s.client
	client.Transport = bounded{ctx, client.Transport}
	answer, err := client.Do(request)
	if err != nil {
		return none, clean(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return none, fmt.Errorf("oauth: discovery of the provider's endpoints: %w", &Error{Status: answer.StatusCode})
	}
	var metadata struct {
		Issuer        string   `json:"issuer"`
		Token         string   `json:"token_endpoint"`
		Device        string   `json:"device_authorization_endpoint"`
		Authorization string   `json:"authorization_endpoint"`
		Methods       []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&metadata); err != nil {
		return none, fmt.Errorf("oauth: discovery of the provider's endpoints: %w", &Error{Err: errUnread})
	}
	if metadata.Issuer != s.config.Provider { // section 4.3: somebody else's tokens
		return none, fmt.Errorf("oauth: the provider calls itself %q; write that in the config if it is the right one", scrub(metadata.Issuer))
	}
	needed := map[string]string{"token_endpoint": metadata.Token}
	switch s.config.grant() {
	case Device:
		needed["device_authorization_endpoint"] = metadata.Device
	case AuthorizationCode:
		needed["authorization_endpoint"] = metadata.Authorization
	}
	for name, endpoint := range needed {
		if endpoint == "" {
			return none, fmt.Errorf("oauth: the provider has no %s: it does not offer grant %s", name, s.config.grant())
		}
		if err := checkURL(endpoint); err != nil {
			return none, fmt.Errorf("oauth: the provider's %s %w", name, err)
		}
	}
	style := oauth2.AuthStyleInHeader
	if slices.Contains(metadata.Methods, "client_secret_post") && !slices.Contains(metadata.Methods, "client_secret_basic") {
		style = oauth2.AuthStyleInParams
	}
	return oauth2.Endpoint{TokenURL: metadata.Token, DeviceAuthURL: metadata.Device, AuthURL: metadata.Authorization, AuthStyle: style}, nil
}
