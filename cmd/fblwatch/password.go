package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/fblwatch/fblwatch/imapclient"
)

const (
	maxPassword     = 64 << 10 // octets
	passwordTimeout = 30 * time.Second
)

var errNoPassword = errors.New("there is none, and no terminal to ask on; set FBLWATCH_PASSWORD or name a --password-file")

// password returns what finds an account's password. A file is read and a
// command is run at each login, since a password may change; a person is asked
// once.
func (p *program) password(a Account) func(context.Context) (imapclient.Secret, error) {
	switch {
	case a.Password != "":
		return func(context.Context) (imapclient.Secret, error) { return a.Password, nil }
	case a.PasswordFile != "":
		return func(context.Context) (imapclient.Secret, error) { return passwordFile(a.PasswordFile) }
	case len(a.PasswordCommand) > 0:
		return func(ctx context.Context) (imapclient.Secret, error) { return p.passwordCommand(ctx, a.PasswordCommand) }
	}
	ask := sync.OnceValues(func() (imapclient.Secret, error) { return p.ask("Password of " + a.Name + ": ") })
	return func(context.Context) (imapclient.Secret, error) { return ask() }
}

func passwordFile(path string) (imapclient.Secret, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := readLimited(file, maxPassword)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return firstLine(text, path)
}

// passwordCommand takes the first line that the command prints; what it has to
// say on stderr goes to ours.
func (p *program) passwordCommand(ctx context.Context, command []string) (imapclient.Secret, error) {
	ctx, cancel := context.WithTimeout(ctx, passwordTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stderr = p.stderr
	cmd.WaitDelay = time.Second
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("password_command %s: %w", command[0], err)
	}
	return firstLine(text, "password_command "+command[0])
}

func firstLine(text []byte, source string) (imapclient.Secret, error) {
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		return "", fmt.Errorf("%s: the first line is empty", source)
	}
	return imapclient.Secret(line), nil
}

// ask reads a password from the terminal, without showing it.
func (p *program) ask(prompt string) (imapclient.Secret, error) {
	stdin, ok := p.stdin.(*os.File)
	if !ok || !isTerminal(stdin) || !isTerminal(p.stderr) {
		return "", wrong(errNoPassword, "")
	}
	fmt.Fprint(p.stderr, prompt)
	text, err := term.ReadPassword(int(stdin.Fd()))
	fmt.Fprintln(p.stderr)
	return imapclient.Secret(text), err
}
