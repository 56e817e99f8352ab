package oauth

import (
	"testing"
)

func TestValidate(t *testing.T) {
	good := []Config{
		{Provider: Google, ClientID: "c", TokenFile: "f"},
		{Provider: Google, ClientID: "c", ClientSecretFile: "s", TokenFile: "f", Grant: AuthorizationCode},
		{Provider: Microsoft, ClientID: "c", TokenFile: "f"},
		{Provider: Microsoft, ClientID: "c", TokenFile: "f", Tenant: "0f8fad5b-d9cb-469f-a165-70867728950e", Grant: AuthorizationCode},
		{Provider: Microsoft, ClientID: "c", ClientSecret: "s", Tenant: "example.onmicrosoft.com", Grant: ClientCredentials},
		{Provider: "https://issuer.example.com/realms/mail", ClientID: "c", TokenFile: "f", Scopes: []string{"mail", "offline_access"}},
		{Provider: "http://127.0.0.1:8080", ClientID: "c", TokenFile: "f"},
		{TokenEndpoint: "https://example.com/t", DeviceAuthorizationEndpoint: "http://[::1]:8080/d", ClientID: "c", TokenFile: "f"},
		{TokenEndpoint: "https://example.com/t", AuthorizationEndpoint: "http://localhost/a", ClientID: "c", TokenFile: "f", Grant: AuthorizationCode},
		{TokenEndpoint: "https://example.com/t", ClientID: "c", ClientSecret: "s", Grant: ClientCredentials},
	}
	for _, c := range good {
		if err := c.Validate(); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
	bad := []struct {
		c    Config
		want string
	}{
		{Config{}, "provider is missing: google, microsoft or the issuer's https:// URL"},
		{Config{Provider: "gogle"}, "provider is neither google nor microsoft nor the https:// URL of an issuer"},
		{Config{Provider: "http://issuer.example.com"}, "provider is neither google nor microsoft nor the https:// URL of an issuer"},
		{Config{Provider: "https://user:pass@issuer.example.com"}, "provider is neither google nor microsoft nor the https:// URL of an issuer"},
		{Config{Provider: Microsoft, Grant: "password"}, "grant is none of device, authorization_code, client_credentials"},
		{Config{Provider: Microsoft}, "client_id is missing: register an application with the provider to get one"},
		{Config{Provider: Microsoft, ClientID: "c", ClientSecret: "s", ClientSecretFile: "s"}, "has client_secret and client_secret_file; keep one of the two"},
		{Config{Provider: Microsoft, ClientID: "c", Scopes: []string{"a b"}}, "scopes holds one scope an item, without white space"},
		{Config{Provider: Google, ClientID: "c", TokenFile: "f", Grant: Device}, "google allows mailboxes with grant authorization_code only; leave grant out"},
		{Config{Provider: Google, ClientID: "c", ClientSecret: "s", Grant: ClientCredentials}, "google allows mailboxes with grant authorization_code only; leave grant out"},
		{Config{Provider: Microsoft, ClientID: "c"}, "token_file is missing: fblwatch login keeps the tokens there"},
		{Config{Provider: Microsoft, ClientID: "c", Grant: ClientCredentials, Tenant: "t"}, "grant client_credentials needs client_secret_file or client_secret"},
		{Config{Provider: Microsoft, ClientID: "c", Grant: ClientCredentials, ClientSecret: "s", TokenFile: "f", Tenant: "t"}, "grant client_credentials stores nothing; leave token_file out"},
		{Config{Provider: Microsoft, ClientID: "c", Grant: ClientCredentials, ClientSecret: "s"}, "grant client_credentials needs tenant, the directory's id or domain"},
		{Config{Provider: Microsoft, ClientID: "c", Grant: ClientCredentials, ClientSecret: "s", Tenant: "Common"}, "grant client_credentials needs tenant, the directory's id or domain"},
		{Config{Provider: Google, ClientID: "c", TokenFile: "f", Tenant: "t"}, "tenant needs provider microsoft"},
		{Config{Provider: Microsoft, ClientID: "c", TokenFile: "f", Tenant: "../evil"}, "tenant is neither the id nor a domain of a directory"},
		{Config{Provider: Microsoft, ClientID: "c", TokenFile: "f", TokenEndpoint: "login.example.com"}, "token_endpoint is not an https:// URL (http:// is allowed to this machine)"},
		{Config{Provider: "https://example.com", ClientID: "c", TokenFile: "f", DeviceAuthorizationEndpoint: "https://example.com/d"}, "token_endpoint is missing beside the other endpoint"},
		{Config{TokenEndpoint: "https://example.com/t", ClientID: "c", TokenFile: "f"}, "device_authorization_endpoint is missing beside token_endpoint"},
		{Config{TokenEndpoint: "https://example.com/t", ClientID: "c", TokenFile: "f", Grant: AuthorizationCode}, "authorization_endpoint is missing beside token_endpoint"},
	}
	for _, test := range bad {
		if err := test.c.Validate(); err == nil || err.Error() != test.want {
			t.Errorf("%+v: %v, want %s", test.c, err, test.want)
		}
	}
}
