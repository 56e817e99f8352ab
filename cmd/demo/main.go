// Command demo is fblwatch demo alone. It needs no ledger on a disk, so that the first
// command of the README need not compile SQLite.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/fblwatch/fblwatch/internal/demo"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the next one ends the process at once.
	context.AfterFunc(ctx, stop)
	err := demo.Run(ctx, os.Stdout, demo.Options{
		Colours: terminal.ColoursOf(os.Stdout, os.LookupEnv),
		Log:     slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		fmt.Fprintf(os.Stderr, "fblwatch: error: %s\n", terminal.Printable(err.Error()))
		os.Exit(1)
	}
}
