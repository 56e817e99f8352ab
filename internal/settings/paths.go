package settings

import (
	"errors"
	"path/filepath"
)

// DefaultPath is where the config file is if nobody names one.
func DefaultPath(env Env) (string, error) {
	dir, err := folder(env, "XDG_CONFIG_HOME", ".config")
	return filepath.Join(dir, "fblwatch", "config.yaml"), err
}

// DefaultLedger is where the ledger is if nobody names one.
func DefaultLedger(env Env) (string, error) {
	dir, err := folder(env, "XDG_STATE_HOME", ".local", "state")
	return filepath.Join(dir, "fblwatch", "fblwatch.db"), err
}

// folder is the one that a variable of the XDG Base Directory Specification names,
// else one below the home directory.
func folder(env Env, variable string, below ...string) (string, error) {
	if dir, _ := env(variable); filepath.IsAbs(dir) {
		return dir, nil
	}
	home, err := homeDir(env)
	if err != nil {
		return "", &Error{err, "set HOME or " + variable}
	}
	return filepath.Join(append([]string{home}, below...)...), nil
}

func homeDir(env Env) (string, error) {
	for _, name := range []string{"HOME", "USERPROFILE"} {
		if dir, _ := env(name); dir != "" {
			return dir, nil
		}
	}
	return "", errors.New("there is no home directory")
}
