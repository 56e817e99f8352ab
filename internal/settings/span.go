package settings

import (
	"errors"
	"regexp"
	"strconv"
	"time"
)

// Span is a length of time as people write it: 36h, 30d, 2w, 1d12h. A day has
// 24 hours.
type Span time.Duration

var (
	errNoSpan   = errors.New("not a length of time such as 36h or 30d")
	errLongSpan = errors.New("longer than a hundred years")
)

const longest = 100 * 365 * 24 * time.Hour

var spanForm = regexp.MustCompile(`^(?:(\d{1,4})w)?(?:(\d{1,5})d)?(.*)$`)

// UnmarshalText reads a Span of 0 to 100 years.
func (s *Span) UnmarshalText(text []byte) error {
	parts := spanForm.FindStringSubmatch(string(text))
	if parts == nil || len(text) == 0 {
		return errNoSpan
	}
	var total time.Duration
	for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour} {
		if parts[i+1] != "" {
			n, _ := strconv.Atoi(parts[i+1]) // few digits: neither this nor the product overflows
			total += time.Duration(n) * unit
			if total < 0 || total > longest {
				return errLongSpan
			}
		}
	}
	if parts[3] != "" {
		rest, err := time.ParseDuration(parts[3])
		if err != nil || rest < 0 {
			return errNoSpan
		}
		total += rest
	}
	if total < 0 || total > longest {
		return errLongSpan
	}
	*s = Span(total)
	return nil
}

// Keep is how long the heads of messages are kept; 0: for ever. In a config it is
// none, forever or a Span.
type Keep Span

// KeepNone: no head is stored.
const KeepNone Keep = -1

// Retention is how long records are kept; 0: for ever. In a config it is
// forever or a Span.
type Retention Span

var (
	errKeep      = errors.New("must be none, forever or a length of time such as 30d")
	errRetention = errors.New("must be forever or a length of time such as 400d")
)

// UnmarshalText reads a Keep. 0 is an error: it might mean both words.
func (k *Keep) UnmarshalText(text []byte) error {
	switch string(text) {
	case "none":
		*k = KeepNone
		return nil
	case "forever":
		*k = 0
		return nil
	}
	return lasting((*Span)(k), text, errKeep)
}

// UnmarshalText reads a Retention. 0 is an error: no record would be kept.
func (r *Retention) UnmarshalText(text []byte) error {
	if string(text) == "forever" {
		*r = 0
		return nil
	}
	return lasting((*Span)(r), text, errRetention)
}

// lasting reads a Span above 0; wrong is the error for other text.
func lasting(s *Span, text []byte, wrong error) error {
	var span Span
	if err := span.UnmarshalText(text); errors.Is(err, errLongSpan) {
		return err
	} else if err != nil || span == 0 {
		return wrong
	}
	*s = span
	return nil
}
