package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/mailboxurl"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// sessionFlags say which accounts.
func sessionFlags() []cli.Flag {
	return append(ledgerFlags(),
		&cli.StringFlag{Name: "url", Usage: "one mailbox, `imaps://USER@HOST/FOLDER`, without a config file (also imap+starttls://, imap:// on this machine, and c-client's {HOST/imap/ssl/user=USER}FOLDER)"},
		&cli.StringFlag{Name: "password-file", Usage: "with --url: the password is in `FILE`; else in FBLWATCH_PASSWORD, else asked for"},
	)
}

// setup returns the config file's config, or one made of --url.
func (p *program) setup(c *cli.Context) (*settings.Config, error) {
	if c.Args().Present() {
		return nil, wrong(fmt.Errorf("%s takes no argument such as %q", c.Command.Name, c.Args().First()),
			"fblwatch "+c.Command.Name+" --help lists the options")
	}
	config, err := p.accounts(c)
	if err != nil {
		return nil, err
	}
	if path := c.String("ledger"); path != "" {
		config.Ledger = path
	}
	if _, err := backend.Path(config.Ledger); err != nil {
		return nil, wrong(err, "")
	}
	if c.Command.Name != "check" { // check has a line for it
		p.warnExposed(config)
		for _, hint := range config.Superseded() {
			p.warn(hint)
		}
	}
	return config, nil
}

func (p *program) accounts(c *cli.Context) (*settings.Config, error) {
	if !c.IsSet("url") {
		if c.IsSet("password-file") {
			return nil, wrong(errors.New("--password-file goes with --url"), "the config file has a password_file for each account")
		}
		config, err := p.config(c.Context, c.String("config"))
		if err == nil && len(config.Accounts) == 0 {
			err = wrong(errors.New("the config has no accounts: there is nothing to read"), "name a mailbox under accounts, as config.example.yaml shows, or with --url")
		}
		return config, err
	}
	if c.IsSet("config") {
		return nil, wrong(errors.New("--url and --config exclude each other"), "name the mailbox under accounts in the config")
	}
	a, err := p.named(c.String("url"), c.String("password-file"))
	if err != nil {
		hint := ""
		if errors.Is(err, mailboxurl.ErrPassword) {
			hint = "set FBLWATCH_PASSWORD, name a --password-file, or wait to be asked"
		}
		return nil, wrong(fmt.Errorf("--url: %w", err), hint)
	}
	path, err := settings.DefaultLedger(p.env)
	return &settings.Config{Ledger: path, Accounts: []settings.Account{a}, Keep: settings.DefaultKeep, Retention: settings.DefaultRetention}, err
}

// named is an account made of a mailbox's URL or c-client name.
func (p *program) named(mailbox, passwordFile string) (settings.Account, error) {
	a := settings.Account{PasswordFile: passwordFile}
	if err := a.URL.UnmarshalText([]byte(mailbox)); err != nil {
		return a, err
	}
	a.Name = a.URL.User + "@" + a.URL.Host
	if password, set := p.env("FBLWATCH_PASSWORD"); set && passwordFile == "" {
		a.Password = imapclient.Secret(password)
	}
	return a, nil
}

// imapOptions are the account's for a session.
func (p *program) imapOptions(a settings.Account) (imapclient.Options, error) {
	options, err := a.IMAP(p.person())
	if err == nil {
		p.warnWay(a)
	}
	return options, err
}

func (p *program) person() settings.Person {
	return settings.Person{Ask: p.ask, LogIn: p.loginLine}
}

// warnWay says at each start which way to a server is not safe.
func (p *program) warnWay(accounts ...settings.Account) {
	for _, a := range accounts {
		if warning := a.Warning(); warning != "" {
			p.warn(warning)
		}
	}
}

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
