package suppress

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
)

// plain are addresses as lists and tables have them; odd ones are left out.
var (
	plain = []string{
		"a@example.com", "a.b-c_d@example.com", "a+b@example.com", "user=example.org@example.com", "o'brien@example.com", "1/2~&@sub.example.co.uk", "a-@xn--e1afmkfd.example",
		strings.Repeat("a", 64) + "@example.com", "a@" + strings.Repeat(strings.Repeat("b", 61)+".", 4) + "com",
	}
	odd = []string{
		"a", "@example.com", "a@", "a@b", "a@example.com.", "a@.example.com", ".a@example.com", "a.@example.com", "a..b@example.com", "a@b@example.com", "a@exa_mple.com", "a@-b.example.com",
		`"a b"@example.com`, `"a"@example.com`, "a b@example.com", " a@example.com", "a@example.com ", "a@example.com\n", "a\r\nb@example.com", "a\tb@example.com", "a\x00@example.com", "a@example.com REJECT",
		"#a@example.com", "-f@example.com", "a*@example.com", "a?@example.com", "^a@example.com", "a$@example.com", "a|b@example.com", "{a}@example.com", "`a`@example.com", `\a@example.com`,
		"a%example.org@example.com", "example.org!a@example.com", "a;b@example.com", "a,b@example.com", "<a@example.com>", "a:b@example.com", "a(b)@example.com", "[a]@example.com", "a@[192.0.2.1]",
		"müller@example.com", "a@müller.example", "a\u202e@example.com", "\ufeffa@example.com", "\u212a@example.com", "a\xff@example.com",
		strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat("b", 64) + ".com", "a@" + strings.Repeat(strings.Repeat("b", 62)+".", 4) + "com",
	}
)

func TestAddresses(t *testing.T) {
	l := &List{Entries: []*Entry{{Subscriber: "17"}, {RcptHash: "f00@example.com"}, {Subscriber: "18", RcptHash: "f01@example.com"}, {Rcpt: "A@Example.com", Subscriber: "19"}}}
	for _, address := range slices.Concat(plain, odd) {
		l.Entries = append(l.Entries, &Entry{Rcpt: address})
	}
	got := l.Addresses()
	if !slices.Equal(got.Plain, plain) || got.Odd != len(odd) || got.Subscribers != 2 || got.Hashes != 1 {
		t.Errorf("%+v", got)
		for _, address := range odd {
			if slices.Contains(got.Plain, strings.ToLower(address)) {
				t.Errorf("%q is plain", address)
			}
		}
	}
}

// FuzzAddresses: whatever a report names, a line has one address and nothing else.
func FuzzAddresses(f *testing.F) {
	for _, address := range slices.Concat(plain, odd) {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		l := List{Entries: []*Entry{{Rcpt: address}, {Rcpt: address, Subscriber: "1"}}}
		got := l.Addresses()
		if n := len(got.Plain)*2 + got.Odd + got.Hashes + got.Subscribers; n != 2 {
			t.Fatalf("%q: %+v", address, got)
		}
		for _, line := range got.Plain {
			if !strings.EqualFold(line, address) || strings.Count(line, "@") != 1 || strings.ContainsFunc(line, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
				t.Fatalf("%q: %q", address, line)
			}
		}
	})
}

// aged makes a file older: Postfix waits before it reads one that somebody may still
// write.
func aged(t *testing.T, file string) {
	t.Helper()
	old := time.Now().Add(-time.Minute)
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
}

// postmap is Postfix's own reader of tables, unpacked: no service is set up.
func postmap(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	root, err := realserver.Unpacked("postfix", "usr/sbin/postmap")
	if err != nil {
		missing := t.Skip
		if os.Getenv("CI") == "true" {
			missing = t.Fatal
		}
		missing(err)
	}
	dir := t.TempDir()
	aged(t, fixture.File(t, filepath.Join(dir, "main.cf"), fmt.Sprintf(
		"compatibility_level = 3.6\nmail_owner = daemon\nsetgid_group = mail\nmyhostname = mx.example.com\ndata_directory = %[1]s\nqueue_directory = %[1]s\n", dir)))
	command := exec.CommandContext(t.Context(), filepath.Join(root, "usr/sbin/postmap"), append([]string{"-c", dir}, args...)...)
	command.Env = append(os.Environ(), realserver.LibraryPath(root, "usr/lib/postfix"))
	return command
}

// Postfix finds every plain address in the table, in any case, and nothing else.
func TestPostfixTable(t *testing.T) {
	l := &List{}
	for _, address := range slices.Concat(plain, odd) {
		l.Entries = append(l.Entries, &Entry{Rcpt: address})
	}
	file := fixture.File(t, filepath.Join(t.TempDir(), "complainants"), AppendPostfix(nil, l.Addresses().Plain))
	aged(t, file)
	if said, err := postmap(t, "hash:"+file).CombinedOutput(); err != nil || len(said) > 0 {
		t.Fatalf("postmap: %v, it says %q", err, said)
	}
	var want []string
	for _, address := range plain {
		want = append(want, address+"\tREJECT 5.7.1 the recipient has reported our messages as spam")
	}
	slices.Sort(want)
	for name, args := range map[string][]string{"hash": {"-s", "hash:" + file}, "texthash": {"-s", "texthash:" + file}} {
		out, err := postmap(t, args...).Output()
		got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		if slices.Sort(got); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	query := postmap(t, "-q", "-", "hash:"+file)
	query.Stdin = strings.NewReader(strings.ToUpper(strings.Join(plain, "\n")) + "\nb@example.com\n\"a\"@example.com\nexample.com\n")
	out, err := query.Output()
	if got := bytes.Count(out, []byte("\n")); err != nil || got != len(plain) {
		t.Errorf("%d of %d are found, %v:\n%s", got, len(plain), err, out)
	}
}
