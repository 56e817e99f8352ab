package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/profile"
	"github.com/fblwatch/fblwatch/internal/rule"
)

// The types of sinks in a config.
const (
	TypeFile = "file" // appends to a file
	TypeExec = "exec" // feeds a program that keeps running

	TypeSyslog = "syslog" // sends to a syslog server
	TypeHTTP   = "http"   // sends requests that a profile writes
)

// kind is a type of sink.
type kind struct {
	keys     func(c *Config) []any // the structs whose keys it has, beside those of every sink
	validate func(c Config) error
	open     func(c Config, o Options) (Sink, error)

	// probe tries the receiver for check, without a record, and says what it found. c
	// is valid.
	probe func(ctx context.Context, c Config) (said string, err error)
}

// kinds has every type of sink by name.
var kinds = map[string]kind{
	TypeFile: fileKind,
	TypeExec: execKind,
	TypeHTTP: httpKind,

	TypeUnsubscribe: unsubscribeKind,
	TypeSyslog:      syslogKind,
	TypeSMTP:        smtpKind,
}

// FromStart is the value of Config.From that begins with the records that the ledger
// has.
const FromStart = "start"

// StdoutName is the name of the sink that the commands open themselves, for their
// standard output. No other sink can have it.
const StdoutName = "stdout"

// Config is one sink of a config. Each type has its own keys, in a struct of its file.
type Config struct {
	// Name is the key of the sink's cursors in the ledger.
	Name string `yaml:"name"`
	Type string `yaml:"type"`

	When      rule.When `yaml:"when"`      // the records that it gets
	Revisions string    `yaml:"revisions"` // all, or first: only the first of each record; "": all
	From      string    `yaml:"from"`      // where a sink of a new name begins: head, or start, with the records that the ledger has; "": head

	Acting ActConfig  `yaml:",inline"`
	Limit  RateConfig `yaml:",inline"`

	File FileConfig `yaml:",inline"`
	Exec ExecConfig `yaml:",inline"`

	HTTP HTTPConfig `yaml:",inline"`

	Remote  RemoteConfig    `yaml:",inline"`
	Profile profile.Options `yaml:",inline"`

	Unsubscribe UnsubscribeConfig `yaml:",inline"`
	Syslog      SyslogConfig      `yaml:",inline"`
	Digest      DigestConfig      `yaml:",inline"`
	SMTP        SMTPConfig        `yaml:",inline"`
}

// Options are what the config of a sink does not hold.
type Options struct {
	Log    *slog.Logger // nil: none
	Stored Stored       // where it keeps what it is about to send; nil: nowhere
	Acts   Acts         // where it keeps when it did something; nil: nowhere
	Dead   DeadLetters  // the dead letters of all sinks; nil: none

	Watched []string // USER@HOST of the mailboxes that are read
}

// Validate checks what can be wrong before the sink is opened.
func (c Config) Validate() error {
	types := strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")
	kind, known := kinds[c.Type]
	switch {
	case c.Type == "":
		return errors.New("type is missing; write one of " + types)
	case !known:
		return errors.New("type is none of " + types)
	case c.Name == "":
		return errors.New("name is missing; the sink's place in the ledger is kept under its name")
	case strings.ContainsFunc(c.Name, func(r rune) bool { return !isNameRune(r) }):
		return errors.New("name holds other characters than letters, digits, dots, - and _")
	case c.Name == StdoutName:
		return errors.New("name is that of the standard output; choose another one")
	}
	if err := cmp.Or(oneOf("revisions", c.Revisions, "all", "first"), oneOf("from", c.From, "head", FromStart)); err != nil {
		return err
	}
	if key := c.foreignKey(kind); key != "" {
		return fmt.Errorf("%s is no key of the type %s", key, c.Type)
	}
	if c.mustAct() && c.Acting.denies() {
		return errActs
	}
	return kind.validate(c)
}

// oneOf checks the value of a key; "" is its default.
func oneOf(key, value string, words ...string) error {
	if value == "" || slices.Contains(words, value) {
		return nil
	}
	return fmt.Errorf("%s is none of %s", key, strings.Join(words, ", "))
}

// foreignKey returns a key with a value that only other types have.
func (c Config) foreignKey(k kind) string {
	own := make(map[any]bool)
	for _, keys := range k.keys(&c) {
		own[keys] = true
	}
	v := reflect.ValueOf(&c).Elem()
	for i := range v.NumField() {
		group := v.Field(i)
		if v.Type().Field(i).Tag.Get("yaml") != ",inline" || own[group.Addr().Interface()] {
			continue
		}
		for j := range group.NumField() {
			if !group.Field(j).IsZero() {
				return group.Type().Field(j).Tag.Get("yaml")
			}
		}
	}
	return ""
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

// sameFile reports whether both write one file, also through symbolic links, or one
// writes a file that the other makes of its own when it renames that.
func (c Config) sameFile(other Config) bool {
	if c.File.Path == "" || other.File.Path == "" {
		return false
	}
	one, two := unlinked(c.File.Path), unlinked(other.File.Path)
	return one == two || isRenamed(one, two) || isRenamed(two, one)
}

// unlinked is a path without symbolic links, as far as it exists.
func unlinked(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	rest := ""
	for at := path; ; at = filepath.Dir(at) {
		if real, err := filepath.EvalSymlinks(at); err == nil {
			return filepath.Join(real, rest)
		} else if at == filepath.Dir(at) {
			return path
		}
		rest = filepath.Join(filepath.Base(at), rest)
	}
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
func Open(c Config, o Options) (Sink, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("sink: %s: %w", c.Name, err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Log = o.Log.With("sink", c.Name)
	return kinds[c.Type].open(c, o)
}

// Probe tries whether the sink's receiver is there and would take records, without
// sending one. It returns what it found, for people.
func Probe(ctx context.Context, c Config) (said string, err error) {
	if err := c.Validate(); err != nil {
		return "", err
	}
	return kinds[c.Type].probe(ctx, c)
}
