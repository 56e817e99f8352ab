package settings

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/plainfile"
)

const (
	maxPassword     = 64 << 10 // octets
	maxGrievance    = 500      // octets of a password_command's stderr that an error holds
	passwordTimeout = 30 * time.Second
)

// password returns a func that finds the account's password. A file is read and a
// command is run at each login, since a password may change; a person is asked once.
func (a Account) password(person Person) func(context.Context) (imapclient.Secret, error) {
	switch {
	case a.Password != "":
		return func(context.Context) (imapclient.Secret, error) { return a.Password, nil }
	case a.PasswordFile != "":
		return func(ctx context.Context) (imapclient.Secret, error) { return passwordFile(ctx, a.PasswordFile) }
	case len(a.PasswordCommand) > 0:
		return func(ctx context.Context) (imapclient.Secret, error) { return passwordCommand(ctx, a.PasswordCommand) }
	}
	if person.Ask == nil {
		return func(context.Context) (imapclient.Secret, error) { return "", errNoPassword }
	}
	ask := sync.OnceValues(func() (imapclient.Secret, error) { return person.Ask("Password of " + a.Name + ": ") })
	return func(context.Context) (imapclient.Secret, error) { return ask() }
}

var errNoPassword = errors.New("there is none")

func passwordFile(ctx context.Context, path string) (imapclient.Secret, error) {
	text, err := plainfile.Read(ctx, path, maxPassword)
	if err != nil {
		return "", err
	}
	return firstLine(text, path)
}

// passwordCommand returns the first line that the command prints. An error holds what
// it said on stderr.
func passwordCommand(ctx context.Context, command []string) (imapclient.Secret, error) {
	name := "password_command " + command[0]
	ctx, cancel := context.WithTimeoutCause(ctx, passwordTimeout, fmt.Errorf("it took longer than %v", passwordTimeout))
	defer cancel()
	stdout, stderr := &head{most: maxPassword}, &head{most: maxPassword}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w%s", name, err, grievance(string(stderr.text), string(stdout.text)))
	}
	if stdout.more {
		return "", fmt.Errorf("%s: printed more than %d octets", name, maxPassword)
	}
	return firstLine(stdout.text, name)
}

// grievance is what a command wrote to stderr, without the lines of its stdout: they may
// be the password.
func grievance(said, printed string) string {
	for line := range strings.Lines(printed) {
		if line = strings.TrimSpace(line); line != "" {
			said = strings.ReplaceAll(said, line, imapclient.Secret(line).String())
		}
	}
	if said = strings.Join(strings.Fields(said), " "); said == "" {
		return ""
	}
	return ": " + said[:min(len(said), maxGrievance)]
}

// head keeps the first octets that are written to it.
type head struct {
	text []byte
	most int
	more bool // more was written
}

func (h *head) Write(b []byte) (int, error) {
	room := min(h.most-len(h.text), len(b))
	h.more = h.more || room < len(b)
	h.text = append(h.text, b[:room]...)
	return len(b), nil
}

func firstLine(text []byte, source string) (imapclient.Secret, error) {
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		return "", fmt.Errorf("%s: the first line is empty", source)
	}
	return imapclient.Secret(line), nil
}
