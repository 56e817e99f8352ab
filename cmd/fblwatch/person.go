package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

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
