package main

import (
	"testing"

	"github.com/fblwatch/fblwatch/internal/settings"
)

// Each block of docs/trust.md is a config.
func TestTrustPage(t *testing.T) {
	blocks := blocksOf(t, "docs/trust.md", "yaml")
	if len(blocks) == 0 {
		t.Error("none")
	}
	for _, block := range blocks {
		if _, err := settings.Parse([]byte(block), "docs/trust.md", env("HOME", "/home/fbl")); err != nil {
			t.Errorf("%v\n%s", err, block)
		}
	}
}
