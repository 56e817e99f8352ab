package cli

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
)

// Flag is an option of a command.
type Flag interface {
	Names() []string  // without dashes, the main one first
	GetUsage() string // a name in backquotes stands for the value
	define(*flag.FlagSet)
	names() string // as the help has them
	text() string  // the help's words about it
}

// The options, by the type of their value. A number is in decimal. A StringSliceFlag may
// be given several times.
type (
	StringFlag      = option[string]
	BoolFlag        = option[bool]
	IntFlag         = option[int]
	Uint64Flag      = option[uint64]
	StringSliceFlag = option[[]string]
)

type option[T any] struct {
	Name    string
	Aliases []string
	Usage   string
	Value   T    // without the option
	plain   bool // the help does not tell the default
}

var (
	help    = &BoolFlag{Name: "help", Aliases: []string{"h"}, Usage: "show help", plain: true}
	version = &BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version", plain: true}
)

func (o *option[T]) Names() []string  { return append([]string{o.Name}, o.Aliases...) }
func (o *option[T]) GetUsage() string { return o.Usage }

func (o *option[T]) define(set *flag.FlagSet) {
	v := &value[T]{o.Value}
	for _, name := range o.Names() {
		set.Var(v, name, o.Usage)
	}
}

func (o *option[T]) names() string {
	_, placeholder, _ := strings.Cut(o.Usage, "`")
	placeholder, _, quoted := strings.Cut(placeholder, "`")
	var list []string
	for _, name := range o.Names() {
		name = prefixed(name)
		if _, switches := any(o.Value).(bool); quoted {
			name += " " + placeholder
		} else if !switches {
			name += " value"
		}
		list = append(list, name)
	}
	all := strings.Join(list, ", ")
	if _, several := any(o.Value).([]string); several {
		all += " [ " + all + " ]"
	}
	return all
}

func (o *option[T]) text() string {
	text := strings.ReplaceAll(o.Usage, "`", "")
	switch v := any(o.Value).(type) {
	case string:
		if v != "" {
			text += fmt.Sprintf(" (default: %q)", v)
		}
	case bool, int, uint64:
		if !o.plain {
			text += fmt.Sprintf(" (default: %v)", v)
		}
	}
	return text
}

// prefixed is the name with its dashes.
func prefixed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

var (
	errNoBool      = errors.New("parse error")
	errNoNumber    = errors.New("not a whole number in decimal")
	errLargeNumber = errors.New("out of range")
)

// value is what the command line has for an option.
type value[T any] struct{ v T }

func (v *value[T]) Set(text string) (err error) {
	switch p := any(&v.v).(type) {
	case *string:
		*p = text
	case *[]string:
		*p = append(*p, text)
	case *bool:
		if *p, err = strconv.ParseBool(text); err != nil {
			return errNoBool
		}
	case *int:
		*p, err = strconv.Atoi(text)
	case *uint64:
		*p, err = strconv.ParseUint(text, 10, 64)
	}
	switch {
	case errors.Is(err, strconv.ErrRange):
		return errLargeNumber
	case err != nil:
		return errNoNumber
	}
	return nil
}

func (v *value[T]) String() string { return fmt.Sprint(v.v) }

// IsBoolFlag lets package flag take the option without a value.
func (v *value[T]) IsBoolFlag() bool {
	_, is := any(v.v).(bool)
	return is
}
