package sink

import (
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

func TestRemoteConfig(t *testing.T) {
	schemes := map[string]bool{"https": true, "http": false}
	for _, test := range []struct {
		config RemoteConfig
		want   string // empty: it is valid
	}{
		{RemoteConfig{URL: "https://example.com/a%20b?c=d", Timeout: time.Second}, ""},
		{RemoteConfig{URL: "https://[2001:db8::1]:8443", User: "u", PasswordFile: "f"}, ""},
		{RemoteConfig{URL: "http://127.0.0.1:9000"}, ""},
		{RemoteConfig{URL: "http://localhost"}, ""},
		{RemoteConfig{URL: "http://[::1]/"}, ""},
		{RemoteConfig{URL: "http://192.0.2.1/", Insecure: true}, ""},
		{RemoteConfig{URL: "http://192.0.2.1/"}, "url is without encryption"},
		{RemoteConfig{URL: "http://localhost.example.com/"}, "url is without encryption"},
		{RemoteConfig{}, "url is missing"},
		{RemoteConfig{URL: "example.com/hunter2"}, "url begins with none of http://, https://"},
		{RemoteConfig{URL: "ftp://hunter2/"}, "url begins with none of http://, https://"},
		{RemoteConfig{URL: "https:hunter2"}, "url is not of the form"},
		{RemoteConfig{URL: "https:///hunter2"}, "url is not of the form"},
		{RemoteConfig{URL: "https://:80/hunter2"}, "url is not of the form"},
		{RemoteConfig{URL: "https://example.com:hunter2/"}, "url is not of the form"},
		{RemoteConfig{URL: "https://example.com/%hunter2"}, "url is not of the form"},
		{RemoteConfig{URL: "https://example.com/\r\nhunter2: x"}, "url holds a control character"},
		{RemoteConfig{URL: "https://u:hunter2@example.com/"}, "url holds a user"},
		{RemoteConfig{URL: "https://example.com/#hunter2"}, "url holds a #"},
		{RemoteConfig{URL: "https://example.com/", Timeout: -1}, "timeout is not between"},
		{RemoteConfig{URL: "https://example.com/", Timeout: time.Hour}, "timeout is not between"},
		{RemoteConfig{URL: "https://example.com/", Password: "hunter2"}, "user is missing"},
		{RemoteConfig{URL: "https://example.com/", User: "u"}, "user needs one of"},
		{RemoteConfig{URL: "https://example.com/", User: "u", Password: "hunter2", PasswordCommand: []string{"pass"}}, "needs one of"},
		{RemoteConfig{URL: "https://example.com/", CertFile: "c"}, "cert_file and key_file go together"},
		{RemoteConfig{URL: "http://localhost/", CAFile: "c"}, "ca_file, pin and cert_file need TLS: https://"},
		{RemoteConfig{URL: "http://localhost/", Pin: imapclient.Pin{1}}, "ca_file, pin and cert_file need TLS: https://"},
	} {
		err := test.config.validate(schemes)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", test.config.URL, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a piece of the URL is in %v", err)
		}
		if err == nil && test.config.parsed().String() != test.config.URL {
			t.Errorf("parsed as %s", test.config.parsed())
		}
	}
	if got := (RemoteConfig{}).timeout(time.Second); got != time.Second {
		t.Error(got)
	}
}

func TestShownURL(t *testing.T) {
	for given, want := range map[string]string{
		"https://example.com":                                               "https://example.com",
		"https://example.com:8443/webhooks/a%2Fb":                           "https://example.com:8443/webhooks/a%2Fb",
		"https://example.com/{tenant}/in":                                   "https://example.com/{tenant}/in",
		"https://u:hunter2@example.com/a?t=hunter2#hunter2":                 "https://example.com/a?...",
		"https://hooks.example.com/services/T0/B0/abcdefghijhunter2XYZabcd": "https://hooks.example.com/services/T0/B0/...",
	} {
		u, err := url.Parse(given)
		if err != nil {
			t.Fatal(err)
		}
		if got := shownURL(u); got != want {
			t.Errorf("%s: shown as %s, want %s", given, got, want)
		}
	}
}

func TestSecretFiles(t *testing.T) {
	c := Config{Remote: RemoteConfig{URL: "u", PasswordFile: "p", CAFile: "ca", CertFile: "cert", KeyFile: "key"}}
	if got, want := c.SecretFiles(), map[string]string{"password_file": "p", "key_file": "key"}; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
