package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

const (
	feedSpan  = 30 * 24 * time.Hour // how far back a feed's complaints are counted
	feedPast  = 90 * 24 * time.Hour // how far back its gaps are
	mostFeeds = 20                  // feeds that are reported: silent ones, then those with the most complaints

	fewestGaps  = 3 // before a feed has a usual gap
	silenceGaps = 3 // usual gaps without a complaint are silence
)

// feed is what a provider's feed gave in feedSpan.
type feed struct {
	name string // provider and feed
	identified
	last  time.Time       // the hour of the last complaint
	gaps  []time.Duration // the longest before the complaints of each day
	usual time.Duration   // 0: not known
}

// identified counts complaints.
type identified struct{ of, n int }

func (i *identified) add(n int, known bool) {
	if i.of += n; known {
		i.n += n
	}
}

func (f feed) String() string {
	if f.of == 0 {
		return fmt.Sprintf("no complaint in 30 days, the last %s; the usual gap was %s", ago(time.Since(f.last)), terminal.Duration(f.usual))
	}
	text := fmt.Sprintf("%s in 30 days, the last %s; %d%% name a subscriber", terminal.Plural(f.of, "complaint"), ago(time.Since(f.last)), f.n*100/f.of)
	if f.silent(time.Now()) {
		text += fmt.Sprintf("; the usual gap is %s: is it switched off, or do its messages go elsewhere?", terminal.Duration(f.usual))
	}
	return text
}

// silent reports whether the feed has been silent for more than three of its usual
// gaps, by its hours.
func (f feed) silent(now time.Time) bool {
	return f.usual > 0 && now.Sub(f.last.Add(time.Hour)) > silenceGaps*f.usual
}

// came notes that the feed had complaints in an hour; hours come in their order.
func (f *feed) came(hour time.Time) {
	gap := hour.Sub(f.last)
	switch {
	case f.last.IsZero(), gap == 0:
	case len(f.gaps) > 0 && hour.Truncate(24*time.Hour).Equal(f.last.Truncate(24*time.Hour)):
		f.gaps[len(f.gaps)-1] = max(gap, f.gaps[len(f.gaps)-1])
	default:
		f.gaps = append(f.gaps, gap)
	}
	f.last = hour
}

// usualGap is a gap that five of six days do not exceed: quiet nights and
// weekends are no silence, nor is one long gap of many.
func (f *feed) usualGap() time.Duration {
	if len(f.gaps) < fewestGaps {
		return 0
	}
	slices.Sort(f.gaps)
	return f.gaps[len(f.gaps)*5/6]
}

// feedsOf lists the feeds that complained in feedSpan, or are silent since, by
// the ledger's counts.
func feedsOf(ctx context.Context, reader ledger.Reader) ([]feed, error) {
	now := time.Now()
	counts, err := reader.Counts(ctx, now.Add(-feedPast), time.Time{})
	if err != nil {
		return nil, err
	}
	feeds := make(map[string]*feed)
	for _, c := range counts { // by hour
		if c.Identity == "" {
			continue
		}
		name := c.Provider + " " + c.Feed
		if feeds[name] == nil {
			feeds[name] = &feed{name: name}
		}
		if feeds[name].came(c.Hour); !c.Hour.Before(now.Add(-feedSpan)) {
			feeds[name].add(int(c.N), c.Identity == "identified")
		}
	}
	list := make([]feed, 0, len(feeds))
	for _, name := range slices.Sorted(maps.Keys(feeds)) {
		f := feeds[name]
		if f.usual = f.usualGap(); f.of > 0 || f.silent(now) {
			list = append(list, *f)
		}
	}
	slices.SortStableFunc(list, func(a, b feed) int {
		if quiet := a.silent(now); quiet != b.silent(now) {
			if quiet {
				return -1
			}
			return 1
		}
		return cmp.Compare(b.of, a.of)
	})
	return list[:min(len(list), mostFeeds)], nil
}

// ago is how long ago something was, as its hour is known.
func ago(d time.Duration) string {
	switch hours := int(d.Hours()); {
	case hours < 2:
		return "within two hours"
	case hours < 48:
		return fmt.Sprintf("%d hours ago", hours)
	default:
		return fmt.Sprintf("%d days ago", hours/24)
	}
}
