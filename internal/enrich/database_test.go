package enrich

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter/mmdbtype"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/report"
)

// countries is a file that says where 192.0.2.0/24 is.
func countries(t testing.TB, path, code string) {
	t.Helper()
	write(t, path, map[string]mmdbtype.DataType{"192.0.2.0/24": entryOf{"country": entryOf{"iso_code": text(code)}}})
}

// TestBadFile: what cannot work is an error at the start, which names the key
// and the file.
func TestBadFile(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		fixture.File(t, path, data)
		return path
	}
	good := filepath.Join(dir, "country.mmdb")
	countries(t, good, "DE")
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(dir, "plain.mmdb")
	write(t, plain, map[string]mmdbtype.DataType{"192.0.2.0/24": text("DE")})
	empty := filepath.Join(dir, "empty.mmdb")
	write(t, empty, nil)

	for name, test := range map[string]struct{ path, want string }{
		"missing":      {filepath.Join(dir, "none.mmdb"), "no such file"},
		"directory":    {dir, "not a plain file"},
		"no octet":     {put("zero.mmdb", nil), "not a whole MMDB file"},
		"text":         {put("text.mmdb", []byte("hello")), "not a whole MMDB file"},
		"cut short":    {put("short.mmdb", data[:len(data)-40]), "not a whole MMDB file"},
		"no tree":      {put("tree.mmdb", data[bytes.LastIndex(data, []byte("\xAB\xCD\xEFMaxMind.com")):]), "not a whole MMDB file"},
		"plain values": {plain, "an entry cannot be read"},
		"empty":        {empty, `a database of type "Test", whose first 0 networks hold nothing for asn_file`},
		"another kind": {good, `a database of type "Test", whose first 1 networks hold nothing for asn_file`},
	} {
		if runtime.GOOS == "windows" && name == "missing" {
			test.want = "cannot find the file"
		}
		_, err := New(Config{ASNFile: test.path}, nil)
		if prefix := "enrich: asn_file: " + test.path + ": " + test.want; err == nil || !strings.HasPrefix(err.Error(), prefix) {
			t.Errorf("%s:\n got %v\nwant %s", name, err, prefix)
		}
		if name == "missing" && !errors.Is(err, fs.ErrNotExist) {
			t.Error("it is not fs.ErrNotExist")
		}
		if both, err := New(Config{CountryFile: test.path, ASNFile: test.path}, nil); err == nil {
			t.Errorf("%s: as both: %+v", name, both)
		}
	}
}

func TestNothingToDo(t *testing.T) {
	e, err := New(Config{Timeout: time.Second}, nil)
	if e != nil || err != nil {
		t.Fatalf("%v, %v", e, err)
	}
	records := []report.Record{{SourceIP: "192.0.2.1"}}
	e.Records(t.Context(), records)
	if e.Asks() || e.Refresh() != nil || records[0].Source != nil {
		t.Error("it does something")
	}
	for want, timeout := range map[string]time.Duration{
		"timeout: -1s is not between 0 and 30s": -time.Second,
		"timeout: 31s is not between 0 and 30s": 31 * time.Second,
	} {
		if _, err := New(Config{Timeout: timeout}, nil); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestRefresh: a file that is replaced or written over is taken up; a bad one is
// told of, and the one before stays in use.
func TestRefresh(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "country.mmdb"), filepath.Join(dir, "new.mmdb")
	countries(t, path, "DE")
	e, err := New(Config{CountryFile: path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	step := func(what, country, complaint string) {
		t.Helper()
		switch err := e.Refresh(); {
		case err == nil && complaint != "", err != nil && (complaint == "" || !strings.Contains(err.Error(), complaint)):
			t.Errorf("%s: %v, want %q", what, err, complaint)
		case err != nil && !strings.HasPrefix(err.Error(), "enrich: country_file: "+path+": "):
			t.Errorf("%s: %v", what, err)
		}
		if got := sourceOf(t, e, "192.0.2.1").Country; got != country {
			t.Errorf("%s: country %q, want %q", what, got, country)
		}
	}
	reader := e.country.reader.Load()
	step("the same", "DE", "")
	if e.country.reader.Load() != reader {
		t.Error("the same file was read again")
	}

	countries(t, other, "FR")
	if err := os.Rename(other, path); err != nil { // as geoipupdate does
		t.Fatal(err)
	}
	step("replaced", "FR", "")

	countries(t, path, "SE") // in place, of the same size
	if err := os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	step("written over", "SE", "")

	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	fixture.File(t, path, whole[:len(whole)/2])
	step("half written", "SE", "not a whole MMDB file")
	step("still half written", "SE", "the file read before stays in use")
	countries(t, path, "NO")
	step("whole again", "NO", "")

	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	step("gone", "NO", "no such file")
	write(t, path, map[string]mmdbtype.DataType{"192.0.2.0/24": entryOf{"asn": text("AS1")}})
	step("of another kind", "NO", "hold nothing for country_file")
	countries(t, path, "FI")
	step("back", "FI", "")
}

// Lookups go on while files change under them.
func TestRefreshUnderReaders(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "country.mmdb"), filepath.Join(dir, "new.mmdb")
	var files [2][]byte
	for i, code := range []string{"FR", "DE"} {
		countries(t, path, code)
		var err error
		if files[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	e, err := New(Config{CountryFile: path}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if got := sourceOf(t, e, "192.0.2.1").Country; got != "DE" && got != "FR" {
					t.Errorf("country %q", got)
					return
				}
			}
		})
	}
	for i := range 30 {
		fixture.File(t, other, files[i%2])
		if err := os.Rename(other, path); err != nil {
			t.Fatal(err)
		}
		if err := e.Refresh(); err != nil {
			t.Fatal(err)
		}
		runtime.GC() // what is dropped is dropped now
	}
	close(done)
	readers.Wait()
	if got := sourceOf(t, e, "192.0.2.1").Country; got != "DE" {
		t.Errorf("country %q of the last file", got)
	}
}

// FuzzDatabase: no file, however broken, does more than give nothing.
func FuzzDatabase(f *testing.F) {
	path := filepath.Join(f.TempDir(), "x.mmdb")
	write(f, path, map[string]mmdbtype.DataType{
		"192.0.2.0/24":  entryOf{"country": entryOf{"iso_code": text("DE")}, "asn": text("AS1"), "as_name": text("x")},
		"2001:db8::/32": entryOf{"autonomous_system_number": number32(1)},
	})
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x.mmdb")
		fixture.File(t, path, data)
		e, err := New(Config{CountryFile: path, ASNFile: path}, nil)
		if err != nil {
			return
		}
		for _, ip := range []string{"192.0.2.1", "198.51.100.1", "2001:db8::1", "::"} {
			s := sourceOf(t, e, ip)
			if s.ASN < 0 || len(s.ASName) > maxName || s.Country != "" && len(s.Country) != 2 || s.ASName != "" && s.ASN == 0 {
				t.Errorf("%s: %+v", ip, s)
			}
		}
	})
}
