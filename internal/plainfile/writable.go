package plainfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Writable reports why a program that runs as this process does could not write the
// file at path, or create it and the directories it lacks. It changes nothing. nil is
// no promise: the disk may be full, or read-only.
func Writable(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	switch st, err := os.Stat(path); {
	case err == nil && !st.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file; name one", path)
	case err == nil:
		return explain(path, access(path, false))
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		st, err := os.Stat(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
			continue
		case err != nil:
			return err
		case !st.IsDir():
			return fmt.Errorf("%s is not a directory; name another file than %s", dir, path)
		}
		return explain(dir, access(dir, true))
	}
}

func explain(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w; let user %d write there, or name another file", path, err, os.Getuid())
}
