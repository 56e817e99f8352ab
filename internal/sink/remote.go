package sink

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/remote"
)

// RemoteConfig are the keys of every type that sends to a server.
type RemoteConfig struct {
	URL             string            `yaml:"url"` // may hold a secret: show it with shownURL
	User            string            `yaml:"user"`
	Password        imapclient.Secret `yaml:"password"`
	PasswordFile    string            `yaml:"password_file"`
	PasswordCommand []string          `yaml:"password_command"` // program and arguments; no shell
	CAFile          string            `yaml:"ca_file"`          // PEM; trusted instead of the system's
	Pin             imapclient.Pin    `yaml:"pin"`              // of the server's certificate or key
	CertFile        string            `yaml:"cert_file"`        // PEM; a client certificate
	KeyFile         string            `yaml:"key_file"`         // PEM
	Insecure        bool              `yaml:"insecure"`         // allows a URL without encryption to another machine
	Timeout         time.Duration     `yaml:"timeout"`          // for one request; 0: the type's own
}

// mostTimeout is what a server may take for one request.
const mostTimeout = 10 * time.Minute

// The errors never hold a piece of the URL: it may be a secret.
var (
	errURLMissing  = errors.New("url is missing")
	errURLForm     = errors.New("url is not of the form SCHEME://HOST")
	errURLUser     = errors.New("url holds a user; write user and password_file")
	errURLFragment = errors.New("url holds a #; write %23")
	errURLControl  = errors.New("url holds a control character")
	errUser        = errors.New("user is missing; a password needs one")
	errPassword    = errors.New("user needs one of password_file, password_command and password")
	errPasswords   = errors.New("needs one of password_file, password_command and password, has several")
	errInsecure    = errors.New("url is without encryption, to another machine; records are about people. Write insecure: true if the way there is yours alone")
	errTimeout     = fmt.Errorf("timeout is not between 0 and %v", mostTimeout)
)

// validate checks the keys. schemes are those that a URL may have; true: it means an
// encrypted connection.
func (r RemoteConfig) validate(schemes map[string]bool) error {
	if r.URL == "" {
		return errURLMissing
	}
	u, err := url.Parse(r.URL)
	encrypted, known := false, false
	if err == nil {
		encrypted, known = schemes[u.Scheme]
	}
	switch {
	case strings.ContainsFunc(r.URL, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return errURLControl
	case err != nil:
		return errURLForm
	case !known:
		return fmt.Errorf("url begins with none of %s", schemeList(schemes, false))
	case u.User != nil:
		return errURLUser
	case u.Hostname() == "" || u.Opaque != "":
		return errURLForm
	case u.Fragment != "":
		return errURLFragment
	case r.Timeout < 0 || r.Timeout > mostTimeout:
		return errTimeout
	case r.source().Ways() > 1:
		return errPasswords
	case r.source().Ways() > 0 && r.User == "":
		return errUser
	case r.source().Ways() == 0 && r.User != "":
		return errPassword
	case !encrypted && !r.Insecure && !remote.IsLoopback(u.Hostname()):
		return errInsecure
	}
	withTLS := ""
	if !encrypted {
		withTLS = schemeList(schemes, true)
	}
	return r.tls().Validate(withTLS)
}

// schemeList is the schemes as people write them, perhaps only those that encrypt.
func schemeList(schemes map[string]bool, encrypting bool) string {
	var list []string
	for _, scheme := range slices.Sorted(maps.Keys(schemes)) {
		if schemes[scheme] || !encrypting {
			list = append(list, scheme+"://")
		}
	}
	return strings.Join(list, ", ")
}

// parsed is the URL of a valid config.
func (r RemoteConfig) parsed() *url.URL {
	u, err := url.Parse(r.URL)
	if err != nil {
		panic("sink: the config was not validated")
	}
	return u
}

func (r RemoteConfig) source() remote.Source {
	return remote.Source{Key: "password", Value: r.Password, File: r.PasswordFile, Command: r.PasswordCommand}
}

func (r RemoteConfig) tls() remote.TLS {
	return remote.TLS{CAFile: r.CAFile, Pin: r.Pin, CertFile: r.CertFile, KeyFile: r.KeyFile}
}

// timeout is the limit of one request.
func (r RemoteConfig) timeout(own time.Duration) time.Duration { return cmp.Or(r.Timeout, own) }

// hideFrom is the length from which a piece of a path may be a token: those of Slack's
// webhooks have 24 characters.
const hideFrom = 20

// shownURL is a URL for people, without what may be a secret in it.
func shownURL(u *url.URL) string {
	pieces := strings.Split(u.EscapedPath(), "/")
	for i := range pieces {
		if len(pieces[i]) >= hideFrom {
			pieces[i] = "..."
		}
	}
	shown := u.Scheme + "://" + u.Host + strings.NewReplacer("%7B", "{", "%7D", "}").Replace(strings.Join(pieces, "/"))
	if u.RawQuery != "" {
		shown += "?..."
	}
	return shown
}

// SecretFiles are the files with secrets that the config names, by their keys.
func (c Config) SecretFiles() map[string]string {
	files := make(map[string]string)
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") != ",inline" {
			continue
		}
		for j := range v.Field(i).NumField() {
			key := v.Field(i).Type().Field(j).Tag.Get("yaml")
			path, isText := v.Field(i).Field(j).Interface().(string)
			if isText && path != "" && strings.HasSuffix(key, "_file") && key != "ca_file" && key != "cert_file" {
				files[key] = path
			}
		}
	}
	return files
}

// onlyRemote reports a key of RemoteConfig with a value that is none of keys.
func (c Config) onlyRemote(keys ...string) error {
	v := reflect.ValueOf(c.Remote)
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if !v.Field(i).IsZero() && !slices.Contains(keys, key) {
			return fmt.Errorf("%s is no key of the type %s", key, c.Type)
		}
	}
	if c.Remote.Timeout < 0 || c.Remote.Timeout > mostTimeout {
		return errTimeout
	}
	return nil
}
