package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/plainfile"
)

// maxPEM is how many octets a file of certificates may have.
const maxPEM = 8 << 20

var compressions = map[string]imapclient.Compression{
	"on": imapclient.CompressOn, "off": imapclient.CompressOff, // else auto
}

// tlsConfig is what the account says of TLS; nil: nothing.
func (p *program) tlsConfig(a Account) (*tls.Config, error) {
	conf := &tls.Config{InsecureSkipVerify: a.URL.NoValidate}
	if a.CAFile != "" {
		pem, err := plainfile.Read(context.Background(), a.CAFile, maxPEM)
		if err != nil {
			return nil, wrong(fmt.Errorf("account %s: ca_file: %w", a.Name, err), "")
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, wrong(fmt.Errorf("account %s: ca_file %s holds no certificate in PEM form", a.Name, a.CAFile), "")
		}
	}
	if a.CertFile != "" {
		certificate, err := keyPair(a.CertFile, a.KeyFile)
		if err != nil {
			return nil, wrong(fmt.Errorf("account %s: cert_file and key_file: %w", a.Name, err), "")
		}
		conf.Certificates = []tls.Certificate{certificate}
	}
	return conf, nil
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

// exposed names the files with secrets, and the ledger, that anybody may read.
func (c *Config) exposed() (warnings []string) {
	look := func(what, path string) {
		if text := plainfile.Exposed(path); path != "" && text != "" {
			warnings = append(warnings, what+" "+text)
		}
	}
	if len(c.secrets) > 0 {
		look("config, which holds "+strings.Join(c.secrets, ", ")+":", c.path)
	}
	for _, a := range c.Accounts {
		account := "account " + a.Name + ": "
		look(account+"password_file", a.PasswordFile)
		look(account+"key_file", a.KeyFile)
		if a.OAuth2 != nil {
			look(account+"client_secret_file", a.OAuth2.ClientSecretFile)
			look(account+"token_file", a.OAuth2.TokenFile)
		}
	}
	for _, rule := range c.Identify.Rules {
		if rule.Verify != nil {
			look("identify: key_file", rule.Verify.KeyFile)
		}
	}
	look("privacy: key_file", c.Privacy.KeyFile)
	if info, err := os.Lstat(c.Ledger); err == nil && info.Mode()&fs.ModeSymlink != 0 { // a mode that is not ours to change
		look("ledger", c.Ledger)
	}
	return warnings
}

// warnExposed says at each start which secrets anybody may read.
func (p *program) warnExposed(c *Config) {
	for _, text := range c.exposed() {
		fmt.Fprintf(p.stderr, "fblwatch: warning: %s\n", printable(text))
	}
}

// warn says at each start what is not safe.
func (p *program) warn(a Account) {
	name, host := printable(a.Name), printable(a.URL.Host)
	switch {
	case a.URL.NoValidate && a.URL.Scheme != "imap":
		fmt.Fprintf(p.stderr, "fblwatch: warning: account %s: novalidate-cert: whoever is on the way to %s can pass for it, and read the password\n", name, host)
	case a.Insecure && a.URL.Scheme == "imap" && !isLoopback(a.URL.Host):
		fmt.Fprintf(p.stderr, "fblwatch: warning: account %s: insecure: the password and all mail go to %s in clear\n", name, host)
	}
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || strings.EqualFold(host, "localhost")
}
