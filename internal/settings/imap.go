package settings

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/plainfile"
)

// maxPEM is how many octets a file of certificates may have.
const maxPEM = 8 << 20

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
	var err error
	options.TLS, err = a.tlsConfig()
	return options, err
}

func (a Account) tlsConfig() (*tls.Config, error) {
	conf := &tls.Config{InsecureSkipVerify: a.URL.NoValidate}
	if a.CAFile != "" {
		pem, err := plainfile.Read(context.Background(), a.CAFile, maxPEM)
		if err != nil {
			return nil, a.wrong("ca_file: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, a.wrong("ca_file %s holds no certificate in PEM form", a.CAFile)
		}
	}
	if a.CertFile != "" {
		certificate, err := keyPair(a.CertFile, a.KeyFile)
		if err != nil {
			return nil, a.wrong("cert_file and key_file: %w", err)
		}
		conf.Certificates = []tls.Certificate{certificate}
	}
	return conf, nil
}

func (a Account) wrong(format string, args ...any) error {
	return &Error{Err: fmt.Errorf("account %s: "+format, append([]any{a.Name}, args...)...)}
}

func keyPair(certFile, keyFile string) (tls.Certificate, error) {
	certificate, err := plainfile.Read(context.Background(), certFile, maxPEM)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := plainfile.Read(context.Background(), keyFile, maxPEM)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certificate, key)
}
