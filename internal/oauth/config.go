// Package oauth gets OAuth 2.0 access tokens for IMAP (RFC 6749, RFC 6750) from Google,
// Microsoft 365 or any other issuer. A person approves on another device (RFC 8628) or
// in a browser (RFC 8252, RFC 7636), or the client has a secret of its own. A Source
// renews the tokens for all sessions of an account. All processes share the token file.
package oauth

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/imapclient"
)

// The grants that a Config can have.
const (
	Device            = "device"             // RFC 8628
	AuthorizationCode = "authorization_code" // RFC 6749 section 4.1, in a browser
	ClientCredentials = "client_credentials" // RFC 6749 section 4.4, without a person
)

// The providers with built-in endpoints and scopes.
const (
	Google    = "google"
	Microsoft = "microsoft"
)

// Config says how one account gets its tokens.
type Config struct {
	// Provider is google, microsoft, or the issuer's https:// URL. The endpoints of
	// such an issuer are found by OpenID Connect Discovery. Provider may be empty if
	// TokenEndpoint is set.
	Provider string `yaml:"provider"`
	// Grant is device, authorization_code or client_credentials. Empty means device,
	// and at Google authorization_code: Google's device grant does not allow mailboxes.
	Grant string `yaml:"grant"`

	ClientID         string            `yaml:"client_id"`
	ClientSecret     imapclient.Secret `yaml:"client_secret"`
	ClientSecretFile string            `yaml:"client_secret_file"` // the secret is its first line, read at each use

	Tenant string   `yaml:"tenant"` // microsoft: the directory's id or domain; empty: any directory
	Scopes []string `yaml:"scopes"` // empty: those for IMAP, if the provider is built in

	// TokenFile keeps the tokens of a person's login, mode 600. Its folder must be
	// writable: an issuer may replace the refresh token at each use.
	TokenFile string `yaml:"token_file"`

	// The endpoints, with the names of RFC 8414. They replace the built-in or
	// discovered ones.
	TokenEndpoint               string `yaml:"token_endpoint"`
	DeviceAuthorizationEndpoint string `yaml:"device_authorization_endpoint"`
	AuthorizationEndpoint       string `yaml:"authorization_endpoint"`
}

var tenantForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*$`)

// manyTenants are Microsoft's names for more than one directory.
var manyTenants = []string{"", "common", "organizations", "consumers"}

// Validate checks the values. It opens no file. No error contains a value.
func (c Config) Validate() error {
	if c.Provider == "" && c.TokenEndpoint == "" {
		return errors.New("provider is missing: google, microsoft or the issuer's https:// URL")
	}
	if c.Provider != "" && c.Provider != Google && c.Provider != Microsoft && checkURL(c.Provider) != nil {
		return errors.New("provider is neither google nor microsoft nor the https:// URL of an issuer")
	}
	if !slices.Contains([]string{"", Device, AuthorizationCode, ClientCredentials}, c.Grant) {
		return errors.New("grant is none of device, authorization_code, client_credentials")
	}
	if c.ClientID == "" {
		return errors.New("client_id is missing: register an application with the provider to get one")
	}
	if c.ClientSecret != "" && c.ClientSecretFile != "" {
		return errors.New("has client_secret and client_secret_file; keep one of the two")
	}
	if slices.ContainsFunc(c.Scopes, func(s string) bool { return s == "" || strings.ContainsFunc(s, notToken) }) {
		return errors.New("scopes holds one scope an item, without white space")
	}
	for _, check := range []func() error{c.validateGrant, c.validateTenant, c.validateEndpoints} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Config) validateGrant() error {
	if c.Provider == Google && c.grant() != AuthorizationCode {
		return errors.New("google allows mailboxes with grant authorization_code only; leave grant out")
	}
	if c.grant() != ClientCredentials {
		if c.TokenFile == "" {
			return errors.New("token_file is missing: fblwatch login keeps the tokens there")
		}
		return nil
	}
	switch {
	case c.ClientSecret == "" && c.ClientSecretFile == "":
		return errors.New("grant client_credentials needs client_secret_file or client_secret")
	case c.TokenFile != "":
		return errors.New("grant client_credentials stores nothing; leave token_file out")
	case c.Provider == Microsoft && slices.Contains(manyTenants, strings.ToLower(c.Tenant)):
		return errors.New("grant client_credentials needs tenant, the directory's id or domain")
	}
	return nil
}

func (c Config) validateTenant() error {
	switch {
	case c.Tenant == "":
		return nil
	case c.Provider != Microsoft:
		return errors.New("tenant needs provider microsoft")
	case !tenantForm.MatchString(c.Tenant):
		return errors.New("tenant is neither the id nor a domain of a directory")
	}
	return nil
}

func (c Config) validateEndpoints() error {
	for _, endpoint := range []struct{ key, url string }{
		{"token_endpoint", c.TokenEndpoint},
		{"device_authorization_endpoint", c.DeviceAuthorizationEndpoint},
		{"authorization_endpoint", c.AuthorizationEndpoint},
	} {
		if err := checkURL(endpoint.url); endpoint.url != "" && err != nil {
			return fmt.Errorf("%s %w", endpoint.key, err)
		}
	}
	if c.Provider == Google || c.Provider == Microsoft {
		return nil
	}
	switch {
	case c.TokenEndpoint == "" && c.DeviceAuthorizationEndpoint+c.AuthorizationEndpoint != "":
		return errors.New("token_endpoint is missing beside the other endpoint")
	case c.TokenEndpoint != "" && c.grant() == Device && c.DeviceAuthorizationEndpoint == "":
		return errors.New("device_authorization_endpoint is missing beside token_endpoint")
	case c.TokenEndpoint != "" && c.grant() == AuthorizationCode && c.AuthorizationEndpoint == "":
		return errors.New("authorization_endpoint is missing beside token_endpoint")
	}
	return nil
}

func (c Config) grant() string {
	if c.Provider == Google {
		return cmp.Or(c.Grant, AuthorizationCode)
	}
	return cmp.Or(c.Grant, Device)
}

// Unattended reports whether no person has to log in.
func (c Config) Unattended() bool { return c.grant() == ClientCredentials }

// scopes returns the scopes to request. offline_access is for the refresh token.
func (c Config) scopes() []string {
	switch {
	case len(c.Scopes) > 0:
		return c.Scopes
	case c.Provider == Google:
		return []string{"https://mail.google.com/"}
	case c.Provider == Microsoft && c.Unattended():
		return []string{"https://outlook.office365.com/.default"}
	case c.Provider == Microsoft:
		return []string{"https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access"}
	}
	return nil
}

var errURL = errors.New("is not an https:// URL (http:// is allowed to this machine)")

// checkURL returns an error unless secrets may be sent to s.
func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || strings.ContainsFunc(s, notToken) {
		return errURL
	}
	ip := net.ParseIP(u.Hostname())
	local := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return errURL
	}
	return nil
}

// notToken reports whether r cannot be part of a scope, URL or bearer token (RFC 6749
// appendix A).
func notToken(r rune) bool { return r <= ' ' || r >= 0x7f }
