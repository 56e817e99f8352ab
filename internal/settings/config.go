// Package settings holds the config file's types, and makes of them what the other
// packages take: process.Rules, imapclient.Options, folders and files.
package settings

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/enrich"
	"github.com/fblwatch/fblwatch/internal/hook"
	"github.com/fblwatch/fblwatch/internal/identify"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/plainfile"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/internal/sink"
	"github.com/fblwatch/fblwatch/internal/strictyaml"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/report"
)

// Env looks up an environment variable, as os.LookupEnv does.
type Env = func(name string) (value string, set bool)

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
	Sinks     sink.List        `yaml:"sinks"`   // see AllSinks
	Records   sink.Records     `yaml:"records"` // older
	Hooks     hook.Config      `yaml:"hooks"`
	Log       LogConfig        `yaml:"log"`

	path    string   // of the file
	secrets []string // keys whose secrets are in the file itself
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
	DefaultKeep      = Keep(30 * 24 * 3600e9)
	DefaultRetention = Retention(400 * 24 * 3600e9)
	maxConfig        = 1 << 20 // octets
)

// Validate checks what only the whole file shows.
func (c Config) Validate() error {
	if _, err := backend.Path(c.Ledger); err != nil {
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
	return c.checkSinks()
}

// Load reads the config file at path. Its errors are of type *Error; if there is no
// file, errors.Is(err, fs.ErrNotExist).
func Load(ctx context.Context, path string, env Env) (*Config, error) {
	data, err := plainfile.Read(ctx, path, maxConfig)
	if err != nil {
		return nil, &Error{Err: err}
	}
	c, err := Parse(data, path, env)
	if err != nil {
		return nil, &Error{Err: err}
	}
	if c.Ledger == "" {
		if c.Ledger, err = DefaultLedger(env); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Parse reads a config file's text; errors call it name.
func Parse(data []byte, name string, env Env) (*Config, error) {
	c := &Config{Keep: DefaultKeep, Retention: DefaultRetention}
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
	return key == "ledger" || key == "file" || key == "path" || strings.HasSuffix(key, "_file")
}
