package mailfile_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/mailfile"
)

// multi is a message with two parts, of which the second is a message with two parts.
func multi(n int, boundary string) string {
	param := boundary
	if strings.ContainsAny(boundary, " =/") {
		param = `"` + boundary + `"`
	}
	return fmt.Sprintf("Return-Path: <>\nReceived: from a.example by b.example; Mon, 6 Jul 2026 10:00:00 +0000\nFrom: fbl@example.com\nSubject: report %d\nMessage-ID: <%[1]d@example.com>\nContent-Type: multipart/report; report-type=feedback-report;\n\tboundary=%[2]s\n\n", n, param) +
		"--" + boundary + "\n\nwords\n--" + boundary + "\nContent-Type: message/rfc822\n\nFrom: news@example.com\nSubject: July\nMessage-ID: <o@example.com>\nContent-Type: multipart/mixed; boundary=in\n\n--in\n\nx\n--in--\n--" + boundary + "--\n"
}

// TestJoined: messages that were joined to one file are read one by one; what only
// looks like a second message is none.
func TestJoined(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		want    int
	}{
		"one":                            {multi(1, "b1"), 1},
		"two":                            {multi(1, "b1") + multi(2, "b2"), 2},
		"two, a blank line between":      {multi(1, "b1") + "\n\n" + multi(2, "b2"), 2},
		"three of one boundary":          {multi(1, "b") + multi(2, "b") + multi(3, "b"), 3},
		"boundaries with signs in them":  {multi(1, "=_a/b c") + multi(2, "=_a/b c"), 2},
		"two, and one of no multipart":   {multi(1, "b1") + "From: a@example.com\nSubject: x\nDate: Mon, 6 Jul 2026 10:00:00 +0000\n\nplain\n", 2},
		"an mbox without its first line": {multi(1, "b1") + "\nFrom a@example.com Mon Jul  6 10:00:00 2026\n" + multi(2, "b2"), 2},
		"a footer":                       {multi(1, "b1") + "\nThis list is run by example.com\nFrom: here to there\n", 1},
		"a header of too little":         {multi(1, "b1") + "From: a@example.com\n\nx\n", 1},
		"words with a colon":             {multi(1, "b1") + "Note: this\nDate: that\nSubject: other\n\n", 1},
		"no multipart":                   {"From: a@example.com\nSubject: x\n\n--b1--\n" + multi(2, "b2"), 1},
		"a boundary in the text":         {strings.Replace(multi(1, "b1"), "words\n", "words --b1--\nFrom: a@example.com\nDate: x\nSubject: y\n\n", 1), 1},
		"not closed":                     {strings.TrimSuffix(multi(1, "b1"), "--b1--\n"), 1},
	} {
		for ending, content := range map[string]string{"LF": c.content, "CRLF": strings.ReplaceAll(c.content, "\n", "\r\n")} {
			for _, file := range []string{"a.eml", "a.eml.gz", "mail", "-"} {
				path, opts := file, mailfile.Options{}
				switch file {
				case "-":
					opts.Stdin = strings.NewReader(content)
				case "a.eml.gz":
					path = fixture.File(t, filepath.Join(t.TempDir(), file), gzipped(content))
				default:
					path = fixture.File(t, filepath.Join(t.TempDir(), file), content)
				}
				var all strings.Builder
				n := 0
				for m, err := range mailfile.Read(t.Context(), path, opts) {
					if n++; err != nil || m.Number != n || m.Joined != (n > 1) || m.Size != int64(len(m.Body)) {
						t.Errorf("%s, %s, %s: %+v %v", name, ending, file, m.Number, err)
					}
					if !bytes.HasPrefix(m.Body, []byte("Return-Path")) && !bytes.HasPrefix(m.Body, []byte("From: ")) {
						t.Errorf("%s, %s, %s: message %d is %.40q", name, ending, file, n, m.Body)
					}
					all.Write(m.Body)
				}
				if n != c.want {
					t.Errorf("%s, %s, %s: %d messages, want %d", name, ending, file, n, c.want)
				}
				if c.want == 1 && all.String() != content {
					t.Errorf("%s, %s, %s: %q", name, ending, file, all.String())
				}
			}
		}
	}

	// A server delivered one message, whatever its author wrote.
	dir := t.TempDir()
	fixture.File(t, filepath.Join(dir, "mh", "1"), multi(1, "b1")+multi(2, "b2"))
	fixture.File(t, filepath.Join(dir, "maildir", "cur", "1.x.eml"), multi(1, "b1")+multi(2, "b2"))
	fixture.File(t, filepath.Join(dir, "maildir", "new", "2.x"), multi(1, "b1")+multi(2, "b2"))
	n := 0
	for m, err := range mailfile.Read(t.Context(), dir, mailfile.Options{}) {
		if n++; err != nil || m.Joined || m.Number != 1 {
			t.Errorf("%s %d %v", m.Path, m.Number, err)
		}
	}
	if n != 3 {
		t.Errorf("%d messages of 3 that were delivered", n)
	}

	// What lies beyond the limit is not passed over in silence.
	content := multi(1, "b1") + multi(2, "b2") + multi(3, "b3")
	var failed error
	for m, err := range mailfile.Read(t.Context(), "-", mailfile.Options{Stdin: strings.NewReader(content), MaxMessage: int64(len(multi(1, "b1")) + 200)}) {
		if err != nil {
			failed = err
		} else if m.Number > 2 {
			t.Errorf("message %d", m.Number)
		}
	}
	if failed == nil || !strings.Contains(failed.Error(), "messages without a separator") {
		t.Errorf("%v", failed)
	}
}

