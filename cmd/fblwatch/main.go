// Command fblwatch turns a mailbox of feedback-loop reports (ARF, RFC 5965)
// into one record per complaint.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/trust"

	"github.com/fblwatch/fblwatch/internal/nearest"
)

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or config
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the next one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
}

// program is what a command sees of the process around it.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(name string) (value string, set bool)
	resolver       trust.Resolver // of signatures' keys; nil: the system's
	configFile     string         // that was read with -c; empty: none
}

// colours reports whether a stream of the program takes colours.
func (p *program) colours(stream any) terminal.Colours { return terminal.ColoursOf(stream, p.env) }

// progress is a line on stderr; nil if records are printed on the same terminal.
func (p *program) progress(printing bool) *terminal.Progress {
	if printing && terminal.IsTerminal(p.stdout) {
		return nil
	}
	return terminal.NewProgress(p.stderr, p.env)
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) (string, bool)) int {
	return (&program{stdin: stdin, stdout: stdout, stderr: stderr, env: env}).run(ctx, args)
}

func (p *program) run(ctx context.Context, args []string) int {
	app := p.app()
	err := app.RunContext(ctx, reorder(app, args))
	if err == nil {
		return exitDone
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	code := exitFailed
	if advised := (*advice)(nil); errors.As(err, &advised) {
		code = advised.code
	} else if errors.As(err, new(*settings.Error)) {
		code = exitUsage
	}
	p.printError(err)
	return code
}

func (p *program) printError(err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") { // errors.Join makes lines
		fmt.Fprintf(p.stderr, "fblwatch: %s %s\n", p.colours(p.stderr).Failure("error:"), terminal.Printable(line))
	}
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(p.stderr, "fblwatch: hint: %s\n", hint)
	}
}

func (p *program) app() *cli.App {
	commands := []*cli.Command{
		p.demoCommand(),
		p.watchCommand(),
		p.sweepCommand(),
		p.parseCommand(),
		p.checkCommand(),
		p.foldersCommand(),
		p.loginCommand(),
		p.recordsCommand(),
		p.suppressCommand(),
		p.reviewCommand(),
		p.reprocessCommand(),
		p.generateCommand(),
		p.explainCommand(),
		p.helpCommand(),
		p.versionCommand(),
	}
	for _, c := range commands {
		c.HideHelpCommand = true // "help" may be the name of a file
		c.OnUsageError = usageError
	}
	return &cli.App{
		Name:            "fblwatch",
		HelpName:        "fblwatch",
		Usage:           "every feedback-loop report becomes a record of who complained about what",
		UsageText:       "fblwatch COMMAND [OPTIONS]\n\nExample: fblwatch demo",
		Version:         version(),
		Commands:        commands,
		HideHelpCommand: true,
		Flags:           []cli.Flag{cli.HelpFlag}, // left out where a command has that name
		// A comma may be part of a file's name.
		DisableSliceFlagSeparator: true,

		Reader:         p.stdin,
		Writer:         p.stdout,
		ErrWriter:      p.stderr,
		OnUsageError:   usageError,
		ExitErrHandler: func(*cli.Context, error) {}, // run prints and decides
		Action: func(c *cli.Context) error {
			if !c.Args().Present() {
				return cli.ShowAppHelp(c)
			}
			return unknownCommand(c.App, c.Args().First(), "fblwatch ")
		},
	}
}

// unknownCommand suggests a command that is near; before stands before it.
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

// usageError words what the flag package says of a wrong flag.
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

// reorder puts a command's options before its other arguments, which may then
// stand in any order: the flag package stops at the first that is no option.
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
