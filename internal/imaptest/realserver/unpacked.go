package realserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Unpacked finds the directory where scripts/setup has unpacked the packages
// of a server. file must be in it.
func Unpacked(name, file string) (root string, err error) {
	caches := []string{"/var/cache"}
	if own, err := os.UserCacheDir(); err == nil {
		caches = append(caches, own)
	}
	for _, cache := range caches {
		root := filepath.Join(cache, "fblwatch-test", name)
		if _, err := os.Stat(filepath.Join(root, file)); err == nil {
			return root, nil
		}
	}
	return "", fmt.Errorf("no %s found; scripts/setup fetches it", name)
}

// LibraryPath is where the dynamic linker finds what was unpacked below root.
func LibraryPath(root string, more ...string) string {
	var dirs []string
	for _, pattern := range append([]string{"usr/lib/*-linux-*", "lib/*-linux-*", "usr/lib"}, more...) {
		found, _ := filepath.Glob(filepath.Join(root, pattern))
		dirs = append(dirs, found...)
	}
	return "LD_LIBRARY_PATH=" + strings.Join(dirs, ":")
}
