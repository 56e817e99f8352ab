package main

import (
	"fmt"
	"time"

	"github.com/fblwatch/fblwatch/internal/suppress"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

// feedText says how a feed is doing.
func feedText(f suppress.Feed, now time.Time) string {
	if f.Complaints == 0 {
		return fmt.Sprintf("no complaint in 30 days, the last %s; the usual gap was %s", ago(now.Sub(f.Last)), terminal.Duration(f.UsualGap))
	}
	text := fmt.Sprintf("%s in 30 days, the last %s; %d%% name a subscriber", terminal.Plural(f.Complaints, "complaint"), ago(now.Sub(f.Last)), f.Identified*100/f.Complaints)
	if f.Silent(now) {
		text += fmt.Sprintf("; the usual gap is %s: is it switched off, or do its messages go elsewhere?", terminal.Duration(f.UsualGap))
	}
	return text
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
