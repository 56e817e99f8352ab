package mailfile_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/mailfile"
)

// from is a line that separates two messages.
const from = "From fbl@example.net Mon Mar  2 06:00:00 2026\n"

// collect reads everything at path: the messages as "NUMBER BODY", and the errors.
func collect(path string, opts mailfile.Options) (messages []string, errs []error) {
	for m, err := range mailfile.Read(context.Background(), path, opts) {
		if err != nil {
			errs = append(errs, err)
		} else {
			messages = append(messages, fmt.Sprint(m.Number, " ", string(m.Body)))
		}
	}
	return messages, errs
}

// bodies reads an mbox or message from standard input and returns the bodies of
// its messages. An mbox is read octet by octet as well, with a message before it that
// is longer than what is read ahead at the beginning of a file.
func bodies(t *testing.T, input string) []string {
	t.Helper()
	read := func(r io.Reader) (bodies []string) {
		for m, err := range mailfile.Read(t.Context(), "-", mailfile.Options{Stdin: r}) {
			if err != nil {
				t.Fatal(err)
			}
			if m.Path != "-" || m.Number != len(bodies)+1 || m.Size != int64(len(m.Body)) {
				t.Errorf("message %d of %q has number %d and %d octets of %d", len(bodies)+1, m.Path, m.Number, len(m.Body), m.Size)
			}
			bodies = append(bodies, string(m.Body))
		}
		return bodies
	}
	whole := read(strings.NewReader(input))
	rest, ok := strings.CutPrefix(input, strings.TrimSpace(from))
	if !ok || len(input) > 1<<20 || strings.Contains(input, "X-IMAP: ") {
		return whole
	}
	eol := rest[:len(rest)-len(strings.TrimLeft(rest, "\r\n"))]
	if len(eol) > 1 && eol != "\r\n" {
		eol = eol[:1]
	}
	filler := strings.TrimSpace(from) + eol + strings.Repeat("filler"+eol, 2000) + eol
	slow := read(iotest.OneByteReader(strings.NewReader(filler + input)))
	if diff := cmp.Diff(whole, slow[1:]); diff != "" {
		t.Errorf("octet by octet it reads otherwise:\n%s", diff)
	}
	return whole
}

func gzipped(content string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, content)
	w.Close()
	return b.String()
}

func TestFile(t *testing.T) {
	box := from + "A: 1\n\none\n\n" + from + "A: 2\n\ntwo\n\n"
	both := []string{"1 A: 1\n\none\n", "2 A: 2\n\ntwo\n"}
	tests := []struct {
		name, content string
		want          []string
	}{
		{"aol.net", box, both},
		{"a.mbox", box, both},
		{"a.mbox.gz", gzipped(box), both},
		{"zipped-without-saying", gzipped(box), both},
		{"two-members.gz", gzipped(from+"A: 1\n\none\n\n") + gzipped(from+"A: 2\n\ntwo\n\n"), both},
		{"a.eml", "A: 1\r\n\r\none", []string{"1 A: 1\r\n\r\none"}},
		{"a.eml.gz", gzipped("A: 1\r\n\r\none"), []string{"1 A: 1\r\n\r\none"}},
		{"mail", "A: 1\n\none\n\n" + from + "no mbox\n", []string{"1 A: 1\n\none\n\n" + from + "no mbox\n"}},
		{"an-mbox-line.eml", box, []string{"1 " + box}},
		{"empty", "", nil},
		{"empty.mbox", "", nil},
		{"empty.gz", gzipped(""), nil},
		{"empty.eml", "", []string{"1 "}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := fixture.File(t, filepath.Join(t.TempDir(), test.name), test.content)
			messages, errs := collect(path, mailfile.Options{})
			if diff := cmp.Diff(test.want, messages); diff != "" || errs != nil {
				t.Errorf("errors %v\n%s", errs, diff)
			}
			if filepath.Ext(test.name) == ".eml" {
				return // standard input has no name
			}
			messages, errs = collect("-", mailfile.Options{Stdin: strings.NewReader(test.content)})
			if diff := cmp.Diff(test.want, messages); diff != "" || errs != nil {
				t.Errorf("from standard input: errors %v\n%s", errs, diff)
			}
		})
	}
}

