// Package cli reads the command line of a program that has commands, by package flag.
package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
)

// App is a program. Its options are --help and --version.
type App struct {
	Name, Usage, UsageText, Version string
	Commands                        []*Command
	Action                          func(*Context) error              // if the first argument is no command
	OnUsageError                    func(c *Context, err error) error // rewords an error of the options
	Print                           func(text string)                 // prints a help or the version
}

// Command is a command of a program. It has the option --help, too.
type Command struct {
	Name, Usage, ArgsUsage, Description string
	Flags                               []Flag
	Action                              func(*Context) error
}

// Command returns the command of that name, or nil.
func (a *App) Command(name string) *Command {
	for _, c := range a.Commands {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// RunContext runs the command that args name after the name of the program. The error
// is that of an Action or of OnUsageError.
func (a *App) RunContext(ctx context.Context, args []string) error {
	c, err := a.parse(ctx, &Command{Name: a.Name, Flags: []Flag{version}}, args)
	if err != nil {
		return err
	}
	command := a.Command(c.Args().First())
	switch {
	case c.Bool("help") && (command != nil || !c.Args().Present()):
		a.Print(a.Help(command))
		return nil
	case c.Bool("version"):
		a.Print(fmt.Sprintf("%s version %s\n", a.Name, a.Version))
		return nil
	case command == nil:
		return a.Action(c)
	}
	if c, err = a.parse(ctx, command, c.Args()); err != nil {
		return err
	}
	if c.Bool("help") {
		a.Print(a.Help(command))
		return nil
	}
	return command.Action(c)
}

// parse reads what follows the name in args.
func (a *App) parse(ctx context.Context, command *Command, args []string) (*Context, error) {
	c := &Context{Context: ctx, App: a, Command: command, set: flag.NewFlagSet(command.Name, flag.ContinueOnError)}
	c.set.SetOutput(io.Discard)
	flags := append(slices.Clip(command.Flags), help)
	for _, f := range flags {
		f.define(c.set)
	}
	if err := c.set.Parse(args[min(1, len(args)):]); err != nil {
		return nil, a.OnUsageError(c, err)
	}
	for _, f := range flags {
		var used []string
		for _, name := range f.Names() {
			if c.given(func(f *flag.Flag) bool { return f.Name == name }) {
				used = append(used, prefixed(name))
			}
		}
		if len(used) > 1 {
			return nil, a.OnUsageError(c, fmt.Errorf("%s and %s are the same option", used[0], used[1]))
		}
	}
	return c, nil
}

// Context is a command line.
type Context struct {
	Context context.Context // of RunContext
	App     *App
	Command *Command // has the name of the program if there is none
	set     *flag.FlagSet
}

// given reports whether the command line has an option that is meant.
func (c *Context) given(meant func(*flag.Flag) bool) (given bool) {
	c.set.Visit(func(f *flag.Flag) { given = given || meant(f) })
	return given
}

// IsSet reports whether the command line has the option, under any of its names.
func (c *Context) IsSet(name string) bool {
	f := c.set.Lookup(name)
	return f != nil && c.given(func(other *flag.Flag) bool { return other.Value == f.Value })
}

// String is the value of a StringFlag.
func (c *Context) String(name string) string { return get[string](c, name) }

// Bool is the value of a BoolFlag.
func (c *Context) Bool(name string) bool { return get[bool](c, name) }

// StringSlice has the values of a StringSliceFlag in their order.
func (c *Context) StringSlice(name string) []string { return get[[]string](c, name) }

// Int is the value of an IntFlag.
func (c *Context) Int(name string) int { return get[int](c, name) }

// Uint64 is the value of a Uint64Flag.
func (c *Context) Uint64(name string) uint64 { return get[uint64](c, name) }

// get is the value of an option, or its default. It is zero if the command has no such
// option.
func get[T any](c *Context, name string) (zero T) {
	if f := c.set.Lookup(name); f != nil {
		return f.Value.(*value[T]).v
	}
	return zero
}

// Args are the arguments after the options.
func (c *Context) Args() Args { return c.set.Args() }

// Args are arguments.
type Args []string

// First is the first argument, or "".
func (a Args) First() string {
	if len(a) == 0 {
		return ""
	}
	return a[0]
}

// Present reports whether there are any.
func (a Args) Present() bool { return len(a) > 0 }

// Len is how many there are.
func (a Args) Len() int { return len(a) }

// Slice are the arguments.
func (a Args) Slice() []string { return a }
