package main

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"24h":                       "2026-03-01T12:00:00Z",
		"7d":                        "2026-02-23T12:00:00Z",
		"2026-01-31":                "2026-01-31T00:00:00Z",
		"2026-01-31 10:30":          "2026-01-31T10:30:00Z",
		"2026-01-31T10:30:00+02:00": "2026-01-31T08:30:00Z",
	} {
		if got, err := parseTime(text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"yesterday", "31.01.2026", "2026-02-30", ""} {
		if got, err := parseTime(text, now); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}
