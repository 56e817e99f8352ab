package sink

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// TypeSMTP is the type of sinks that send mail.
const TypeSMTP = "smtp"

// ModeARF is the mode of a sink that forwards reports.
const ModeARF = "arf"

// SMTPConfig are the keys of the type smtp, beside those of RemoteConfig, DigestConfig
// and, of mode arf, RateConfig.
type SMTPConfig struct {
	Sender string `yaml:"sender"` // in From, with or without a name
	To     string `yaml:"to"`     // digest: addresses, with commas; arf: one, in which {tenant} is the record's
	EHLO   string `yaml:"ehlo"`   // the name in EHLO; "": this machine's

	// Of mode arf.
	Tenants       map[string]string `yaml:"tenants"`         // the addresses of some tenants, before To
	RedactKeyFile string            `yaml:"redact_key_file"` // the key of RFC 6590, a secret of at least 16 octets
}

var smtpKind = kind{
	keys:     func(c *Config) []any { return []any{&c.Remote, &c.Digest, &c.SMTP, &c.Limit} },
	validate: validateSMTP,
	open:     openSMTP,
	probe: func(ctx context.Context, c Config) (string, error) {
		if c.SMTP.RedactKeyFile != "" {
			if _, err := c.SMTP.filter(); err != nil {
				return "", err
			}
		}
		return c.smtpServer(Options{}).probe(ctx)
	},
}

// smtpSchemes: smtp:// is encrypted too, by STARTTLS, but for this machine and insecure.
var smtpSchemes = map[string]bool{"smtp": true, "smtps": true}

func validateSMTP(c Config) error {
	if err := c.Remote.validate(smtpSchemes); err != nil {
		return err
	}
	if u := c.Remote.parsed(); strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return errors.New("url has more than a host and a port")
	}
	if c.SMTP.EHLO != "" && !isEHLO(c.SMTP.EHLO) {
		return errors.New("ehlo is no name of a host")
	}
	if _, err := plainAddress(c.SMTP.Sender); err != nil {
		return fmt.Errorf("sender %w", err)
	}
	if err := c.Digest.validate(); err != nil {
		return err
	}
	switch c.Digest.Mode {
	case ModeARF:
		return c.SMTP.validateARF()
	case ModeDigest:
	default:
		return errors.New("mode is none of arf, digest")
	}
	if len(c.SMTP.Tenants) > 0 || c.SMTP.RedactKeyFile != "" || c.Limit.Rate != (Rate{}) {
		return errors.New("tenants, redact_key_file and rate need mode: arf")
	}
	_, err := digestTo(c.SMTP.To)
	return err
}

func openSMTP(c Config, o Options) (Sink, error) {
	server := c.smtpServer(o)
	if c.Digest.Mode == ModeARF {
		return openARF(c, o, server)
	}
	return openMailDigest(c, o, server)
}

func (c Config) smtpServer(o Options) *smtpServer {
	return &smtpServer{config: c.Remote, ehlo: c.SMTP.EHLO, log: o.Log}
}

var (
	errNoAddress = errors.New("is missing or no address such as fblwatch@example.com")
	errNotASCII  = errors.New("has an address with other characters than ASCII")
)

// plainAddress reads one address, perhaps with a name.
func plainAddress(text string) (*mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err != nil {
		return nil, errNoAddress
	}
	return a, checkAddress(a.Address)
}

// checkAddress accepts what can stand in a command of SMTP as it is.
func checkAddress(addr string) error {
	switch {
	case !message.IsAddress(addr) || len(addr) > 254 || strings.ContainsAny(addr, "<>\"\\ "):
		return errNoAddress
	case strings.ContainsFunc(addr, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return errNotASCII
	}
	return nil
}

// digestTo reads the addresses of a digest.
func digestTo(to string) ([]*mail.Address, error) {
	all, err := mail.ParseAddressList(to)
	if err != nil || len(all) > 100 {
		return nil, fmt.Errorf("to %w, or several with commas", errNoAddress)
	}
	for _, a := range all {
		if err := checkAddress(a.Address); err != nil {
			return nil, fmt.Errorf("to %w", err)
		}
	}
	return all, nil
}

// addressesOf are the plain addresses.
func addressesOf(all []*mail.Address) []string {
	plain := make([]string, len(all))
	for i, a := range all {
		plain[i] = a.Address
	}
	return plain
}