func TestMaxMessage(t *testing.T) {
	big := strings.Repeat("x", 200<<20/64-1) + "\n"
	input := io.MultiReader(strings.NewReader(from+"first\n\n"+from), zeros(64, big), strings.NewReader("\n"+from+"last\n\n"))
	const keep = 1 << 20
	var sizes []int64
	for m, err := range mailfile.Read(t.Context(), "-", mailfile.Options{Stdin: input, MaxMessage: keep}) {
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(m.Body)) != min(m.Size, keep) {
			t.Errorf("message %d of %d octets: %d kept", m.Number, m.Size, len(m.Body))
		}
		sizes = append(sizes, m.Size)
	}
	if want := []int64{6, 200 << 20, 5}; !slices.Equal(sizes, want) {
		t.Errorf("sizes %d, want %d", sizes, want)
	}

	// A file that is one message is cut as well.
	for m, err := range mailfile.Read(t.Context(), "-", mailfile.Options{Stdin: strings.NewReader("A: 12345"), MaxMessage: 4}) {
		if err != nil || string(m.Body) != "A: 1" || m.Size != 8 {
			t.Errorf("%q, %d octets, %v", m.Body, m.Size, err)
		}
	}
}

// zeros repeats a text n times.
func zeros(n int, text string) io.Reader {
	var all []io.Reader
	for range n {
		all = append(all, strings.NewReader(text))
	}
	return io.MultiReader(all...)
}

func TestMaildir(t *testing.T) {
	dir := t.TempDir()
	fixture.File(t, filepath.Join(dir, "new", "1003.a.host"), "three")
	fixture.File(t, filepath.Join(dir, "cur", "1001.b.host:2,S"), "one")
	fixture.File(t, filepath.Join(dir, "cur", "1002.c.host:2,"), from+"two")
	fixture.File(t, filepath.Join(dir, "cur", ".hidden"), "no")
	fixture.File(t, filepath.Join(dir, "tmp", "1000.d.host"), "half a mail")
	fixture.File(t, filepath.Join(dir, ".Sub", "cur", "999.e.host:2,"), "another folder")
	fixture.File(t, filepath.Join(dir, "dovecot-uidlist"), "3 V1 N4")
	messages, errs := collect(dir, mailfile.Options{})
	if diff := cmp.Diff([]string{"1 one", "1 " + from + "two", "1 three"}, messages); diff != "" || errs != nil {
		t.Errorf("errors %v\n%s", errs, diff)
	}
}

func TestMH(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"10", "9", "1", ",2", "#3"} {
		fixture.File(t, filepath.Join(dir, name), "mail "+name)
	}
	fixture.File(t, filepath.Join(dir, ".mh_sequences"), "cur: 1")
	fixture.File(t, filepath.Join(dir, "11"), from+"one mail, whatever its first line")
	fixture.File(t, filepath.Join(dir, "sub", "2"), "mail sub 2")
	messages, errs := collect(dir, mailfile.Options{})
	if diff := cmp.Diff([]string{"1 mail 1", "1 mail 9", "1 mail 10", "1 " + from + "one mail, whatever its first line", "1 mail sub 2"}, messages); diff != "" || errs != nil {
		t.Errorf("errors %v\n%s", errs, diff)
	}
}

