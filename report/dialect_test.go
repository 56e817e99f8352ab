package report

import (
	"maps"
	"slices"
	"testing"
)

// TestDialectNames: a row of providers may name the dialect of every reader.
func TestDialectNames(t *testing.T) {
	names := slices.Collect(maps.Values(xarfDialects))
	for _, reader := range append(readers(), carriers...) {
		names = append(names, reader.dialect)
	}
	for _, name := range names {
		if name != "" && !slices.Contains(dialectNames(), name) {
			t.Errorf("%q is not in dialectsOfReaders", name)
		}
	}
}
