package main

import (
	"log/slog"
)

// logger writes to stderr as the config says.
func (p *program) logger(c LogConfig) *slog.Logger {
	var options slog.HandlerOptions
	if c.Level != "" {
		var level slog.Level
		_ = level.UnmarshalText([]byte(c.Level)) // Validate has read it
		options.Level = level
	}
	if c.Format == "json" || c.Format != "text" && !isTerminal(p.stderr) {
		return slog.New(slog.NewJSONHandler(p.stderr, &options))
	}
	return slog.New(slog.NewTextHandler(p.stderr, &options))
}
