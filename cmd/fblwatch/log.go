package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// logger writes to stderr as the config says. To an error that it logs it adds
// what to do about it, as run does at the end of a command.
func (p *program) logger(c settings.LogConfig) *slog.Logger {
	options := slog.HandlerOptions{ReplaceAttr: withUnit}
	if c.Level != "" {
		var level slog.Level
		_ = level.UnmarshalText([]byte(c.Level)) // Validate has read it
		options.Level = level
	}
	if c.Format == "json" || c.Format != "text" && !terminal.IsTerminal(p.stderr) {
		return slog.New(hinting{slog.NewJSONHandler(p.stderr, &options)})
	}
	return slog.New(hinting{slog.NewTextHandler(p.stderr, &options)})
}

// withUnit writes a length of time with its unit, such as "1.5s": in JSON it would
// be a number of nanoseconds.
func withUnit(_ []string, a slog.Attr) slog.Attr {
	if d, ok := a.Value.Any().(time.Duration); ok {
		return slog.String(a.Key, d.String())
	}
	return a
}

// hinting adds a "hint" to a record whose "err" has one.
type hinting struct{ slog.Handler }

func (h hinting) Handle(ctx context.Context, r slog.Record) error {
	hint := ""
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok && a.Key == "err" {
			hint = hintFor(err)
		}
		return hint == ""
	})
	if hint != "" {
		r.AddAttrs(slog.String("hint", hint))
	}
	return h.Handler.Handle(ctx, r)
}

func (h hinting) WithAttrs(attrs []slog.Attr) slog.Handler {
	return hinting{h.Handler.WithAttrs(attrs)}
}
func (h hinting) WithGroup(name string) slog.Handler { return hinting{h.Handler.WithGroup(name)} }
