package settings

import (
	"strings"
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "36h": 36 * time.Hour, "30d": 30 * day, "2w": 14 * day, "1w1d1h30m": 8*day + 90*time.Minute, "36500d": 36500 * day,
	} {
		var got Span
		if err := got.UnmarshalText([]byte(text)); err != nil || time.Duration(got) != want {
			t.Errorf("%s: %v, %v; want %v", text, time.Duration(got), err, want)
		}
	}
	for _, text := range []string{"", "d", "30", "30 d", "-1h", "1h1d", "1.5d", "36501d", "9999w99999d2562047h", "9999w", "99999d", "123456789d"} {
		var got Span
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%s: %v, want an error", text, time.Duration(got))
		}
	}
}

// A 0 could mean both that nothing is kept and that all is: it is an error.
func TestKeep(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]Keep{"none": KeepNone, "forever": 0, "30d": Keep(30 * day), "1h": Keep(time.Hour)} {
		if got := Keep(1); got.UnmarshalText([]byte(text)) != nil || got != want {
			t.Errorf("keep %s: %v, want %v", text, got, want)
		}
	}
	for text, want := range map[string]Retention{"forever": 0, "400d": Retention(400 * day)} {
		if got := Retention(1); got.UnmarshalText([]byte(text)) != nil || got != want {
			t.Errorf("retention %s: %v, want %v", text, got, want)
		}
	}
	for _, text := range []string{"0", "0d", "0s", "00", "", "never", "Forever", "-1d", "30"} {
		if err := new(Keep).UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "none, forever or") {
			t.Errorf("keep %q: %v", text, err)
		}
	}
	for _, text := range []string{"0", "0d", "none", "", "-1d"} {
		if err := new(Retention).UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), "forever or") {
			t.Errorf("retention %q: %v", text, err)
		}
	}
}
