package mailfile

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// directory reads the messages under dir, which may be a Maildir.
func (r *reader) directory(dir string) {
	names, err := list(dir)
	if err != nil {
		r.fail(dir, err) // and go on with the names that were listed
	}
	if isDir(dir, "cur") && isDir(dir, "new") {
		r.maildir(dir)
		return
	}
	slices.SortFunc(names, numbersFirst)
	for _, name := range names {
		if r.done() {
			return
		}
		if strings.ContainsRune(".,#", rune(name[0])) {
			continue
		}
		path := filepath.Join(dir, name)
		info, err := os.Lstat(path)
		switch {
		case err != nil:
			r.fail(path, err)
		case info.IsDir():
			r.directory(path)
		case info.Mode()&os.ModeSymlink != 0 && isDir(dir, name):
			// Following it could loop for ever.
			r.fail(path, fmt.Errorf("%w (symbolic link to a directory)", ErrNotFile))
		case isNumber(name):
			r.file(path, single)
		default:
			r.file(path, strange)
		}
	}
}

// maildir reads new and cur as one folder. The names begin with the second of
// the delivery, and keep their beginning when a message moves to cur.
func (r *reader) maildir(dir string) {
	var paths []string
	for _, sub := range []string{"new", "cur"} {
		names, err := list(filepath.Join(dir, sub))
		if err != nil {
			r.fail(filepath.Join(dir, sub), err)
		}
		for _, name := range names {
			if name[0] != '.' {
				paths = append(paths, filepath.Join(dir, sub, name))
			}
		}
	}
	slices.SortFunc(paths, func(a, b string) int {
		return cmp.Or(cmp.Compare(filepath.Base(a), filepath.Base(b)), cmp.Compare(a, b))
	})
	for _, path := range paths {
		if r.done() {
			return
		}
		r.file(path, single)
	}
}

// list returns the names in dir, unsorted.
func list(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

func isDir(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.IsDir()
}

// numbersFirst orders numbers by value, and before other names.
func numbersFirst(a, b string) int {
	switch aNum, bNum := isNumber(a), isNumber(b); {
	case aNum && bNum:
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	case aNum:
		return -1
	case bNum:
		return 1
	}
	return cmp.Compare(a, b)
}

// isNumber reports whether name is that of a message in an MH folder.
func isNumber(name string) bool {
	return name[0] != '0' && strings.Trim(name, "0123456789") == ""
}
