// Command fblwatch turns a mailbox of feedback-loop reports (ARF, RFC 5965)
// into one record per complaint.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/settings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the next one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr, os.LookupEnv))
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) (string, bool)) int {
	return (&program{stdin: stdin, stdout: stdout, stderr: stderr, env: env}).run(ctx, args)
}

func (p *program) run(ctx context.Context, args []string) int {
	stop, err := p.profile()
	if err != nil {
		p.printError(err)
		return exitUsage
	}
	defer stop()
	app := p.app()
	err = app.RunContext(ctx, reorder(app, args))
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
		p.digestCommand(),
		p.reprocessCommand(),
		p.replayCommand(),
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
