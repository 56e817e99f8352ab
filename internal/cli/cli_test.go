package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// line is a program that tells in one line what it was called with.
func line(t *testing.T, args ...string) string {
	t.Helper()
	told := ""
	tell := func(c *Context) error {
		told = fmt.Sprintf("%s %s %q text=%q switch=%t number=%d large=%d list=%q text-set=%t", c.App.Name, c.Command.Name, c.Args(),
			c.String("text"), c.Bool("switch"), c.Int("number"), c.Uint64("large"), c.StringSlice("list"), c.IsSet("text"))
		return c.Context.Err()
	}
	app := App{
		Name: "app", Usage: "does it", UsageText: "app COMMAND\n\nExample: app do", Version: "v1", Action: tell,
		Commands: []*Command{
			{Name: "do", Usage: "do it", ArgsUsage: "[FILE]", Description: "It is done.\n\nExample: app do", Action: tell, Flags: []Flag{
				&StringFlag{Name: "text", Aliases: []string{"t", "words"}, Usage: "the `WORDS` of it", Value: "none"},
				&BoolFlag{Name: "switch", Usage: "on"},
				&IntFlag{Name: "number", Aliases: []string{"n"}, Usage: "many", Value: 1},
				&Uint64Flag{Name: "large", Usage: "a `N`"},
				&StringSliceFlag{Name: "list", Aliases: []string{"l"}, Usage: "one `ITEM`"},
				&StringFlag{Name: "empty", Usage: "no default"},
			}},
			{Name: "rest", Usage: "nothing else", Description: "Example: app rest", Action: tell},
		},
		OnUsageError: func(c *Context, err error) error { return fmt.Errorf("%s: usage: %w", c.Command.Name, err) },
		Print:        func(text string) { told += text },
	}
	if err := app.RunContext(t.Context(), append([]string{"app"}, args...)); err != nil {
		return "error: " + err.Error()
	}
	return told
}

func TestLine(t *testing.T) {
	const defaults = `text="none" switch=false number=1 large=0 list=[] text-set=false`
	const nothing = `text="" switch=false number=0 large=0 list=[] text-set=false`
	for _, test := range []struct{ args, want string }{
		{"", "app app [] " + nothing},
		{"else do", `app app ["else" "do"] ` + nothing},
		{"do", "app do [] " + defaults},
		{"-- do", "app do [] " + defaults},
		{"do a --switch", `app do ["a" "--switch"] ` + defaults},
		{"do -- --switch", `app do ["--switch"] ` + defaults},
		{"do --text=a -switch -n 010 --large 18446744073709551615 x", `app do ["x"] text="a" switch=true number=10 large=18446744073709551615 list=[] text-set=true`},
		{"do -t a", `app do [] text="a" switch=false number=1 large=0 list=[] text-set=true`},
		{"do --words a --switch=false", `app do [] text="a" switch=false number=1 large=0 list=[] text-set=true`},
		{"do -l a,b -l c", `app do [] text="none" switch=false number=1 large=0 list=["a,b" "c"] text-set=false`},
		{"rest -- a", `app rest ["a"] ` + nothing},
		{"--version", "app version v1\n"},
		{"-v do", "app version v1\n"},

		{"--frob", "error: app: usage: flag provided but not defined: -frob"},
		{"do --frob", "error: do: usage: flag provided but not defined: -frob"},
		{"rest --switch", "error: rest: usage: flag provided but not defined: -switch"},
		{"do --text", "error: do: usage: flag needs an argument: -text"},
		{"do -n 0x10", `error: do: usage: invalid value "0x10" for flag -n: not a whole number in decimal`},
		{"do -n 1.5", `error: do: usage: invalid value "1.5" for flag -n: not a whole number in decimal`},
		{"do -n 9223372036854775808", `error: do: usage: invalid value "9223372036854775808" for flag -n: out of range`},
		{"do --large -1", `error: do: usage: invalid value "-1" for flag -large: not a whole number in decimal`},
		{"do --switch=maybe", `error: do: usage: invalid boolean value "maybe" for -switch: parse error`},
		{"do -t a --text b", "error: do: usage: --text and -t are the same option"},
		{"do -t a -t b", `app do [] text="b" switch=false number=1 large=0 list=[] text-set=true`},
	} {
		if got := line(t, strings.Fields(test.args)...); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.args, got, test.want)
		}
	}
}

func TestHelp(t *testing.T) {
	const app = `NAME:
   app - does it

USAGE:
   app COMMAND

   Example: app do

VERSION:
   v1

COMMANDS:
   do    do it
   rest  nothing else

GLOBAL OPTIONS:
   --help, -h     show help
   --version, -v  print the version
`
	const do = `NAME:
   app do - do it

USAGE:
   app do [command options] [FILE]

DESCRIPTION:
   It is done.

   Example: app do

OPTIONS:
   --text WORDS, -t WORDS, --words WORDS    the WORDS of it (default: "none")
   --switch                                 on (default: false)
   --number value, -n value                 many (default: 1)
   --large N                                a N (default: 0)
   --list ITEM, -l ITEM [ --list ITEM, -l ITEM ]  one ITEM
   --empty value                            no default
   --help, -h                               show help
`
	const rest = `NAME:
   app rest - nothing else

USAGE:
   app rest [command options]

DESCRIPTION:
   Example: app rest

OPTIONS:
   --help, -h  show help
`
	for args, want := range map[string]string{
		"--help": app, "-h": app, "--help --version": app,
		"do --help": do, "do -h": do, "do -n 5 -h x": do, "--help do": do,
		"rest --help": rest,
		"--help frob": `app app ["frob"] text="" switch=false number=0 large=0 list=[] text-set=false`,
	} {
		if got := line(t, strings.Fields(args)...); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
			t.Errorf("%s\n got %s\nwant %s", args, got, want)
		}
	}
	// The words of all options begin in one column.
	begin := 0
	_, list, _ := strings.Cut(line(t, "do", "--help"), "OPTIONS:\n")
	for row := range strings.Lines(list) {
		at := strings.LastIndex(strings.TrimRight(row, "\n"), "  ") + 2
		if begin == 0 {
			begin = at
		}
		if at != begin || strings.HasSuffix(row, " \n") {
			t.Errorf("column %d, not %d: %q", at, begin, row)
		}
	}
}

func TestActionError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	app := App{Name: "app", Action: func(c *Context) error { return c.Context.Err() }}
	if err := app.RunContext(ctx, []string{"app"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the context's error", err)
	}
}
