package settings

import (
	"log/slog"

	"github.com/fblwatch/fblwatch/internal/enrich"
	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/trust"
)

// Rules returns how messages become records. resolver finds the keys of signatures;
// nil is the system's. Its errors are of type *Error.
func (c *Config) Rules(resolver trust.Resolver) (process.Rules, error) {
	identifier, err := identify.New(c.Identify)
	if err != nil {
		return process.Rules{}, &Error{Err: err}
	}
	var checker *trust.Checker
	whom := c.Believed()
	if whom.Asks() || whom.Receives() || whom.Own.IsSet() { // else trust is not configured
		if checker, err = trust.New(whom, resolver, c.Providers); err != nil {
			return process.Rules{}, &Error{Err: err}
		}
	}
	enricher, err := enrich.New(c.Enrich, nil)
	if err != nil {
		return process.Rules{}, &Error{Err: err}
	}
	filter, err := privacy.New(c.Privacy)
	if err != nil {
		return process.Rules{}, &Error{Err: err}
	}
	return process.Rules{
		Providers: c.Providers, Identify: identifier,
		Trust: checker, DNS: whom.Asks(),
		Enrich: enricher, Privacy: filter, Forwarders: c.forwarders(),
	}, nil
}

// Believed is the config's trust with its accounts: whom to believe, in which account.
func (c *Config) Believed() trust.Config {
	whom := c.Trust
	whom.Accounts = make(map[string]trust.Account, len(c.Accounts))
	for _, a := range c.Accounts {
		whom.Accounts[a.Name] = trust.Account{Host: a.URL.Host, Mailbox: a.Mailbox}
	}
	return whom
}

// NewBrake returns the config's brake; nil: there is no limit.
func (c *Config) NewBrake(log *slog.Logger) *process.Brake {
	if c.Brake == 0 {
		return nil
	}
	return process.NewBrake(c.Brake, log)
}
