package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestParts: what the reader did with each part, and why it did not read it.
func TestParts(t *testing.T) {
	const feedback = "Feedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\n\n"
	inner := "From: jo@example.org\nSubject: Fwd: report\nContent-Type: multipart/mixed; boundary=i\n\n" +
		"--i\nContent-Type: text/plain\n\nlook\n--i\nContent-Type: Message/Feedback-Report\n\n" + feedback + "--i\nContent-Type: text/rfc822-headers\n\nFrom: a@example.org\nSubject: July\n\n--i--\n"
	for name, c := range map[string]struct {
		message string
		want    string
	}{
		"a report": {"From: fbl@example.com\nContent-Type: multipart/report; boundary=b\n\n--b\n\nhello\n--b\nContent-Type: message/feedback-report\nContent-Transfer-Encoding: 7BIT\n\n" + feedback +
			"--b\nContent-Type: message/rfc822; name=\"a b.eml\"\n\nFrom: a@example.org\nSubject: July\n\nbuy\n--b\nContent-Type: text/html\n\n<p>\n--b--\n",
			` multipart/report parts|1  ignored other|2 message/feedback-report 7bit report|3 message/rfc822 a b.eml original|4 text/html ignored not_needed`},
		"an empty one": {"From: fbl@example.com\nContent-Type: multipart/report; boundary=b\n\n--b\n\nhello\n--b\nContent-Type: message/feedback-report\n\n\n--b--\n",
			` multipart/report parts|1  ignored other|2 message/feedback-report ignored empty`},
		"sent on": {"From: jo@example.com\nSubject: Fwd\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: text/plain\n\nsee below\n--o\nContent-Type: message/rfc822\n\n" + inner + "\n--o--\n",
			` multipart/mixed parts|1 text/plain ignored other|2 message/rfc822 message|2.1 text/plain ignored other|2.2 message/feedback-report report|2.3 text/rfc822-headers original`},
		"nested": {"From: fbl@example.com\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\none\n--c\n\ntwo\n--c--\n--b\nContent-Type: image/png; name=x.png\n\nx\n--b--\n",
			` multipart/mixed parts|1 multipart/alternative parts|1.1  ignored other|1.2  ignored other|2 image/png x.png ignored other`},
		"no multipart": {"From: no-reply@sns.amazonaws.com\n\n{\"notificationType\":\"Complaint\",\"complaint\":{\"complainedRecipients\":[{\"emailAddress\":\"user@example.com\"}]},\"mail\":{\"messageId\":\"1\"}}\n", `1  text`},
		"a person's":   {"From: jo@example.com\n\nhello\n", `1  ignored other`},
		"two reports": {"From: fbl@example.com\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\n" + feedback + "--b\nContent-Type: message/feedback-report\n\n" + feedback + "--b--\n",
			` multipart/report parts|1 message/feedback-report report|2 message/feedback-report ignored second`},
	} {
		t.Run(name, func(t *testing.T) {
			message := []byte(c.message)
			var got []string
			for _, p := range Parse(message).Parts(message) {
				line := p.Path + " " + p.Type
				for _, s := range []string{p.Encoding, p.Name, string(p.Use), string(p.Why)} {
					if s != "" {
						line += " " + s
					}
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(strings.Split(c.want, "|"), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestPartsOfFixtures: of every report, a part was read for it, or the message is the
// reported one; a part that is ignored has a reason, and no other has one.
func TestPartsOfFixtures(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.eml")
	if len(files) < 50 {
		t.Fatalf("%d fixtures", len(files))
	}
	for _, file := range files {
		message, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := Parse(message)
		read := r.Kind != KindReport || file == "testdata/jmrp-itself.eml" || file == "testdata/redirected.eml"
		for _, p := range r.Parts(message) {
			if read = read || p.Use == UseReport || p.Use == UseText || p.Use == UseOriginal; (p.Use == UseNone) != (p.Why != "") {
				t.Errorf("%s: %+v", file, p)
			}
		}
		if !read {
			t.Errorf("%s: nothing was read", file)
		}
	}
}
