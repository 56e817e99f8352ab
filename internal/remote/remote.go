// Package remote holds what a config says of any server that the program talks to: how
// to know it (TLS), and where the secrets for it come from.
package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/plainfile"
)

// maxPEM is how many octets a file of certificates may have.
const maxPEM = 8 << 20

// TLS is how a server is known, and how we are known to it. The zero value trusts the
// system's authorities.
type TLS struct {
	CAFile   string         // PEM; trusted instead of the system's
	Pin      imapclient.Pin // of the server's certificate or key
	CertFile string         // PEM; a client certificate
	KeyFile  string         // PEM
}

var (
	errCertAndKey = errors.New("cert_file and key_file go together")
	errNeedsTLS   = errors.New("ca_file, pin and cert_file need TLS: ")
)

// Validate checks what can be wrong before the files are read. schemes are the schemes
// of URLs with encryption if the URL has none; else empty.
func (t TLS) Validate(schemes string) error {
	if (t.CertFile == "") != (t.KeyFile == "") {
		return errCertAndKey
	}
	if t != (TLS{}) && schemes != "" {
		return fmt.Errorf("%w%s", errNeedsTLS, schemes)
	}
	return nil
}

// Config reads the files. The result asks for TLS 1.2 (RFC 8996) and has no ServerName.
func (t TLS) Config() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := plainfile.Read(context.Background(), t.CAFile, maxPEM)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file %s holds no certificate in PEM form", t.CAFile)
		}
	}
	if t.CertFile != "" {
		certificate, err := keyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("cert_file and key_file: %w", err)
		}
		conf.Certificates = []tls.Certificate{certificate}
	}
	t.Pin.Require(conf)
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

// IsLoopback reports whether host is this machine by its spelling.
func IsLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || strings.EqualFold(host, "localhost")
}
