package privacy

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/report"
)

// spent is how many steps a text costs, and whether it was looked through.
func spent(s *scrubber, text string) (steps int, hidden string, ok bool) {
	s.walker.work = workSpare
	hidden, ok = s.all(text)
	return workSpare + workOctet*len(text) - s.walker.work, hidden, ok
}

func crowd(n int) *people {
	p := &people{}
	for i := range n {
		p.add(fmt.Sprintf("user%d@list%d.example.com", i, i%100))
	}
	return p
}

// Work grows with the octets, and does not with the people.
func TestWork(t *testing.T) {
	f := &Filter{addresses: drop}
	var text strings.Builder
	for i := 0; text.Len() < 64<<10; i++ {
		fmt.Fprintf(&text, "To: user%d@list%d.example.com, other%d@example.net\r\nX-Token: dXNlckBleGFtcGxlLm5ldA==\r\n"+
			"List-Unsubscribe: <https://example.net/u?e=user%d%%40list%d.example.com&c=%d>\r\n", i, i%100, i, i, i%100, i)
	}
	one := text.String()[:64<<10]
	base, _, _ := spent(f.scrubber(crowd(1)), one)
	if each := base / len(one); each > 16 {
		t.Errorf("%d steps an octet for one person: a message has no room below %d", each, workOctet)
	}
	for _, people := range []int{100, 10_000} {
		s := f.scrubber(crowd(people))
		steps, hidden, ok := spent(s, one)
		if !ok || steps > 3*base {
			t.Errorf("%d people: %d steps, one person: %d", people, steps, base)
		}
		if strings.Contains(hidden, "user1@") || !strings.Contains(hidden, "other1@") {
			t.Errorf("%d people: %.200s", people, hidden)
		}
		more, _, ok := spent(s, strings.Repeat(one, 8))
		if !ok || more > 9*steps {
			t.Errorf("%d people: %d steps for 8 times the text that takes %d", people, more, steps)
		}
	}
}

