package imaptest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// unpackedServer finds the packages of a server that scripts/setup has unpacked,
// by one of the files there must be.
func unpackedServer(name, file string) (root string, err error) {
	places := []string{"/var/cache"}
	if cache, err := os.UserCacheDir(); err == nil {
		places = append(places, cache)
	}
	for _, place := range places {
		root := filepath.Join(place, "fblwatch-test", name)
		if _, err := os.Stat(filepath.Join(root, file)); err == nil {
			return root, nil
		}
	}
	return "", fmt.Errorf("no %s found; scripts/setup fetches it", name)
}

// libraryPath is where the dynamic linker finds what was unpacked below root.
func libraryPath(root string, more ...string) string {
	var dirs []string
	for _, pattern := range append([]string{"usr/lib/*-linux-*", "lib/*-linux-*", "usr/lib"}, more...) {
		found, _ := filepath.Glob(filepath.Join(root, pattern))
		dirs = append(dirs, found...)
	}
	return "LD_LIBRARY_PATH=" + strings.Join(dirs, ":")
}
