package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/oauth"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

func (p *program) loginCommand() *cli.Command {
	return &cli.Command{
		Name:  "login",
		Usage: "log in to an account by OAuth2: approve the access once in a browser",
		Description: "Shows an address to open, with the grant device also a code to enter there. It\n" +
			"stores the login in the account's token_file, for watch and sweep. The grant\n" +
			"client_credentials needs no approval: login only asks the issuer for a token and\n" +
			"stores nothing.\n\n" +
			"Example: fblwatch login -c config.yaml --account jmrp",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "the config `FILE`; default $XDG_CONFIG_HOME/fblwatch/config.yaml"},
			&cli.StringFlag{Name: "account", Usage: "the account's `NAME`; needed if several accounts have oauth2"},
		},
		Action: p.logIn,
	}
}

func (p *program) logIn(c *cli.Context) error {
	if c.Args().Present() {
		return wrong(fmt.Errorf("login takes no argument such as %q", c.Args().First()), "fblwatch login --help lists the options")
	}
	config, err := p.config(c.Context, c.String("config"))
	if err != nil {
		return err
	}
	a, err := oauthAccount(config, c.String("account"))
	if err != nil {
		return err
	}
	p.warnExposed(config)
	source := oauth.New(*a.OAuth2)
	if a.OAuth2.Unattended() {
		_, expires, err := source.Token(c.Context, 1)
		if err != nil {
			return fmt.Errorf("account %s: %w", a.Name, err)
		}
		life := "for an unknown time"
		if !expires.IsZero() {
			life = "for " + time.Until(expires).Round(time.Second).String()
		}
		fmt.Fprintf(p.stdout, "The issuer gives tokens for account %s, this one %s. No login is needed.\n", terminal.Printable(a.Name), life)
		return nil
	}
	if err := p.approve(c, a, source); err != nil {
		return fmt.Errorf("account %s: %w", a.Name, err)
	}
	fmt.Fprintf(p.stdout, "Logged in. %s holds the login of account %s. fblwatch check tries the mailbox.\n", terminal.Printable(a.OAuth2.TokenFile), terminal.Printable(a.Name))
	return nil
}

// oauthAccount is the account of that name; empty: the only one with oauth2.
func oauthAccount(config *settings.Config, name string) (settings.Account, error) {
	var names []string
	var found settings.Account
	for _, a := range config.Accounts {
		switch {
		case a.Name == name && a.OAuth2 == nil:
			return settings.Account{}, wrong(fmt.Errorf("account %s has no oauth2 in the config: it uses a password", name), "")
		case a.Name == name:
			return a, nil
		case a.OAuth2 != nil:
			names = append(names, a.Name)
			found = a
		}
	}
	switch {
	case len(names) == 0:
		return settings.Account{}, wrong(errors.New("no account in the config has oauth2"), "config.example.yaml shows how to give it one")
	case name != "":
		return settings.Account{}, wrong(fmt.Errorf("no account is named %q", name), "those with oauth2 are "+strings.Join(names, ", "))
	case len(names) > 1:
		return settings.Account{}, wrong(errors.New("more than one account has oauth2"), "name one of them with --account: "+strings.Join(names, ", "))
	}
	return found, nil
}

// approve shows a person the steps of the approval, and the time that is left.
func (p *program) approve(c *cli.Context, a settings.Account, source *oauth.Source) error {
	progress := p.progress(false)
	done := make(chan struct{})
	var clock sync.WaitGroup
	err := source.Login(c.Context, func(prompt oauth.Prompt) {
		p.showPrompt(a, prompt)
		clock.Go(func() {
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for {
				progress.Show("waiting for the approval, %v left", time.Until(prompt.Expires).Round(time.Second))
				select {
				case <-tick.C:
				case <-done:
					return
				}
			}
		})
	})
	close(done)
	clock.Wait()
	progress.Clear()
	return err
}

func (p *program) showPrompt(a settings.Account, prompt oauth.Prompt) {
	fmt.Fprintf(p.stdout, "To let fblwatch read the mailbox of %s:\n", terminal.Printable(a.URL.User))
	fmt.Fprintf(p.stdout, "  open       %s\n", terminal.Printable(prompt.URL))
	if prompt.Code != "" {
		fmt.Fprintf(p.stdout, "  enter      %s\n", terminal.Printable(prompt.Code))
	}
	fmt.Fprintf(p.stdout, "  log in as  %s, and approve before %s.\n", terminal.Printable(a.URL.User), prompt.Expires.Local().Format(time.TimeOnly))
	if prompt.Port != 0 {
		fmt.Fprintf(p.stdout, "The browser comes back to this machine. If it runs on another one, first run there:\n"+
			"  ssh -L %d:127.0.0.1:%d THIS-MACHINE\n", prompt.Port, prompt.Port)
	}
}