// The worst text is dropped, not kept in clear, and has its cost bounded.
func TestWorstText(t *testing.T) {
	a := strings.Repeat("a", 60)
	tests := []struct {
		name, whom, unit string
		kept             bool // it must be within the bound
	}{
		{"one letter", a + "b@example.com", "a", false},
		{"tags", "a@a.example", "a+", false},
		{"tags in percent", "a@a.example", "a%2B", false},
		{"parameters", "a@a.example", "a=", false},
		{"parameters and domains", "a@a.example", "/a/a.exampl", false},
		{"comments", "a@a.example", "a(", false},
		{"brackets", "a@a.example", "a<", true},
		{"blanks", "a@a.example", "a" + strings.Repeat(" ", 900), true},
		{"nested percent", "a%25%25%25%25@a.example", "%252525", false},
		{"nested references", "a&&&&&&&&@a.example", "&amp;", false},
		{"soft line breaks", "a@a.example", "=\r\n", true},
		{"NUL", "a@a.example", "\x00", true},
		{"backslashes", strings.Repeat(`\`, 60) + "@a.example", `\`, false},
		{"full stops", "a." + strings.Repeat("a.", 30) + "a@a.example", "a .", false},
	}
	for _, test := range tests {
		var known people
		known.add("mary@example.com")
		known.addresses[test.whom] = true
		s := (&Filter{addresses: drop}).scrubber(&known)
		for _, size := range []int{16 << 10, 128 << 10} {
			text := strings.Repeat(test.unit, size/len(test.unit)) + " mary@example.com"
			steps, hidden, ok := spent(s, text)
			if most := workSpare + workOctet*len(text) + 10_000; steps > most {
				t.Errorf("%s, %d octets: %d steps, at most %d", test.name, len(text), steps, most)
			}
			if ok && strings.Contains(hidden, "mary") || test.kept && !ok {
				t.Errorf("%s, %d octets: within the bound %v: %.100s", test.name, len(text), ok, hidden)
			}
			if value := s.string(text); strings.Contains(value, "mary") || !ok && value != redacted {
				t.Errorf("%s, %d octets: the value is %.100s", test.name, len(text), value)
			}
		}
	}
}

// A tag or a comment may begin on either side of the octet where the white space in an
// address becomes too much.
func TestTooManyBlanks(t *testing.T) {
	var known people
	known.add("mary@example.com")
	s := (&Filter{addresses: drop}).scrubber(&known)
	for _, unit := range []string{" ", "<b>", "(x)", "=20"} {
		for n := mostBlanks - 10; n < mostBlanks+10; n++ {
			blanks := strings.Repeat(unit, n/len(unit)) + strings.Repeat(" ", n%len(unit))
			for _, note := range []string{"<b>", "=3Cb>", "(x)", "<"} {
				if hidden := s.string("mary@example." + blanks + note + "com, mary@example.com"); strings.Contains(hidden, "example.com") {
					t.Errorf("%d of %q: %.40q", n, unit, hidden)
				}
			}
		}
	}
}

// What costs too much is not kept.
func TestTooMuch(t *testing.T) {
	f := &Filter{addresses: drop, subject: drop}
	r := &report.Report{OriginalRcptTo: []string{strings.Repeat(`\\`, 30) + "x@example.com"}}
	worst := strings.Repeat(`\`, 256<<10)
	if head := f.Head([]byte("To: x\r\n\r\n"+worst), r); head != nil {
		t.Errorf("the head is kept: %.100s", head)
	}
	if head := f.Head([]byte("To: "+worst+"\r\n\r\nx"), r); head != nil {
		t.Errorf("the head is kept: %.100s", head)
	}
	records := []report.Record{{OriginalRcptTo: r.OriginalRcptTo[0], Event: "complaint", Extensions: map[string][]string{"x-one": {worst, "kept"}}}}
	f.Records(records)
	if got := records[0].Extensions["x-one"]; got[0] != redacted || got[1] != "kept" || records[0].Event != "complaint" {
		t.Errorf("%.100q %s", got, records[0].Event)
	}
}

// Beyond the bound nobody can be told from anybody: no text is kept.
func TestTooManyPeople(t *testing.T) {
	f := &Filter{addresses: drop}
	var to []string
	for i := range mostPeople + 1 {
		to = append(to, fmt.Sprintf("u%d@example.com", i))
	}
	records := []report.Record{{Event: "complaint", Complainant: "none", Original: &report.Original{To: to, Subject: "Dear u100000@example.com"}}}
	f.Records(records)
	if line := string(records[0].AppendJSON(nil)); strings.Contains(line, "example.com") || records[0].Event != "complaint" {
		t.Errorf("%.300s", line)
	}
	if head := f.Head([]byte("To: x\r\n\r\nx"), &report.Report{Original: &report.Original{To: to}}); head != nil {
		t.Errorf("the head is kept: %s", head)
	}
}

// Reports cost little of what they may cost.
func TestWorkOfFixtures(t *testing.T) {
	files, err := filepath.Glob("../../report/testdata/*.eml")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var known people
		known.ofReport(report.Parse(b))
		s := (&Filter{addresses: drop}).scrubber(&known)
		if steps, _, ok := spent(s, string(b)); !ok || steps > workOctet/4*len(b) {
			t.Errorf("%s: %d steps an octet", filepath.Base(file), steps/len(b))
		}
	}
}

// BenchmarkCrowd shows what people cost: nearly nothing.
func BenchmarkCrowd(b *testing.B) {
	for _, people := range []int{1, 100, 10_000} {
		for _, size := range []int{64 << 10, 256 << 10} {
			b.Run(fmt.Sprintf("%d people/%d KB", people, size>>10), func(b *testing.B) {
				var text strings.Builder
				for i := 0; text.Len() < size; i++ {
					fmt.Fprintf(&text, "user%d@list%d.example.com, and some words\r\n", i%people, i%people%100)
				}
				f, known := &Filter{addresses: hash, key: []byte("sixteen octets or more")}, crowd(people)
				b.SetBytes(int64(text.Len()))
				for b.Loop() {
					if _, ok := f.scrubber(known).all(text.String()); !ok {
						b.Fatal("over the bound")
					}
				}
			})
		}
	}
}
