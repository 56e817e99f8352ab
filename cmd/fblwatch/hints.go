package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// sessionHint says what to do about a session that could not be.
func sessionHint(err error) string {
	var (
		refused     *imapclient.AuthError
		response    *imapclient.ResponseError
		folder      *watch.FolderError
		action      *watch.ActionError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		certificate x509.CertificateInvalidError
		noTLS       tls.RecordHeaderError
		dns         *net.DNSError
		dial        *net.OpError
		timeout     *imapclient.TimeoutError
	)
	switch {
	case errors.Is(err, imapclient.ErrTemporary) && errors.As(err, &response) && strings.HasPrefix(response.Command, "UID "):
		return "the server does not do this now; it is tried again"
	case errors.As(err, &refused) && errors.Is(err, imapclient.ErrTemporary), errors.Is(err, imapclient.ErrTemporary) && !errors.As(err, &folder):
		return "the server takes no login now: it, or the account, has too many connections, or it is busy; try again later, and see connections in the config"
	case errors.As(err, &refused):
		return "check user and password; many providers want an app password, or IMAP switched on first"
	case errors.As(err, &folder) && errors.Is(err, watch.ErrShort):
		return "the messages stay in the folder and are asked for again next time; if that goes on, look at one of them by another program"
	case errors.As(err, &folder):
		return "fblwatch folders lists the folders there are"
	case errors.As(err, &action):
		return "give the user the right to change this folder, or take from after in the config what the server does not allow"
	case errors.As(err, &authority):
		return "if the certificate is your own, name its authority with ca_file, or with SSL_CERT_FILE in the environment"
	case errors.As(err, &hostname):
		return "use the host name that is in the certificate"
	case errors.As(err, &certificate):
		return "the server's certificate is not valid; its clock or yours may be wrong"
	case errors.As(err, &noTLS):
		return "this port does not begin with TLS; imap+starttls:// (port 143) may be what the server speaks, or imap:// on this machine"
	case errors.Is(err, imapclient.ErrTLSPort):
		return "this port begins with TLS: write imaps:// in the url, or /ssl in a {} name"
	case errors.Is(err, imapclient.ErrNoSTARTTLS):
		return "imaps:// (port 993), or /ssl in a {} name, may be what the server speaks"
	case errors.Is(err, imapclient.ErrInsecure):
		return "use imaps:// or imap+starttls://, or set insecure: true for this account"
	case errors.As(err, &dns):
		return "check the host's name"
	case errors.As(err, &dial), errors.As(err, &timeout):
		return "check host and port, and that the server can be reached from here"
	}
	return ""
}
