#!/usr/bin/env bash
# github.com/urfave/cli/v2 v2.27.7, two of its ways:
# 1. IntFlag.Base counts for values of environment variables only. On the
#    command line "-n 010" is octal whatever Base says, and "-n 0x10" is taken.
# 2. An app with a command of its own that is named "help" loses the flag
#    --help of the app, it is an error then. cli.HelpFlag must be added by hand.
# Output:
#   -n 010 with Base 10: 8
#   N=010 with Base 10: 10
#   --help beside a command named help: flag: help requested
# Needs Go. Exits 1 where this is so no more.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat >go.mod <<'MOD'
module finding

go 1.25
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"
)

// number runs an app whose only flag is -n, also read from N.
func number(args ...string) (n int) {
	app := &cli.App{
		Flags:  []cli.Flag{&cli.IntFlag{Name: "n", EnvVars: []string{"N"}, Base: 10}},
		Action: func(c *cli.Context) error { n = c.Int("n"); return nil },
	}
	if err := app.Run(append([]string{"app"}, args...)); err != nil {
		fmt.Println(err)
	}
	return n
}

func main() {
	line := number("-n", "010")
	os.Setenv("N", "010")
	environment := number()
	fmt.Println("-n 010 with Base 10:", line)
	fmt.Println("N=010 with Base 10:", environment)

	app := &cli.App{
		Writer: io.Discard, ErrWriter: io.Discard,
		Commands: []*cli.Command{{Name: "help", Action: func(*cli.Context) error { return nil }}},
	}
	err := app.Run([]string{"app", "--help"})
	fmt.Println("--help beside a command named help:", err)
	if line != 8 || environment != 10 || err == nil {
		fmt.Println("it is so no more")
		os.Exit(1)
	}
}
GO
go get github.com/urfave/cli/v2@v2.27.7 2>/dev/null
go run .
