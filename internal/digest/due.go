package digest

import (
	"errors"
	"time"
)

// Every says when digests are due: a span apart, at a time of the day.
type Every struct {
	Span time.Duration // above zero
	At   Clock
}

// monday is where spans begin, so that a week's digest is due on Mondays.
var monday = time.Date(1970, time.January, 5, 0, 0, 0, 0, time.UTC)

// Due returns when a digest is due, if the last one was sent then; zero: none was, and
// the first one is due at once.
func (e Every) Due(sent, now time.Time) time.Time {
	start := monday.Add(time.Duration(e.At))
	last := now.Add(-(now.Sub(start) % e.Span))
	if sent.Before(last) {
		return last
	}
	return last.Add(e.Span)
}

// Clock is a time of the day, UTC.
type Clock time.Duration

// UnmarshalText reads a Clock such as 07:30.
func (c *Clock) UnmarshalText(text []byte) error {
	t, err := time.Parse("15:04", string(text))
	if err != nil {
		return errors.New("is no time of the day such as 07:30")
	}
	*c = Clock(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute)
	return nil
}
