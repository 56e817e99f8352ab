package cli

import (
	"slices"
	"strings"
)

// Help is the text on a command; nil: on the program.
func (a *App) Help(c *Command) string {
	if c != nil {
		return c.help(a)
	}
	var rows [][2]string
	for _, c := range a.Commands {
		rows = append(rows, [2]string{c.Name, c.Usage})
	}
	return "NAME:\n   " + a.Name + " - " + a.Usage +
		"\n\nUSAGE:\n   " + indented(a.UsageText) +
		"\n\nVERSION:\n   " + a.Version +
		"\n\nCOMMANDS:\n" + table(rows) +
		"\nGLOBAL OPTIONS:\n" + options([]Flag{help, version})
}

func (c *Command) help(a *App) string {
	text := "NAME:\n   " + a.Name + " " + c.Name + " - " + c.Usage +
		"\n\nUSAGE:\n   " + a.Name + " " + c.Name + " [command options]"
	if c.ArgsUsage != "" {
		text += " " + c.ArgsUsage
	}
	return text + "\n\nDESCRIPTION:\n   " + indented(c.Description) +
		"\n\nOPTIONS:\n" + options(append(slices.Clip(c.Flags), help))
}

// indented has three blanks before each line but the first.
func indented(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\n", "\n   "), "\n   \n", "\n\n")
}

func options(flags []Flag) string {
	var rows [][2]string
	for _, f := range flags {
		rows = append(rows, [2]string{f.names(), f.text()})
	}
	return table(rows)
}

// table has two columns.
func table(rows [][2]string) string {
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0]))
	}
	var text strings.Builder
	for _, row := range rows {
		text.WriteString("   " + row[0] + strings.Repeat(" ", width-len(row[0])+2) + row[1] + "\n")
	}
	return text.String()
}
