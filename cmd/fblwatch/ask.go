package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

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
