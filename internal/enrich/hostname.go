package enrich

import (
	"slices"
	"strings"
)

// maxNames is how many names of one address are tried, as in SPF (RFC 7208 section
// 4.6.4).
const maxNames = 10

// candidates returns the names that are worth a question, sorted.
func candidates(found []string) []string {
	var names []string
	for _, name := range found {
		if name = strings.ToLower(strings.TrimSuffix(name, ".")); isHostname(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return names[:min(len(names), maxNames)]
}

// isHostname reports whether name is a host name in lower case, of two labels or more
// (RFC 1123 section 2.1).
func isHostname(name string) bool {
	if len(name) > 253 {
		return false
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	top := labels[len(labels)-1]
	return len(labels) > 1 && strings.Trim(top, "0123456789") != ""
}
