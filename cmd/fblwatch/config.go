package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/enrich"
	"github.com/fblwatch/fblwatch/internal/hook"
	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/plainfile"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/sink"
	"github.com/fblwatch/fblwatch/internal/strictyaml"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// Config is the whole config file. Each package has its own part of it.
type Config struct {
	Ledger    string           `yaml:"ledger"`
	Accounts  []Account        `yaml:"accounts"`
	Keep      Keep             `yaml:"keep"`      // the heads of messages, for reading them again
	Retention Retention        `yaml:"retention"` // records
	Providers report.Providers `yaml:"providers"` // rows before the built-in ones
	Identify  identify.Config  `yaml:"identify"`
	Trust     trust.Config     `yaml:"trust"`
	Brake     int              `yaml:"brake"` // verdicts yes a day and feed; 0: no limit
	Enrich    enrich.Config    `yaml:"enrich"`
	Privacy   privacy.Config   `yaml:"privacy"`
	Records   sink.FileConfig  `yaml:"records"`
	Hooks     hook.Config      `yaml:"hooks"`
	Log       LogConfig        `yaml:"log"`

	path    string   // of the file
	secrets []string // keys whose secrets stand in the file itself
}

// LogConfig says what is logged and how.
type LogConfig struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // auto, text, json; auto is text on a terminal
}

// Validate checks the values; the zero value is info and auto.
func (l LogConfig) Validate() error {
	var level slog.Level
	if l.Level != "" && level.UnmarshalText([]byte(l.Level)) != nil {
		return errors.New("level is none of debug, info, warn, error")
	}
	switch l.Format {
	case "", "auto", "text", "json":
		return nil
	}
	return errors.New("format is none of auto, text, json")
}

const (
	defaultKeep      = Keep(30 * 24 * 3600e9)
	defaultRetention = Retention(400 * 24 * 3600e9)
	maxConfig        = 1 << 20 // octets
)

// Validate checks what only the whole file shows.
func (c Config) Validate() error {
	if err := ledger.CheckPath(c.Ledger); err != nil {
		return err
	}
	if c.Brake < 0 {
		return errors.New("brake is below 0; 0 is no limit")
	}
	seen := map[string]int{}
	for i, a := range c.Accounts {
		if first, twice := seen[a.Name]; twice {
			return fmt.Errorf("accounts[%d] has the name of accounts[%d]", i, first)
		}
		seen[a.Name] = i
		if err := c.Trust.CheckMailbox(a.Mailbox); err != nil {
			return fmt.Errorf("accounts[%d].%w", i, err)
		}
	}
	return nil
}

// reading is how messages become records, by the config. resolver has the keys of
// signatures; nil is the system's.
func (c *Config) reading(resolver trust.Resolver) (process.Rules, error) {
	identifier, err := identify.New(c.Identify)
	if err != nil {
		return process.Rules{}, wrong(err, "")
	}
	var checker *trust.Checker
	whom := c.trust()
	if whom.Asks() || whom.Receives() || whom.Own.IsSet() { // else trust is not configured
		if checker, err = trust.New(whom, resolver, c.Providers); err != nil {
			return process.Rules{}, wrong(err, "")
		}
	}
	enricher, err := enrich.New(c.Enrich, nil)
	if err != nil {
		return process.Rules{}, wrong(err, "")
	}
	filter, err := privacy.New(c.Privacy)
	if err != nil {
		return process.Rules{}, wrong(err, "")
	}
	return process.Rules{
		Providers: c.Providers, Identify: identifier,
		Trust: checker, DNS: whom.Asks(),
		Enrich: enricher, Privacy: filter,
	}, nil
}

// trust is whom to believe, in which account.
func (c *Config) trust() trust.Config {
	whom := c.Trust
	whom.Accounts = make(map[string]trust.Account, len(c.Accounts))
	for _, a := range c.Accounts {
		whom.Accounts[a.Name] = trust.Account{Host: a.URL.Host, Mailbox: a.Mailbox}
	}
	return whom
}

// brake is the config's, with what the ledger counts already.
func (c *Config) brake(ctx context.Context, l ledger.Reader, log *slog.Logger) (*process.Brake, error) {
	if c.Brake == 0 {
		return nil, nil
	}
	counts, err := l.Counts(ctx, time.Time{}, time.Time{})
	if err != nil {
		return nil, err
	}
	return process.NewBrake(c.Brake, counts, log), nil
}

// config reads the config file at path; empty is the default place.
func (p *program) config(ctx context.Context, path string) (*Config, error) {
	hint := "config.example.yaml is a file to start from"
	if path == "" {
		dir, err := p.home("XDG_CONFIG_HOME", ".config")
		if err != nil {
			return nil, err
		}
		path = filepath.Join(dir, "fblwatch", "config.yaml")
		hint = "name a config file with -c FILE, or a mailbox with --url"
	} else {
		p.configFile = path
	}
	data, err := plainfile.Read(ctx, path, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, wrong(fmt.Errorf("there is no config file: %w", err), hint)
	} else if err != nil {
		return nil, wrong(err, "")
	}
	c, err := readConfig(data, path, p.env)
	if err != nil {
		return nil, wrong(err, "")
	}
	if c.Ledger == "" {
		if c.Ledger, err = p.defaultLedger(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// readConfig reads a config file's text; name is what errors call it.
func readConfig(data []byte, name string, env func(string) (string, bool)) (*Config, error) {
	c := &Config{Keep: defaultKeep, Retention: defaultRetention}
	y := &strictyaml.Reader{
		Name: name, Env: env, Secret: reflect.TypeFor[imapclient.Secret](), IsPath: isPath,
		Home: func() (string, error) { return homeDir(env) },
	}
	if err := y.Read(data, c); err != nil {
		return nil, err
	}
	c.path, c.secrets = name, y.Literals()
	return c, nil
}

// isPath reports whether a key's value is the name of a file.
func isPath(key string) bool {
	return key == "ledger" || key == "file" || strings.HasSuffix(key, "_file")
}

// defaultLedger is where the ledger is if nobody says otherwise.
func (p *program) defaultLedger() (string, error) {
	dir, err := p.home("XDG_STATE_HOME", ".local", "state")
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "fblwatch", "fblwatch.db"), nil
}

// home returns a directory of the XDG Base Directory Specification.
func (p *program) home(variable string, below ...string) (string, error) {
	if dir, _ := p.env(variable); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := homeDir(p.env)
	if err != nil {
		return "", wrong(err, "set HOME or "+variable)
	}
	return filepath.Join(append([]string{home}, below...)...), nil
}

func homeDir(env func(string) (string, bool)) (string, error) {
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if dir, _ := env(name); dir != "" {
			return dir, nil
		}
	}
	return "", errors.New("there is no home directory")
}
