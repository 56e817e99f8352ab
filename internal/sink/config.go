package sink

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/subprocess"
)

// The types of sinks in a config.
const (
	TypeFile = "file" // appends to a file
	TypeExec = "exec" // feeds a program that keeps running
)

// StdoutName is the name of the sink that the commands open themselves, for their
// standard output. No other sink can have it.
const StdoutName = "stdout"

// Config is one sink of a config.
type Config struct {
	// Name is the key of the sink's cursors in the ledger. A sink of a new name
	// gets every record that the ledger holds.
	Name string `yaml:"name"`
	Type string `yaml:"type"`

	// Path is the NDJSON file of the type file. It may be renamed or removed at
	// any time (logrotate): the next record creates it again.
	Path string `yaml:"path"`
	// Command is the program of the type exec, with its arguments.
	Command subprocess.Command `yaml:"command"`
}

// Validate checks what can be wrong before the sink is opened.
func (c Config) Validate() error {
	var keys []string // that only another type has
	switch c.Type {
	case TypeFile:
		if c.Command != nil {
			keys = append(keys, "command")
		}
	case TypeExec:
		if c.Path != "" {
			keys = append(keys, "path")
		}
	case "":
		return errors.New("type is missing; write file or exec")
	default:
		return errors.New("type is none of file, exec")
	}
	switch {
	case c.Name == "":
		return errors.New("name is missing; the sink's place in the ledger is kept under its name")
	case strings.ContainsFunc(c.Name, func(r rune) bool { return !isNameRune(r) }):
		return errors.New("name holds other characters than letters, digits, dots, - and _")
	case c.Name == StdoutName:
		return errors.New("name is that of the standard output; choose another one")
	case len(keys) > 0:
		return fmt.Errorf("%s is no key of the type %s", keys[0], c.Type)
	case c.Type == TypeExec && c.Command == nil:
		return errors.New("command is missing; write a list of the program and its arguments")
	case c.Type == TypeFile:
		return checkPath("path", c.Path)
	}
	return nil
}

// isNameRune excludes the blank, which the names of the program's own cursors have.
func isNameRune(r rune) bool {
	return r == '-' || r == '_' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// checkPath checks the value of a key that names a file for records.
func checkPath(key, path string) error {
	scheme, _, url := strings.Cut(path, "://")
	switch {
	case path == "":
		return fmt.Errorf("%s is empty; name a file", key)
	case url && !strings.Contains(scheme, "/"):
		return fmt.Errorf("%s is a URL; name a file's path, without a scheme such as file://", key)
	case strings.ContainsRune(path, 0):
		return fmt.Errorf("%s holds a NUL", key)
	case os.IsPathSeparator(path[len(path)-1]):
		return fmt.Errorf("%s names a directory; name a file in it", key)
	}
	return nil
}

// List is the key sinks of a config.
type List []Config

// Validate reports the first two sinks that cannot be told apart.
func (l List) Validate() error {
	for i, c := range l {
		if first := slices.IndexFunc(l[:i], func(before Config) bool { return before.Name == c.Name }); first >= 0 {
			return fmt.Errorf("[%d].name is that of [%d]; each sink needs a name of its own", i, first)
		}
		if first := slices.IndexFunc(l[:i], c.sameFile); first >= 0 {
			return fmt.Errorf("[%d].path is that of [%d]; two sinks cannot write one file", i, first)
		}
	}
	return nil
}

func (c Config) sameFile(other Config) bool {
	return c.Path != "" && other.Path != "" && filepath.Clean(c.Path) == filepath.Clean(other.Path)
}

// Records is the key records of older configs: one file.
type Records struct {
	File string `yaml:"file"`
}

// Validate checks what can be wrong before the file is opened.
func (r Records) Validate() error { return checkPath("file", r.File) }

// The names of the two sinks that older configs could have. Their cursors are
// kept under these names.
const (
	RecordsName    = "file"    // of the key records
	HookRecordName = "command" // of the key hooks.record
)

// Open opens a sink.
func Open(c Config, log *slog.Logger) (Sink, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("sink: %s: %w", c.Name, err)
	}
	if c.Type == TypeExec {
		return OpenExec(c.Command, log.With("sink", c.Name))
	}
	return OpenFile(c.Path)
}
