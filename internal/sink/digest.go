package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/digest"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// DigestConfig are the keys of every type that can send digests. They need mode: digest.
type DigestConfig struct {
	Mode  string        `yaml:"mode"`  // digest, or another one of the type
	Every time.Duration `yaml:"every"` // 0: a day
	At    digest.Clock  `yaml:"at"`    // UTC
	Lines int           `yaml:"lines"` // of each list; 0: 20
	Empty bool          `yaml:"empty"` // also if nothing happened
}

// ModeDigest is the mode of a sink that sends sums.
const ModeDigest = "digest"

const mostLines = 1000

var errEvery = errors.New("every is not between 1 minute and 31 days")

func (c DigestConfig) validate() error {
	switch {
	case c.Mode != ModeDigest && (c.Every != 0 || c.At != 0 || c.Lines != 0 || c.Empty):
		return errors.New("every, at, lines and empty need mode: digest")
	case c.Every != 0 && (c.Every < time.Minute || c.Every > 31*24*time.Hour):
		return errEvery
	case c.Lines < 0 || c.Lines > mostLines:
		return fmt.Errorf("lines is not between 1 and %d", mostLines)
	}
	return nil
}

func (c DigestConfig) every() digest.Every {
	return digest.Every{Span: cmp.Or(c.Every, 24*time.Hour), At: c.At}
}

// DeadLetters is where a digest finds what was given up. What it does,
// ledger.DeliveryReader says.
type DeadLetters interface {
	DeadLetters(ctx context.Context, sink string) iter.Seq2[ledger.DeadLetter, error]
}

// gathered is what the sinks that send digests have in common. They add Send.
type gathered struct {
	config DigestConfig
	dead   DeadLetters // nil: dead letters are not told
	sum    digest.Digest
	since  time.Time
}

// Due is that of a Gatherer.
func (g *gathered) Due(sent, now time.Time) time.Time {
	g.sum, g.since = digest.Digest{Lines: g.config.Lines}, sent
	return g.config.every().Due(sent, now)
}

// Write adds items to the sum.
func (g *gathered) Write(_ context.Context, items []delivery.Item) (done int, err error) {
	for i := range items {
		g.sum.Add(&items[i])
	}
	return len(items), nil
}

// finish completes the sum. worth: it is to be sent.
func (g *gathered) finish(ctx context.Context) (worth bool, err error) {
	if err := addDead(ctx, &g.sum, g.dead, g.since); err != nil {
		return false, err
	}
	return g.config.Empty || !g.sum.Empty(), nil
}

// addDead adds the dead letters of every sink since a time.
func addDead(ctx context.Context, sum *digest.Digest, reader DeadLetters, since time.Time) error {
	if reader == nil {
		return nil
	}
	for dead, err := range reader.DeadLetters(ctx, "") {
		if err != nil {
			return err
		}
		if !dead.At.Before(since) {
			sum.AddDead(dead)
		}
	}
	return nil
}

// NextDigest returns the sum that a sink of mode digest would send now, and when it
// will.
func NextDigest(ctx context.Context, c Config, reader DigestReader, now time.Time) (sum *digest.Digest, due time.Time, err error) {
	sent, err := reader.Acted(ctx, c.Name, sentKey)
	if err != nil {
		return nil, time.Time{}, err
	}
	sum = &digest.Digest{Lines: c.Digest.Lines}
	for row, err := range reader.Unsent(ctx, c.Name) {
		if err != nil {
			return nil, time.Time{}, err
		}
		item := &delivery.Item{Row: row}
		if leaves, err := c.leaves(item); err != nil {
			return nil, time.Time{}, err
		} else if !leaves {
			sum.Add(item)
		}
	}
	if err == nil {
		err = addDead(ctx, sum, reader, sent)
	}
	return sum, c.Digest.every().Due(sent, now), err
}

// DigestReader is what NextDigest needs of a ledger.
type DigestReader interface {
	ledger.Reader
	ledger.ActReader
}
