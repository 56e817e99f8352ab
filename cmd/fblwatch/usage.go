package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/nearest"
)

// unknownCommand suggests the nearest command, after the text before.
func unknownCommand(app *cli.App, name, before string) error {
	hint := "fblwatch --help lists the commands"
	if near := nearest.Word(name, commandNames(app)); near != "" {
		hint = "did you mean " + before + near + "?"
	}
	return wrong(fmt.Errorf("unknown command %q", name), hint)
}

func commandNames(app *cli.App) []string {
	var names []string
	for _, c := range app.Commands {
		names = append(names, c.Names()...)
	}
	return names
}

// usageError rewords an error of the flag package.
func usageError(c *cli.Context, err error, _ bool) error {
	hint := strings.TrimSpace("fblwatch "+c.Command.Name) + " --help lists the options"
	if c.Command.Name == c.App.Name {
		hint = "fblwatch --help lists the commands"
	}
	if name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: "); unknown {
		name = strings.TrimLeft(name, "-")
		err = fmt.Errorf("unknown option --%s", name)
		if near := nearest.Word(name, flagNames(c.Command.Flags)); near != "" {
			hint = "did you mean --" + near + "?"
		}
	}
	if name, missing := strings.CutPrefix(err.Error(), "flag needs an argument: -"); missing {
		err = fmt.Errorf("--%s needs a value", strings.TrimLeft(name, "-"))
	}
	return wrong(err, hint)
}

func flagNames(flags []cli.Flag) []string {
	var names []string
	for _, f := range flags {
		names = append(names, f.Names()...)
	}
	return names
}

// reorder puts a command's options before its other arguments, so that both may be
// mixed: the flag package stops at the first argument that is no option.
func reorder(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	command := app.Command(args[1])
	if command == nil {
		return args
	}
	takesValue := func(arg string) bool {
		name := strings.TrimLeft(arg, "-")
		for _, f := range command.Flags {
			if _, isBool := f.(*cli.BoolFlag); !isBool && slices.Contains(f.Names(), name) {
				return true
			}
		}
		return false
	}
	options, others := args[:2:2], []string{}
	for rest := args[2:]; len(rest) > 0; rest = rest[1:] {
		switch arg := rest[0]; {
		case arg == "--":
			others = append(others, rest[1:]...)
			rest = rest[:1]
		case len(arg) < 2 || arg[0] != '-':
			others = append(others, arg)
		default:
			options = append(options, arg)
			if takesValue(arg) {
				if len(rest) == 1 {
					return options // without its value, for the flag package to refuse
				}
				options = append(options, rest[1])
				rest = rest[1:]
			}
		}
	}
	return append(append(options, "--"), others...)
}
