package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/settings"
)

// ledgerFlags are the options that name a ledger.
func ledgerFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "the config `FILE`; default $XDG_CONFIG_HOME/fblwatch/config.yaml"},
		ledgerFlag(),
	}
}

func ledgerFlag() cli.Flag {
	return &cli.StringFlag{Name: "ledger", Usage: "the ledger `FILE`; default the config's, else $XDG_STATE_HOME/fblwatch/fblwatch.db"}
}

// openReader opens the ledger of the flags for reading.
func (p *program) openReader(c *cli.Context) (ledger.Reader, error) {
	path, err := p.ledgerPath(c)
	if err != nil {
		return nil, err
	}
	reader, err := backend.OpenReader(c.Context, path)
	if errors.Is(err, ledger.ErrNone) {
		return nil, failed(fmt.Errorf("there is no ledger at %s", path), "fblwatch sweep makes it; --ledger FILE names another")
	}
	return reader, err
}

// openEditor opens the ledger of the flags for changes.
func (p *program) openEditor(c *cli.Context) (ledger.Editor, error) {
	path, err := p.ledgerPath(c)
	if err != nil {
		return nil, err
	}
	return backend.Edit(c.Context, path)
}

// ledgerPath is --ledger, else what the config file says, else the default.
func (p *program) ledgerPath(c *cli.Context) (string, error) {
	if path := c.String("ledger"); path != "" {
		if _, err := backend.Path(path); err != nil {
			return "", wrong(err, "")
		}
		return path, nil
	}
	config, err := p.config(c.Context, c.String("config"))
	switch {
	case err == nil:
		return config.Ledger, nil
	case c.String("config") == "" && errors.Is(err, fs.ErrNotExist):
		return settings.DefaultLedger(p.env)
	}
	return "", err
}
