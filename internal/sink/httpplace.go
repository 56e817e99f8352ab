package sink

import (
	"fmt"
	"strings"

	"github.com/fblwatch/fblwatch/internal/profile"
)

// parsePlace reads the path and query of a valid URL, which may name values of the
// record.
func parsePlace(r RemoteConfig) (profile.Path, error) {
	_, behind, _ := strings.Cut(r.URL, "://")
	place := ""
	if i := strings.IndexAny(behind, "/?"); i >= 0 {
		place = behind[i:]
	}
	path, err := profile.ParsePath(place)
	if err != nil {
		return nil, fmt.Errorf("url %w", err)
	}
	return path, nil
}
