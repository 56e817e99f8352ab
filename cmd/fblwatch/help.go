package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

func (p *program) helpCommand() *cli.Command {
	return &cli.Command{
		Name:        "help",
		Usage:       "show the commands, or the options of one",
		ArgsUsage:   "[COMMAND]",
		Description: "Example: fblwatch help sweep",
		Action: func(c *cli.Context) error {
			switch c.Args().Len() {
			case 0:
				return cli.ShowAppHelp(c)
			case 1:
			default:
				return wrong(errors.New("help takes one command"), "fblwatch help COMMAND")
			}
			name := c.Args().First()
			if c.App.Command(name) == nil {
				return unknownCommand(c.App, name, "fblwatch help ")
			}
			return cli.ShowCommandHelp(c, name)
		},
	}
}

func (p *program) versionCommand() *cli.Command {
	return &cli.Command{
		Name:        "version",
		Usage:       "show the version, and what it was built from",
		Description: "Example: fblwatch version",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return wrong(fmt.Errorf("version takes no argument such as %q", c.Args().First()), "")
			}
			_, err := fmt.Fprintf(p.stdout, "fblwatch %s\ncommit %s\n%s %s/%s\n", version(), commit(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// version is the module's version; (devel) outside of a release.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// commit is what the program was built from, as far as the build knows.
func commit() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return "unknown"
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	text := settings["vcs.revision"]
	if text == "" {
		return "unknown: not built in a git repository"
	}
	if at := settings["vcs.time"]; at != "" {
		text += " of " + at
	}
	if settings["vcs.modified"] == "true" {
		text += ", with changes"
	}
	return text
}
