package sink

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/recordtable"
)

// readAll returns what the renamed files of path and the file itself hold, in order.
func readAll(t *testing.T, path string) string {
	t.Helper()
	for {
		text, err := tryReadAll(path)
		if err == nil {
			return text
		}
		if !errors.Is(err, fs.ErrNotExist) { // it was compressed meanwhile
			t.Fatal(err)
		}
	}
}

func tryReadAll(path string) (string, error) {
	files, err := oldFiles(path)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for _, f := range files {
		name := renamed(path, f.at)
		ends := slices.DeleteFunc(slices.Sorted(slices.Values(f.ends)), func(end string) bool { return strings.HasSuffix(end, unfinishedEnd) })
		if len(ends) == 0 {
			return "", fmt.Errorf("%s: no whole file", name)
		}
		b, err := os.ReadFile(name + ends[0]) // the plain one, if it is there
		if err == nil && ends[0] != "" {
			b, err = unpack(ends[0], b)
		}
		if err != nil {
			return "", err
		}
		all.Write(b)
	}
	b, err := os.ReadFile(path)
	all.Write(b)
	return all.String(), err
}

func unpack(end string, b []byte) ([]byte, error) {
	if end == ".gz" {
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	}
	r, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// idsOfCSV reads the ids of a CSV file, which has one head.
func idsOfCSV(t *testing.T, text string) (ids []string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(all) == 0 || !slices.Equal(all[0], recordtable.CSVHead) || !strings.HasSuffix(text, "\n") {
		t.Fatalf("%v in %q", err, text)
	}
	for _, row := range all[1:] {
		ids = append(ids, row[0])
	}
	return ids
}

// startWith opens the sink of a config whose clock the test sets.
func startWith(t *testing.T, c FileConfig, now *time.Time) *file {
	t.Helper()
	s, err := openFile(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	f := s.(*file)
	if now != nil {
		f.now = func() time.Time { return *now }
	}
	return f
}

// entries are the names in a folder.
func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

func TestRotateText(t *testing.T) {
	for text, want := range map[string]Rotate{
		"100MB": {Size: 100e6}, "1GB": {Size: 1e9}, "24h": {Age: 24 * time.Hour}, "7d": {Age: 168 * time.Hour}, "50MB 1h": {50e6, time.Hour}, "1d  2GB": {2e9, 24 * time.Hour},
		"": {}, "100": {}, "0MB": {}, "1h 2h": {}, "100mb": {}, "-1h": {}, "1.5GB": {}, "9999999MB": {}, "1MB 1h 1d": {}, "30m": {},
	} {
		var got Rotate
		err := got.UnmarshalText([]byte(text))
		if (err == nil) != (want != Rotate{}) || err == nil && got != want {
			t.Errorf("%q: %+v, %v, want %+v", text, got, err, want)
		}
	}
}

// A file has at most the size of the config, and records stay together.
func TestFileSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.ndjson")
	now := time.Date(2026, 3, 2, 6, 1, 59, 123e6, time.UTC)
	s := startWith(t, FileConfig{Path: path, Rotate: Rotate{Size: 30}}, &now)
	for seq := range int64(5) { // 13 octets each
		write(t, s, rows(1, seq+1, 1))
	}
	// The clock stands still, and goes back: the names still sort.
	now = now.Add(-time.Hour)
	write(t, s, rows(1, 6, 2))
	want := []string{"r-20260302T060159.123Z.ndjson", "r-20260302T060159.124Z.ndjson", "r-20260302T060159.125Z.ndjson", "r.ndjson"}
	if got := entries(t, filepath.Dir(path)); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := fixture.Read(t, filepath.Join(filepath.Dir(path), want[0])); got != text(rows(1, 1, 2)...) {
		t.Errorf("the first one has %q", got)
	}
	if got, want := readAll(t, path), text(rows(1, 1, 7)...); got != want {
		t.Errorf("all: %q, want %q", got, want)
	}
	// A write that is larger than a file stays in one.
	write(t, s, rows(1, 8, 100))
	if got, want := fixture.Read(t, path), text(rows(1, 8, 100)...); got != want {
		t.Errorf("%d octets, want %d", len(got), len(want))
	}
}

// The first record of another day begins a file, also after a restart.
func TestFileAge(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	c := FileConfig{Path: path, Rotate: Rotate{Age: 24 * time.Hour}}
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(time.Minute)
	s := startWith(t, c, &now)
	write(t, s, rows(1, 1, 1))
	now = now.Add(24*time.Hour - 2*time.Minute)
	write(t, s, rows(1, 2, 1))
	now = now.Add(time.Minute)
	write(t, s, rows(1, 3, 1))
	if got := fixture.Read(t, path); got != text(rows(1, 3, 1)...) {
		t.Errorf("on the second day: %q", got)
	}
	s.Close()
	if err := os.Chtimes(path, now, now); err != nil {
		t.Fatal(err)
	}
	fixture.File(t, path, fixture.Read(t, path)+`{"half`) // changes its time, as a crash would
	if err := os.Chtimes(path, now, now); err != nil {
		t.Fatal(err)
	}
	s = startWith(t, c, &now)
	write(t, s, rows(1, 4, 1))
	if got := fixture.Read(t, path); got != text(rows(1, 3, 2)...) {
		t.Errorf("on the same day after a restart: %q", got)
	}
	s.Close()
	if err := os.Chtimes(path, now, now); err != nil {
		t.Fatal(err)
	}
	now = now.Add(48 * time.Hour)
	s = startWith(t, c, &now)
	write(t, s, rows(1, 5, 1))
	if got := fixture.Read(t, path); got != text(rows(1, 5, 1)...) {
		t.Errorf("two days later: %q", got)
	}
	if got, want := readAll(t, path), text(rows(1, 1, 5)...); got != want {
		t.Errorf("all: %q, want %q", got, want)
	}
}

// Each CSV file begins with the columns, once, whatever was there before.
func TestFileCSV(t *testing.T) {
	head := strings.Join(recordtable.CSVHead, ",") + "\n"
	row := func(id string) string { // with an empty uid and no codes behind 23 empty values
		return id + ",0" + strings.Repeat(",", 23) + ",0,\n"
	}
	for name, test := range map[string]struct{ before, kept string }{
		"none":      {"", head},
		"head":      {head, head},
		"half head": {head[:20], head},
		"zeros":     {strings.Repeat("\x00", 5000), head},
		"rows":      {head + "1-1,1\n", head + "1-1,1\n"},
		"half row":  {head + "1-1,1\n1-2,\"", head + "1-1,1\n"},
		"zeros end": {head + "1-1,1\n\x00\x00", head + "1-1,1\n"},
	} {
		path := filepath.Join(t.TempDir(), "r.csv")
		fixture.File(t, path, test.before)
		s := startWith(t, FileConfig{Path: path, Format: "csv"}, nil)
		write(t, s, rows(1, 7, 2))
		if got, want := fixture.Read(t, path), test.kept+row("1-7")+row("1-8"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, other := range []string{"id,who\n1,2\n", `{"id":"1-1"}` + "\n", "x"} {
		path := fixture.File(t, filepath.Join(t.TempDir(), "r.csv"), other)
		if _, err := openFile(FileConfig{Path: path, Format: "csv"}, nil); !errors.Is(err, errHead) {
			t.Errorf("%q: %v", other, err)
		}
		if _, err := Probe(t.Context(), Config{Name: "x", Type: TypeFile, File: FileConfig{Path: path, Format: "csv"}}); !errors.Is(err, errHead) {
			t.Errorf("%q: %v", other, err)
		}
		if got := fixture.Read(t, path); got != other {
			t.Errorf("%q became %q", other, got)
		}
	}
	path := fixture.File(t, filepath.Join(t.TempDir(), "r"), head)
	if _, err := openFile(FileConfig{Path: path}, nil); !errors.Is(err, errForm) {
		t.Errorf("CSV taken for NDJSON: %v", err)
	}
}

// A record whose values hold newlines and quotes is one line of CSV.
func TestFileCSVLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.csv")
	s := startWith(t, FileConfig{Path: path, Format: "csv"}, nil)
	hostile := rows(1, 1, 1)
	hostile[0].JSON = []byte(`{"id":"1-1","revision":1,"feedback_type":"a\n\"b\",\r\n=c","original":{"subject":"=1+1\u2028\n"}}`)
	write(t, s, hostile)
	write(t, s, rows(1, 2, 1))
	got := fixture.Read(t, path)
	if strings.Count(got, "\n") != 3 {
		t.Errorf("%q", got)
	}
	if ids := idsOfCSV(t, got); !slices.Equal(ids, []string{"1-1", "1-2"}) {
		t.Errorf("%q", ids)
	}
}

// A record that is no JSON is refused, and the ones before it are written.
func TestFileCSVUnreadable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.csv")
	s := startWith(t, FileConfig{Path: path, Format: "csv"}, nil)
	all := delivery.Items(rows(1, 1, 3))
	all[1].JSON = []byte(`{"id":`)
	done, err := s.Write(t.Context(), all)
	var refused delivery.Refusals
	if done != 2 || !errors.As(err, &refused) || len(refused) != 1 || refused[0].First != 1 || refused[0].N != 1 {
		t.Errorf("%d, %v", done, err)
	}
	if ids := idsOfCSV(t, fixture.Read(t, path)); !slices.Equal(ids, []string{"1-1"}) {
		t.Errorf("%q", ids)
	}
}

// A link keeps leading to the file that is written.
func TestFileRotatesLink(t *testing.T) {
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "disk"), 0o700), os.Symlink("disk/r.log", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	s := startWith(t, FileConfig{Path: filepath.Join(dir, "link"), Rotate: Rotate{Size: 30}}, nil)
	for seq := range int64(5) {
		write(t, s, rows(1, seq+1, 1))
	}
	if got := entries(t, dir); !slices.Equal(got, []string{"disk", "link"}) {
		t.Errorf("%q", got)
	}
	if got := len(entries(t, filepath.Join(dir, "disk"))); got != 3 {
		t.Errorf("%d files", got)
	}
	if got, want := readAll(t, filepath.Join(dir, "disk", "r.log")), text(rows(1, 1, 5)...); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// The newest files are kept, and other files left alone.
func TestFileKeeps(t *testing.T) {
	for _, how := range []string{"", "gzip", "zstd"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "r.ndjson")
		others := []string{"r-20260302T060159.123Z.csv", "r-20260302T060159Z.ndjson", "r-20260302T060159.123Z.ndjson.bak", "rr-20260302T060159.123Z.ndjson", "r-x.ndjson"}
		for _, name := range others {
			fixture.File(t, filepath.Join(dir, name), "other")
		}
		s := startWith(t, FileConfig{Path: path, Rotate: Rotate{Size: 30}, Keep: 2, Compress: how}, nil)
		for seq := range int64(20) {
			write(t, s, rows(1, seq+1, 1))
		}
		want := text(rows(1, 15, 6)...) // two files of two, and the last two
		eventually(t, "two files left", func() bool {
			files, err := oldFiles(path)
			done := err == nil && len(files) == 2
			for _, f := range files {
				done = done && slices.Equal(f.ends, []string{compressedEnds[how]})
			}
			return done
		})
		if got := readAll(t, path); got != want {
			t.Errorf("%s: kept %q, want %q", how, got, want)
		}
		for _, name := range others {
			if got := fixture.Read(t, filepath.Join(dir, name)); got != "other" {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

// What a crash leaves of a compression is made again from the plain file.
func TestFileHalfCompressed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r")
	at := func(n int) string { return renamed(path, time.Date(2026, 3, 2, 6, 0, n, 0, time.UTC)) }
	fixture.File(t, at(1), text(rows(1, 1, 2)...)) // before the rename of the compressed one
	fixture.File(t, at(1)+".zst.tmp", "half")
	fixture.File(t, at(2), text(rows(1, 3, 2)...)) // before the removal of the plain one
	fixture.File(t, at(2)+".zst", "perhaps whole")
	fixture.File(t, at(3), text(rows(1, 5, 2)...)) // before anything
	fixture.File(t, at(4), text(rows(1, 7, 2)...)) // with another program
	fixture.File(t, at(4)+".gz.tmp", "half")
	s := startWith(t, FileConfig{Path: path, Rotate: Rotate{Size: 1e6}, Compress: "zstd"}, nil)
	write(t, s, rows(1, 9, 1))
	eventually(t, "four compressed files", func() bool {
		files, err := oldFiles(path)
		return err == nil && !slices.ContainsFunc(files, func(f old) bool { return !slices.Equal(f.ends, []string{".zst"}) })
	})
	if got, want := readAll(t, path), text(rows(1, 1, 9)...); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, name := range entries(t, dir) {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
}

// A policy other than always still has all on the disk when the sink is closed or the
// file renamed, and reports what fails.
func TestFileSyncs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r")
	s := startWith(t, FileConfig{Path: path, Fsync: "interval", Rotate: Rotate{Size: 100}}, nil)
	for seq := range int64(50) {
		write(t, s, rows(1, seq+1, 1))
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got, want := readAll(t, path), text(rows(1, 1, 50)...); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	log := &fixture.Log{}
	f, err := os.Open(os.DevNull) // fails to sync
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	syncing := startSyncing(f, log.Logger())
	syncing.soon()
	eventually(t, "an error in the log", func() bool { return strings.Contains(log.String(), "replay --since") })
	if err := syncing.end(); err == nil {
		t.Error("a failed sync is no error at the end")
	}
}

func TestSameFile(t *testing.T) {
	dir := t.TempDir()
	if err := cmp.Or(os.Mkdir(filepath.Join(dir, "a"), 0o700), os.Symlink("a", filepath.Join(dir, "b")), os.WriteFile(filepath.Join(dir, "a", "r"), nil, 0o600), os.Symlink("a/r", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	for two, same := range map[string]bool{
		"a/r": true, "b/r": true, "link": true, "a/../a/r": true, "b/../link": true,
		"a/r-20260302T060159.123Z": true, "b/r-20260302T060159.123Z.zst": true, "a/r-20260302T060159.123Z.gz.tmp": true,
		"a/r-2": false, "a/s": false, "b/c/r": false, "r": false, "r-20260302T060159.123Z": false,
	} {
		one, other := Config{File: FileConfig{Path: filepath.Join(dir, "a/r")}}, Config{File: FileConfig{Path: dir + "/" + two}}
		if one.sameFile(other) != same || other.sameFile(one) != same {
			t.Errorf("%s: same file is %t", two, !same)
		}
	}
	if (Config{File: FileConfig{Path: "none/x"}}).sameFile(Config{File: FileConfig{Path: dir + "/none/x"}}) {
		t.Error("relative paths are those of another folder")
	}
}