func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	fixture.File(t, filepath.Join(dir, "a.eml"), "a")
	fixture.File(t, filepath.Join(dir, "b", "c.mbox"), from+"c1\n\n"+from+"c2\n\n")
	fixture.File(t, filepath.Join(dir, "b", "d.eml.gz"), gzipped("d"))
	fixture.File(t, filepath.Join(dir, "e"), from+"e\n\n")
	fixture.File(t, filepath.Join(dir, "f.txt"), "a note")
	fixture.File(t, filepath.Join(dir, "g.gz"), "no gzip")
	fixture.File(t, filepath.Join(dir, "h.gz"), gzipped("h, which is longer than what is cut off it")[:30])
	fixture.File(t, filepath.Join(dir, "i"), "")
	fixture.File(t, filepath.Join(dir, "maildir", "cur", "1:2,"), "j")
	fixture.File(t, filepath.Join(dir, "maildir", "new", "2"), "k")
	fixture.File(t, filepath.Join(dir, "z.eml"), "z")
	if err := os.Symlink(dir, filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("loops", filepath.Join(dir, "loops")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("b/c.mbox", filepath.Join(dir, "y")); err != nil {
		t.Fatal(err)
	}

	type found struct{ Path, Body string }
	var messages []found
	failed := map[string]error{}
	for m, err := range mailfile.Read(t.Context(), dir, mailfile.Options{}) {
		path, _ := filepath.Rel(dir, m.Path)
		if err != nil {
			failed[path] = err
			continue
		}
		messages = append(messages, found{path, string(m.Body)})
	}
	want := []found{
		{"a.eml", "a"}, {"b/c.mbox", "c1\n"}, {"b/c.mbox", "c2\n"}, {"b/d.eml.gz", "d"}, {"e", "e\n"},
		{"g.gz", "no gzip"},
		{"h.gz", "h, which is longer t"},
		{"maildir/cur/1:2,", "j"}, {"maildir/new/2", "k"}, {"y", "c1\n"}, {"y", "c2\n"}, {"z.eml", "z"},
	}
	for i, m := range messages { // how much of a cut file comes out is gzip's affair
		if m.Path == "h.gz" {
			if !strings.HasPrefix("h, which is longer than", m.Body) || m.Body == "" {
				t.Errorf("the cut gzip file gave %q", m.Body)
			}
			messages[i].Body = "h, which is longer t"
		}
	}
	if diff := cmp.Diff(want, messages); diff != "" {
		t.Error(diff)
	}
	for path, want := range map[string]error{
		"f.txt": mailfile.ErrNotMessage,
		"h.gz":  io.ErrUnexpectedEOF,
		"loop":  mailfile.ErrNotFile,
		"loops": nil,
	} {
		err := failed[path]
		if err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
		if err != nil && strings.Count(err.Error(), path) != 1 {
			t.Errorf("the error does not name its file once: %v", err)
		}
		delete(failed, path)
	}
	if len(failed) > 0 {
		t.Errorf("more errors: %v", failed)
	}
}

func TestMissing(t *testing.T) {
	messages, errs := collect(filepath.Join(t.TempDir(), "absent"), mailfile.Options{})
	if len(messages) != 0 || len(errs) != 1 || !errors.Is(errs[0], fs.ErrNotExist) {
		t.Errorf("%q, %v", messages, errs)
	}
}

func TestForbidden(t *testing.T) {
	dir := t.TempDir()
	os.Chmod(fixture.File(t, filepath.Join(dir, "a.eml"), "a"), 0)
	fixture.File(t, filepath.Join(dir, "b", "b.eml"), "b")
	os.Chmod(filepath.Join(dir, "b"), 0)
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "b"), 0o755) })
	fixture.File(t, filepath.Join(dir, "c.eml"), "c")

	messages, errs := collect(dir, mailfile.Options{})
	want := []string{"1 c"}
	if os.Geteuid() == 0 { // who may read everything
		want = []string{"1 a", "1 b", "1 c"}
	} else if len(errs) != 2 {
		t.Errorf("errors %v", errs)
	}
	for _, err := range errs {
		if !errors.Is(err, fs.ErrPermission) {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(want, messages); diff != "" {
		t.Error(diff)
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("the disk is broken")
	for _, head := range []string{from + "A: 1\n\none\n\n" + from + "A: 2\n\ntw", "A: 1\n\none"} {
		messages, errs := collect("-", mailfile.Options{Stdin: io.MultiReader(strings.NewReader(head), iotest.ErrReader(broken))})
		want := []string{"1 A: 1\n\none"}
		if strings.HasPrefix(head, from) {
			want = []string{"1 A: 1\n\none\n", "2 A: 2\n\ntw"}
		}
		if diff := cmp.Diff(want, messages); diff != "" || len(errs) != 1 || !errors.Is(errs[0], broken) {
			t.Errorf("errors %v\n%s", errs, diff)
		}
	}
}

func TestStuck(t *testing.T) {
	head := from + strings.Repeat("a line\n", 10_000)
	messages, errs := collect("-", mailfile.Options{Stdin: io.MultiReader(strings.NewReader(head), stuck{})})
	if len(messages) != 1 || len(errs) != 1 || !errors.Is(errs[0], io.ErrNoProgress) {
		t.Errorf("%d messages, errors %v", len(messages), errs)
	}
}

// stuck is a reader that never gets anywhere.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestNothingBeforeAnError(t *testing.T) {
	const gzipHeader = 10
	path := fixture.File(t, filepath.Join(t.TempDir(), "a.eml.gz"), gzipped("a")[:gzipHeader])
	messages, errs := collect(path, mailfile.Options{})
	if len(messages) != 0 || len(errs) != 1 || !errors.Is(errs[0], io.ErrUnexpectedEOF) {
		t.Errorf("%q, errors %v", messages, errs)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dir := t.TempDir()
	for _, name := range []string{"1", "2", "3"} {
		fixture.File(t, filepath.Join(dir, name), name)
	}
	var messages int
	var last error
	for _, err := range mailfile.Read(ctx, dir, mailfile.Options{}) {
		if last != nil {
			t.Error("the iteration went on after the end of ctx")
		}
		if last = err; err == nil {
			messages++
		}
		cancel()
	}
	if messages != 1 || !errors.Is(last, context.Canceled) {
		t.Errorf("%d messages, then %v", messages, last)
	}
}

// A loop that is left reads no further.
func TestBreak(t *testing.T) {
	stdin := strings.NewReader(strings.Repeat(from+"x\n\n", 100_000))
	size, messages := stdin.Len(), 0
	for range mailfile.Read(t.Context(), "-", mailfile.Options{Stdin: stdin}) {
		messages++
		break
	}
	if read := size - stdin.Len(); messages != 1 || read > 1<<20 {
		t.Errorf("%d messages, and %d octets of %d read", messages, read, size)
	}
}

// A file that is binary is told of, by what it seems to be. What begins with a
// header field, or is named as a message, is one.
func TestBinary(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct{ name, content, want string }{
		{"x.zip", "PK\x03\x04\x14\x00\x00\x00", "a zip archive"},
		{"x", "\x7fELF\x02\x01\x01\x00", "binary data"},
		{"x.pdf", "%PDF-1.7\n", "application/pdf"},
		{"x.png", "\x89PNG\x0D\x0A\x1A\x0A\x00", "image/png"},
		{"x.db", "SQLite format 3\x00\x10\x00", "binary data"},
		{"nul", "Subject: a\x00b\n\nc\n", ""},
		{"blank", "\r\n\nSubject : a\x00b\n\nc\n", ""},
		{"latin1", "Gr\xfc\xdfe\n", ""},
		{"x.eml", "\x7fELF\x02\x01\x01\x00", ""},
		{"box", "From fbl@example.net Mon Mar  2 06:00:00 2026\nA: b\n\n\x00\x01\x02\n", ""},
	} {
		path := filepath.Join(dir, test.name)
		fixture.File(t, path, test.content)
		messages, said := 0, ""
		for _, err := range mailfile.Read(t.Context(), path, mailfile.Options{}) {
			if err == nil {
				messages++
			} else if said = err.Error(); !errors.Is(err, mailfile.ErrNotMessage) {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		if want := test.want; messages == 1 != (want == "") || want != "" && !strings.HasSuffix(said, "not a message or an mbox: it looks like "+want) {
			t.Errorf("%s: %d messages, %q, want %q", test.name, messages, said, want)
		}
	}
}
