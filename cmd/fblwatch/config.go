package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// config reads the config file at path; empty is the default place.
func (p *program) config(ctx context.Context, path string) (*settings.Config, error) {
	hint := "config.example.yaml is a file to start from"
	if path == "" {
		var err error
		if path, err = settings.DefaultPath(p.env); err != nil {
			return nil, err
		}
		hint = "name a config file with -c FILE, or a mailbox with --url"
	} else {
		p.configFile = path
	}
	c, err := settings.Load(ctx, path, p.env)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, wrong(fmt.Errorf("there is no config file: %w", err), hint)
	}
	return c, err
}

// warnExposed says at each start which secrets anybody may read.
func (p *program) warnExposed(c *settings.Config) {
	for _, text := range c.Exposed() {
		p.warn(text)
	}
}

func (p *program) warn(text string) {
	fmt.Fprintf(p.stderr, "fblwatch: warning: %s\n", terminal.Printable(text))
}

// readingOf is how messages become records by --config, else without a config.
func (p *program) readingOf(c *cli.Context) (process.Rules, error) {
	config, err := p.configOf(c)
	if err != nil {
		return process.Rules{}, err
	}
	return config.Rules(p.resolver)
}

// configOf is the config of --config, else an empty one.
func (p *program) configOf(c *cli.Context) (*settings.Config, error) {
	config := &settings.Config{}
	if c.IsSet("config") {
		var err error
		if config, err = p.config(c.Context, c.String("config")); err != nil {
			return nil, err
		}
	}
	p.warnExposed(config)
	return config, nil
}

// configOrNone is the config file, or an empty config where there is none and
// none was named.
func (p *program) configOrNone(c *cli.Context) (*settings.Config, error) {
	config, err := p.config(c.Context, c.String("config"))
	if errors.Is(err, fs.ErrNotExist) && !c.IsSet("config") {
		return &settings.Config{}, nil
	}
	return config, err
}
