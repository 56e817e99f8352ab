package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/settings"
)

// A length of time has its unit in JSON too, also within a group.
func TestLogDurations(t *testing.T) {
	var out bytes.Buffer
	log := (&program{stderr: &out}).logger(settings.LogConfig{Format: "json"})
	log.With("since", 90*time.Second).Warn("late", "again_in", 1500*time.Millisecond, slog.Group("pace", "every", time.Minute), "n", 7)
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	pace, _ := got["pace"].(map[string]any)
	if got["again_in"] != "1.5s" || got["since"] != "1m30s" || pace["every"] != "1m0s" || got["n"] != 7.0 {
		t.Errorf("%s", &out)
	}
}
