package suppress

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

const (
	feedSpan  = 30 * 24 * time.Hour // how far back a feed's complaints are counted
	feedPast  = 90 * 24 * time.Hour // how far back its gaps are
	mostFeeds = 20                  // feeds that are reported: silent ones, then those with the most complaints

	fewestGaps  = 3 // before a feed has a usual gap
	silenceGaps = 3 // usual gaps without a complaint are silence
)

// Feed is the complaints of one feed of a provider in the last 30 days.
type Feed struct {
	Name       string // provider and feed
	Complaints int
	Identified int           // complaints that name a subscriber
	Last       time.Time     // the hour of the last complaint
	UsualGap   time.Duration // 0: not known

	gaps []time.Duration // the longest before the complaints of each day
}

// Silent reports whether the feed has had no complaint for more than three of its
// usual gaps, by its hours.
func (f Feed) Silent(now time.Time) bool {
	return f.UsualGap > 0 && now.Sub(f.Last.Add(time.Hour)) > silenceGaps*f.UsualGap
}

// came notes that the feed had complaints in an hour; hours come in their order.
func (f *Feed) came(hour time.Time) {
	gap := hour.Sub(f.Last)
	switch {
	case f.Last.IsZero(), gap == 0:
	case len(f.gaps) > 0 && hour.Truncate(24*time.Hour).Equal(f.Last.Truncate(24*time.Hour)):
		f.gaps[len(f.gaps)-1] = max(gap, f.gaps[len(f.gaps)-1])
	default:
		f.gaps = append(f.gaps, gap)
	}
	f.Last = hour
}

// usualGap is a gap that five of six days do not exceed: quiet nights and
// weekends are no silence, nor is one long gap of many.
func (f *Feed) usualGap() time.Duration {
	if len(f.gaps) < fewestGaps {
		return 0
	}
	slices.Sort(f.gaps)
	return f.gaps[len(f.gaps)*5/6]
}

// Counter is the part of a ledger that holds the counts.
type Counter interface {
	Counts(ctx context.Context, since, until time.Time) ([]ledger.Count, error)
}

// Feeds lists by the ledger's counts the feeds that complained in the last 30 days or
// are silent: at most 20, the silent ones first, then those with the most complaints.
func Feeds(ctx context.Context, l Counter, now time.Time) ([]Feed, error) {
	counts, err := l.Counts(ctx, now.Add(-feedPast), time.Time{})
	if err != nil {
		return nil, err
	}
	feeds := make(map[string]*Feed)
	for _, c := range counts { // by hour
		if c.Identity == "" {
			continue
		}
		name := c.Provider + " " + c.Feed
		if feeds[name] == nil {
			feeds[name] = &Feed{Name: name}
		}
		if feeds[name].came(c.Hour); !c.Hour.Before(now.Add(-feedSpan)) {
			feeds[name].Complaints += int(c.N)
			if c.Identity == string(report.Identified) {
				feeds[name].Identified += int(c.N)
			}
		}
	}
	list := make([]Feed, 0, len(feeds))
	for _, name := range slices.Sorted(maps.Keys(feeds)) {
		f := feeds[name]
		if f.UsualGap = f.usualGap(); f.Complaints > 0 || f.Silent(now) {
			list = append(list, *f)
		}
	}
	slices.SortStableFunc(list, func(a, b Feed) int {
		if quiet := a.Silent(now); quiet != b.Silent(now) {
			if quiet {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.Complaints, a.Complaints)
	})
	return list[:min(len(list), mostFeeds)], nil
}
