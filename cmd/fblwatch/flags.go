package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// numberFlag is an option that takes a whole number in decimal: the options of the
// library read 010 as 8. Context.Int and Context.Uint64 give its value.
func numberFlag(name, usage string, value int, aliases ...string) cli.Flag {
	return &cli.GenericFlag{Name: name, Aliases: aliases, Usage: usage, Value: &decimal{text: strconv.Itoa(value)}}
}

// decimal is the value of a numberFlag.
type decimal struct {
	text  string // canonical
	large bool   // up to 64 bits without a sign
}

var (
	errNoNumber    = errors.New("not a whole number in decimal")
	errLargeNumber = errors.New("out of range")
)

func (n *decimal) Set(text string) error {
	var err error
	if n.large {
		var v uint64
		v, err = strconv.ParseUint(text, 10, 64)
		n.text = strconv.FormatUint(v, 10)
	} else {
		var v int64
		v, err = strconv.ParseInt(text, 10, 0)
		n.text = strconv.FormatInt(v, 10)
	}
	switch {
	case errors.Is(err, strconv.ErrRange):
		return errLargeNumber
	case err != nil:
		return errNoNumber
	}
	return nil
}

func (n *decimal) String() string { return n.text }

// timeFlag is the moment that an option names; zero if it is not set.
func timeFlag(c *cli.Context, name string) (time.Time, error) {
	text := c.String(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := parseTime(text, time.Now())
	if err != nil {
		return t, wrong(fmt.Errorf("--%s: %w", name, err), "")
	}
	return t, nil
}

// format checks a --format; without one it is json, or table on a terminal.
func (p *program) format(name, other string) (string, error) {
	switch name {
	case "":
		if terminal.IsTerminal(p.stdout) {
			return "table", nil
		}
		return "json", nil
	case "json", "table", other:
		return name, nil
	}
	return "", wrong(fmt.Errorf("unknown format %q", name), "formats are json, "+other+", table")
}

// parseTime reads a moment: a settings.Span before now, a date, or RFC 3339. A date
// without a zone is UTC.
func parseTime(text string, now time.Time) (time.Time, error) {
	var ago settings.Span
	if ago.UnmarshalText([]byte(text)) == nil {
		return now.Add(-time.Duration(ago)), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither a length of time (24h, 7d) nor a date (2026-01-31, 2026-01-31T15:04:05Z)", text)
}
