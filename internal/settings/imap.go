package settings

import (
	"fmt"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/remote"
)

var compressions = map[string]imapclient.Compression{
	"on": imapclient.CompressOn, "off": imapclient.CompressOff, // else auto
}

var securities = map[string]imapclient.Security{
	"imaps": imapclient.ImplicitTLS, "imap+starttls": imapclient.STARTTLS, "imap": imapclient.NoTLS,
}

// Person is what a login may need of the person at the terminal. The zero value is
// nobody.
type Person struct {
	Ask   func(prompt string) (imapclient.Secret, error) // asks for a password
	LogIn func(account string) string                    // the command that logs the account in, for hints; nil: none is known
}

func (p Person) hint(account string) string {
	if p.LogIn == nil {
		return ""
	}
	return "run " + p.LogIn(account)
}

// IMAP returns the account's options for a session. It reads the files of
// certificates; its errors are of type *Error. All sessions of the account share the
// options' Login.
func (a Account) IMAP(person Person) (imapclient.Options, error) {
	options := imapclient.Options{
		Account: a.Name, Host: a.URL.Host, Port: a.URL.Port, Security: securities[a.URL.Scheme], Insecure: a.Insecure,
		Login: a.login(person), Pin: a.Pin, Compress: compressions[a.Compress],
	}
	if a.URL.NoValidate && options.Security != imapclient.NoTLS {
		options.Insecure = true
	}
	conf, err := remote.TLS{CAFile: a.CAFile, CertFile: a.CertFile, KeyFile: a.KeyFile}.Config()
	if err != nil {
		return options, &Error{Err: fmt.Errorf("account %s: %w", a.Name, err)}
	}
	conf.InsecureSkipVerify = a.URL.NoValidate
	options.TLS = conf
	return options, nil
}
