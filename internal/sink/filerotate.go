package sink

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rotate says when a file is renamed and a new one begun. In a config it is a size such
// as 100MB, a time such as 24h, or both: whichever comes first.
type Rotate struct {
	Size int64         // octets
	Age  time.Duration // from a whole multiple of it to the next, in UTC: 24h is a day, 168h a week from Monday on
}

var (
	rotateForm = regexp.MustCompile(`^([1-9]\d{0,5})(MB|GB|h|d)$`)
	errRotate  = errors.New("is none of a size such as 100MB or 1GB, a time such as 24h or 7d, or both with a blank between")
)

// UnmarshalText reads a Rotate.
func (r *Rotate) UnmarshalText(text []byte) error {
	*r = Rotate{}
	words := strings.Fields(string(text))
	for _, word := range words {
		parts := rotateForm.FindStringSubmatch(word)
		if parts == nil {
			return errRotate
		}
		n, _ := strconv.ParseInt(parts[1], 10, 64) // few digits
		switch {
		case parts[2] == "MB" && r.Size == 0:
			r.Size = n * 1e6
		case parts[2] == "GB" && r.Size == 0:
			r.Size = n * 1e9
		case parts[2] == "h" && r.Age == 0:
			r.Age = time.Duration(n) * time.Hour
		case parts[2] == "d" && r.Age == 0:
			r.Age = time.Duration(n) * 24 * time.Hour
		default:
			return errRotate
		}
	}
	if len(words) == 0 {
		return errRotate
	}
	return nil
}

// stampForm is the time of a renamed file, in UTC. Names sort as their times do.
const stampForm = "20060102T150405.000Z"

// renamed returns the name of a file that was renamed at a time: records.ndjson becomes
// records-20260302T060159.000Z.ndjson.
func renamed(path string, at time.Time) string {
	ext := filepath.Ext(path)
	return strings.TrimSuffix(path, ext) + "-" + at.UTC().Format(stampForm) + ext
}

// The ends of the names of what is made of renamed files.
var compressedEnds = map[string]string{"gzip": ".gz", "zstd": ".zst"}

const unfinishedEnd = ".tmp" // of a compressed file

// stampOf returns when the file of the name was renamed, if it was the file at path, and
// what stands behind that name. Both are plain names in one directory.
func stampOf(path, name string) (at time.Time, end string, ok bool) {
	ext := filepath.Ext(path)
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(path, ext)+"-")
	if !ok || len(rest) < len(stampForm) {
		return time.Time{}, "", false
	}
	at, err := time.Parse(stampForm, rest[:len(stampForm)])
	end, ok = strings.CutPrefix(rest[len(stampForm):], ext)
	switch strings.TrimSuffix(end, unfinishedEnd) {
	case "", ".gz", ".zst":
		return at, end, ok && err == nil
	}
	return time.Time{}, "", false
}

// isRenamed reports whether name is that of a file which was the one at path.
func isRenamed(path, name string) bool {
	_, _, ok := stampOf(filepath.Base(path), filepath.Base(name))
	return ok && filepath.Dir(path) == filepath.Dir(name)
}

// old are the files that were renamed at one time: the file itself, what was made of it,
// or both.
type old struct {
	at   time.Time
	ends []string
}

// oldFiles lists the renamed files of path, the oldest first.
func oldFiles(path string) ([]old, error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	byTime := make(map[time.Time][]string)
	for _, entry := range entries {
		if at, end, ok := stampOf(filepath.Base(path), entry.Name()); ok && entry.Type().IsRegular() {
			byTime[at] = append(byTime[at], end)
		}
	}
	var files []old
	for at, ends := range byTime {
		files = append(files, old{at, ends})
	}
	slices.SortFunc(files, func(a, b old) int { return a.at.Compare(b.at) })
	return files, nil
}

// due reports whether the file of so many octets is to be renamed before n more. A file
// without a record stays.
func (s *file) due(size int64, n int) bool {
	if size <= int64(len(s.form.head)) {
		return false
	}
	if s.Rotate.Size > 0 && size+int64(n) > s.Rotate.Size {
		return true
	}
	age := s.Rotate.Age
	return age > 0 && !s.written.UTC().Truncate(age).Equal(s.now().UTC().Truncate(age))
}

// rename renames the file, and opens a new one. It is one step for the file's records:
// a crash leaves them under the one name or the other. The lock is held until then.
func (s *file) rename() error {
	at := s.now().UTC().Truncate(time.Millisecond)
	before, err := oldFiles(s.real)
	if n := len(before); n > 0 && !before[n-1].at.Before(at) { // also if the clock was set back
		at = before[n-1].at.Add(time.Millisecond)
	}
	if err == nil {
		err = s.releaseFile()
	}
	if err == nil {
		err = errors.Join(os.Rename(s.real, renamed(s.real, at)), syncDir(filepath.Dir(s.real)))
	}
	if err = errors.Join(err, s.release()); err != nil {
		return s.explain(err)
	}
	if err := s.open(); err != nil {
		return err
	}
	s.tidy.wake(s.real)
	return nil
}