// TestArchive: an archive of messages is no mailbox, and is called what it is.
func TestArchive(t *testing.T) {
	var tarred, packed bytes.Buffer
	tw, zw := tar.NewWriter(&tarred), zip.NewWriter(&packed)
	for i := range 20 {
		name, body := fmt.Sprintf("mails/%d.eml", i), multi(i, "b")
		_ = tw.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(body))})
		_, _ = tw.Write([]byte(body))
		w, _ := zw.Create(name)
		_, _ = w.Write([]byte(body))
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ content, want string }{
		"x.tar":      {tarred.String(), "a tar archive"},
		"x.tar.gz":   {gzipped(tarred.String()), "a tar archive"},
		"x.tgz":      {gzipped(tarred.String()), "a tar archive"},
		"mails":      {tarred.String(), "a tar archive"},
		"x.zip":      {packed.String(), "a zip archive"},
		"x.mbox.zip": {packed.String(), "a zip archive"},
		"x.gz":       {gzipped(gzipped("From: a\n\nb\n")), "gzip data within gzip"},
		"x.bz2":      {"BZh91AY&SY\x00\x01", "bzip2 data"},
		"x.xz":       {"\xfd7zXZ\x00\x00\x04", "xz data"},
		"x.zst":      {"\x28\xb5\x2f\xfd\x04\x58", "zstd data"},
		"x.7z":       {"7z\xbc\xaf\x27\x1c\x00\x04", "a 7z archive"},
		"x.pst":      {"!BDN\x00\x00", "an Outlook data file"},
		"x.msg":      {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00", "an Outlook message"},
	} {
		messages, errs := collect(fixture.File(t, filepath.Join(t.TempDir(), name), c.content), mailfile.Options{})
		if len(messages) > 0 || len(errs) != 1 || !strings.Contains(fmt.Sprint(errs), "it looks like "+c.want) {
			t.Errorf("%s: %d messages, %v, want %s", name, len(messages), errs, c.want)
		}
	}
	// A message that speaks of one is a message.
	messages, errs := collect(fixture.File(t, filepath.Join(t.TempDir(), "m"), "BZh: x\nSubject: ustar\n\nPK\n"), mailfile.Options{})
	if len(messages) != 1 || errs != nil {
		t.Errorf("%q %v", messages, errs)
	}
}

// TestBlankBeforeMbox: lines of white space may come before the first separator.
func TestBlankBeforeMbox(t *testing.T) {
	for _, before := range []string{"\n", "   \n", "\t\r\n\r\n  \n", "\xef\xbb\xbf \n"} {
		messages, errs := collect("-", mailfile.Options{Stdin: strings.NewReader(before + from + "A: 1\n\none\n\n" + from + "A: 2\n\ntwo\n")})
		if len(messages) != 2 || errs != nil {
			t.Errorf("%q: %q %v", before, messages, errs)
		}
	}
}
