// Package subprocess runs the programs that a config names: without a shell, in a
// clean environment and in a process group of their own. Their output is logged.
package subprocess

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Command is a program and its arguments. A name without a slash is searched in PATH.
type Command []string

// Validate checks the command without a search for the program.
func (c Command) Validate() error {
	if len(c) == 0 || c[0] == "" {
		return errors.New("names no program; write a list of the program and its arguments")
	}
	for _, arg := range c {
		if strings.ContainsRune(arg, 0) {
			return errors.New("holds a NUL")
		}
	}
	return nil
}

// Find returns an error if the program does not exist or is not executable. The error
// names the program and adds a hint.
func (c Command) Find() error {
	if err := c.Validate(); err != nil {
		return err
	}
	_, err := exec.LookPath(c[0])
	return c.explain(err)
}

// explain names the program once, and adds a hint.
func (c Command) explain(err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	switch {
	case errors.Is(err, exec.ErrNotFound):
		hint = "; write its whole path"
	case errors.Is(err, fs.ErrPermission):
		hint = "; make it executable"
	case errors.Is(err, syscall.ENOEXEC):
		hint = "; a script needs a first line such as #!/bin/sh"
	}
	var named *exec.Error
	if errors.As(err, &named) {
		err = named.Err
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%s: %w%s", c[0], err, hint)
}

// passed are the variables of our environment that a command gets if they are set:
// what programs need to run, and nothing that may be a secret.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR",
	"SYSTEMROOT", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", // Windows
}

func environment() []string {
	var env []string
	for _, name := range passed {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}
