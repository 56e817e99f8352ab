package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/mailboxurl"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
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

// sessionFlags say which accounts.
func sessionFlags() []cli.Flag {
	return append(ledgerFlags(),
		&cli.StringFlag{Name: "url", Usage: "one mailbox, `imaps://USER@HOST/FOLDER`, without a config file (also imap+starttls://, imap:// on this machine, and c-client's {HOST/imap/ssl/user=USER}FOLDER)"},
		&cli.StringFlag{Name: "password-file", Usage: "with --url: the password is in `FILE`; else in FBLWATCH_PASSWORD, else asked for"},
	)
}

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

// openReader opens the ledger of the flags for reading.
func (p *program) openReader(c *cli.Context) (ledger.Reader, error) {
	path, err := p.ledgerPath(c)
	if err != nil {
		return nil, err
	}
	reader, err := backend.OpenReader(c.Context, path)
	if errors.Is(err, ledger.ErrNone) {
		return nil, failed(fmt.Errorf("there is no ledger at %s", path), "fblwatch sweep creates it; --ledger FILE names another")
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

var errNoPassword = errors.New("there is none, and no terminal to ask on; set FBLWATCH_PASSWORD or name a --password-file")

// ask reads a password from the terminal, without showing it.
func (p *program) ask(prompt string) (imapclient.Secret, error) {
	stdin, ok := p.stdin.(*os.File)
	if !ok || !terminal.IsTerminal(stdin) || !terminal.IsTerminal(p.stderr) {
		return "", wrong(errNoPassword, "")
	}
	fmt.Fprint(p.stderr, prompt)
	text, err := term.ReadPassword(int(stdin.Fd()))
	fmt.Fprintln(p.stderr)
	return imapclient.Secret(text), err
}

// loginLine is the command that logs an account in.
func (p *program) loginLine(account string) string {
	command := "fblwatch login"
	if p.configFile != "" {
		command += " -c " + shellWord(p.configFile)
	}
	return command + " --account " + shellWord(account)
}

// shellWord is a word for the shell.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./@+:,=", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
