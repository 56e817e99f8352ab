package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/fblwatch/fblwatch/internal/terminal"
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
		Usage:       "show the version and the commit that it was built from",
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

func init() { cli.HelpPrinter = printHelp }

// printHelp breaks lines at blanks, where a terminal would divide words.
func printHelp(w io.Writer, template string, data any) {
	var text bytes.Buffer
	cli.HelpPrinterCustom(&text, template, data, nil)
	fmt.Fprint(w, helpText(text.String(), terminal.Width(w)))
}

// helpText breaks each line that is longer than width. What goes on begins under
// the column in which it began. The lines of a description are filled anew.
func helpText(text string, width int) string {
	if width <= 0 {
		return text
	}
	if head, rest, found := strings.Cut(text, "\nDESCRIPTION:\n"); found {
		paragraphs := strings.Split(rest, "\n\n")
		if prose := strings.TrimSpace(paragraphs[0]); !strings.HasPrefix(prose, "Example: ") {
			paragraphs[0] = "   " + strings.Join(strings.Fields(prose), " ")
		}
		text = head + "\nDESCRIPTION:\n" + strings.Join(paragraphs, "\n\n")
	}
	var out strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \n")
		begin := strings.LastIndex(line, "  ") + len("  ")
		if at := len(line) - len(strings.TrimLeft(line, " ")); begin <= at+len(" ") || begin > width*2/3 {
			begin = at
		}
		out.WriteString(terminal.Wrap(line[:begin], line[begin:], begin, width))
	}
	return out.String()
}

// version is the module's version; (devel) outside of a release.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// commit is the commit that the program was built from, if the build knows it.
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
