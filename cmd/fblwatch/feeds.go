package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

const (
	feedSpan  = 30 * 24 * time.Hour // how far back a feed's complaints are counted
	mostFeeds = 20                  // feeds that are told of, those with the most complaints
	feedState = "feed/"             // begins the name of a feed's row of state
)

// feed is what a provider's feed gave in feedSpan.
type feed struct {
	name string // provider and feed
	identified
	last time.Time // the hour of the last complaint
}

func (f feed) String() string {
	return fmt.Sprintf("%s in 30 days, the last %s; %d%% name a subscriber", plural(f.of, "complaint"), ago(time.Since(f.last)), f.n*100/f.of)
}

// feedsOf lists the feeds that complained, by the ledger's counts.
func feedsOf(ctx context.Context, reader ledger.Reader) ([]feed, error) {
	counts, err := reader.Counts(ctx, time.Now().Add(-feedSpan), time.Time{})
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
		feeds[name].add(int(c.N), c.Identity == "identified")
		feeds[name].last = c.Hour
	}
	list := make([]feed, 0, len(feeds))
	for _, name := range slices.Sorted(maps.Keys(feeds)) {
		list = append(list, *feeds[name])
	}
	slices.SortStableFunc(list, func(a, b feed) int { return cmp.Compare(b.of, a.of) })
	return list[:min(len(list), mostFeeds)], nil
}

// feedStates writes a row a feed into the ledger: when it gave its last complaint.
func feedStates(ctx context.Context, l ledger.Ledger) error {
	feeds, err := feedsOf(ctx, l)
	for _, f := range feeds {
		if err != nil {
			break
		}
		var row []byte
		row, err = json.Marshal(struct {
			State string    `json:"state"`
			Last  time.Time `json:"last"` // its hour
		}{f.String(), f.last})
		if err == nil {
			err = l.SetState(ctx, feedState+f.name, string(row))
		}
	}
	return err
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
