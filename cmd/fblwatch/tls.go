package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/fblwatch/fblwatch/imapclient"
)

var compressions = map[string]imapclient.Compression{
	"on": imapclient.CompressOn, "off": imapclient.CompressOff, // else auto
}

// tlsConfig is what the account says of TLS; nil: nothing.
func (p *program) tlsConfig(a Account) (*tls.Config, error) {
	conf := &tls.Config{InsecureSkipVerify: a.URL.NoValidate}
	if a.CAFile != "" {
		pem, err := os.ReadFile(a.CAFile)
		if err != nil {
			return nil, wrong(fmt.Errorf("account %s: ca_file: %w", a.Name, err), "")
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, wrong(fmt.Errorf("account %s: ca_file %s holds no certificate in PEM form", a.Name, a.CAFile), "")
		}
	}
	if a.CertFile != "" {
		certificate, err := tls.LoadX509KeyPair(a.CertFile, a.KeyFile)
		if err != nil {
			return nil, wrong(fmt.Errorf("account %s: cert_file and key_file: %w", a.Name, err), "")
		}
		conf.Certificates = []tls.Certificate{certificate}
	}
	return conf, nil
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
