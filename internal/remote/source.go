package remote

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/plainfile"
)

const (
	maxSecret     = 64 << 10 // octets
	maxGrievance  = 500      // octets of a command's stderr that an error holds
	sourceTimeout = 30 * time.Second
)

// Source is where a secret comes from: one of Value, File and Command. In a config
// they are the keys Key, Key_file and Key_command.
type Source struct {
	Key     string
	Value   imapclient.Secret
	File    string   // its first line
	Command []string // the first line that it prints; program and arguments, no shell
}

// Ways counts the ways that are given.
func (s Source) Ways() (n int) {
	for _, given := range []bool{s.Value != "", s.File != "", len(s.Command) > 0} {
		if given {
			n++
		}
	}
	return n
}

// ErrNone means that a Source has none of its ways.
var ErrNone = errors.New("there is none")

// Get finds the secret. It reads the file or runs the command each time, since a secret
// may change.
func (s Source) Get(ctx context.Context) (imapclient.Secret, error) {
	switch {
	case s.Value != "":
		return s.Value, nil
	case s.File != "":
		text, err := plainfile.Read(ctx, s.File, maxSecret)
		if err != nil {
			return "", err
		}
		return firstLine(text, s.File)
	case len(s.Command) > 0:
		return fromCommand(ctx, s.Key+"_command", s.Command)
	}
	return "", ErrNone
}

// fromCommand returns the first line that the command prints. An error holds what it
// said on stderr.
func fromCommand(ctx context.Context, key string, command []string) (imapclient.Secret, error) {
	name := key + " " + command[0]
	ctx, cancel := context.WithTimeoutCause(ctx, sourceTimeout, fmt.Errorf("it took longer than %v", sourceTimeout))
	defer cancel()
	stdout, stderr := &head{most: maxSecret}, &head{most: maxSecret}
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
		return "", fmt.Errorf("%s: printed more than %d octets", name, maxSecret)
	}
	return firstLine(stdout.text, name)
}

// grievance is what a command wrote to stderr, without the lines of its stdout: they may
// be the secret.
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
