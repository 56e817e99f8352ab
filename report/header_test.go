package report

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fblwatch/fblwatch/internal/message"
)

const headerMessage = "Received: from b.example.net by a.example.com; Mon, 06 Jul 2026 10:00:05 +0000\n" +
	"Authentication-Results: a.example.com;\n\tdkim=pass\n" +
	"Received: from c.example.net by b.example.net; Mon, 06 Jul 2026 10:00:04 +0000\n" +
	"authentication-results: forged.example.net; dkim=pass\n" +
	"From: fbl@example.com\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n" +
	"--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe =\nan alle\n\n" +
	"--b\nContent-Type: message/feedback-report\nContent-Transfer-Encoding: base64\n\n" +
	"RmVlZGJhY2stVHlwZTogYWJ1c2UKVXNlci1BZ2VudDogZgpYLVR3bzogMQp4LXR3bzogMgo=\n\n" + // Feedback-Type: abuse, User-Agent: f, X-Two: 1, x-two: 2
	"--b\nContent-Type: message/rfc822\n\n" +
	"Received: from d.example.net\n by e.example.com;\n Mon, 06 Jul 2026 09:00:00 +0000\n" +
	"X-Token: aaaa\n bbbb\nFrom: a@example.net\nSubject: s\nX-Token: cccc\n\nX-Token: body\n\n--b--\n"

func TestHeader(t *testing.T) {
	r := Parse([]byte(headerMessage))
	for _, c := range []struct {
		source, name string
		want         []string
	}{
		{FromOuter, "Authentication-Results", []string{"a.example.com; dkim=pass", "forged.example.net; dkim=pass"}},
		{FromOriginal, "x-token", []string{"aaaa bbbb", "cccc"}},
		{FromOriginal, "RECEIVED", []string{"from d.example.net by e.example.com; Mon, 06 Jul 2026 09:00:00 +0000"}},
		{FromReport, "X-Two", []string{"1", "2"}},
		{FromReport, "From", nil},
		{FromOuter, "X-Token", nil},
		{"nowhere", "From", nil},
	} {
		if got := r.Header(c.source).Values(c.name); !slices.Equal(got, c.want) {
			t.Errorf("%s:%s: %q, want %q", c.source, c.name, got, c.want)
		}
	}
	var names []string
	for name := range r.Header(FromOuter).Fields() {
		names = append(names, name)
	}
	if want := "received authentication-results received authentication-results from content-type"; strings.Join(names, " ") != want {
		t.Errorf("%q, want %q", names, want)
	}
	var tokens []string
	for i, h := 0, r.Header(FromOriginal); i < h.Len(); i++ {
		tokens = append(tokens, h.Name(i)+"="+h.Value(i))
	}
	if want := []string{"Received=from d.example.net by e.example.com; Mon, 06 Jul 2026 09:00:00 +0000", "X-Token=aaaa bbbb", "From=a@example.net", "Subject=s", "X-Token=cccc"}; !slices.Equal(tokens, want) {
		t.Errorf("%q, want %q", tokens, want)
	}
	if got := r.Text(); got != "Grüße an alle\n" {
		t.Errorf("text %q", got)
	}
}

// TestHeaderOfOthers: a message that makes no record keeps nothing.
func TestHeaderOfOthers(t *testing.T) {
	r := Parse([]byte("From: a@example.com\nSubject: lunch\n\nat noon\n"))
	if r.Kind != KindOther || r.Header(FromOuter).Values("From") != nil || r.Text() != "" {
		t.Errorf("%s %q %q", r.Kind, r.Header(FromOuter).Values("From"), r.Text())
	}
}

// TestHeaderCut: a field that the message's end cuts is no value; half a token
// would be another one.
func TestHeaderCut(t *testing.T) {
	for cut := range len(headerMessage) {
		r := Parse([]byte(headerMessage[:cut]))
		for _, c := range []struct {
			source, name string
			want         []string
		}{
			{FromOriginal, "X-Token", []string{"aaaa", "aaaa bbbb", "cccc"}}, // folded: see TestTruncated
			{FromReport, "X-Two", []string{"1", "2"}},
			{FromOuter, "From", []string{"fbl@example.com"}},
		} {
			for _, v := range r.Header(c.source).Values(c.name) {
				if !slices.Contains(c.want, v) {
					t.Fatalf("cut at %d: %s: %q", cut, c.name, v)
				}
			}
		}
	}
}

// TestHeaderWhole: a header is whole once its end was seen, and no sooner.
func TestHeaderWhole(t *testing.T) {
	for source, end := range map[string]string{FromOuter: "boundary=b\n\n", FromReport: "x-two: 2\n\n\n--b", FromOriginal: "X-Token: cccc\n\n"} {
		message := strings.Replace(headerMessage, "Content-Transfer-Encoding: base64\n\nRmVlZGJhY2stVHlwZTogYWJ1c2UKVXNlci1BZ2VudDogZgpYLVR3bzogMQp4LXR3bzogMgo=\n",
			"\nFeedback-Type: abuse\nUser-Agent: f\nX-Two: 1\nx-two: 2\n\n", 1)
		at := strings.Index(message, end) + len(end)
		if at < len(end) {
			t.Fatalf("no %q", end)
		}
		for cut := range message {
			r := ParsePrefix([]byte(message[:cut]), int64(len(message)))
			if got := r.Header(source).Whole(); got && cut < at || !got && cut > at && r.Kind == KindReport {
				t.Fatalf("%s: %v when cut at %d of %d", source, got, cut, at)
			}
			if !r.Partial() {
				t.Fatalf("cut at %d: not partial", cut)
			}
		}
		if r := Parse([]byte(message)); r.Partial() || !r.Header(source).Whole() {
			t.Errorf("%s: of the whole mail", source)
		}
	}
}

// TestHeaderLimit: of a header that is too long its first whole fields are
// kept, and each of the others is kept all the same.
func TestHeaderLimit(t *testing.T) {
	long := "X-First: 1\nX-Long: " + strings.Repeat("x\n ", message.MaxRaw/3) + "y\nX-Last: 1\n"
	sent := strings.Replace(headerMessage, "X-Token: aaaa\n bbbb\n", long, 1)
	sent = strings.Replace(sent, "Gr=FC", strings.Repeat("y ", message.MaxRaw), 1)
	r := Parse([]byte(sent))
	o := r.Header(FromOriginal)
	if o.Whole() || !r.Header(FromOuter).Whole() || !r.Header(FromReport).Whole() {
		t.Errorf("whole: %v %v %v", o.Whole(), r.Header(FromOuter).Whole(), r.Header(FromReport).Whole())
	}
	if len(o.Values("X-First")) != 1 || o.Values("X-Long") != nil || o.Values("X-Last") != nil {
		t.Errorf("%d %d %d", len(o.Values("X-First")), len(o.Values("X-Long")), len(o.Values("X-Last")))
	}
	if len(r.Header(FromOuter).Values("Received")) != 2 || len(r.Header(FromReport).Values("x-two")) != 2 {
		t.Error("the other headers are cut too")
	}
	if n := len(r.Text()); n != message.MaxRaw {
		t.Errorf("%d octets of text", n)
	}
}

// TestParseTogether: messages that are parsed at once, each out of memory that
// changes right behind, are read as alone.
func TestParseTogether(t *testing.T) {
	said := func(message []byte) string {
		r := Parse(message)
		clear(message)
		var all strings.Builder
		for _, record := range r.Records(envelope) {
			all.Write(record.AppendJSON(nil))
		}
		for _, source := range []string{FromOuter, FromOriginal, FromReport} {
			for name, v := range r.Header(source).Fields() {
				all.WriteString("\n" + name + ": " + v)
			}
		}
		return all.String() + "\n\n" + r.Text()
	}
	list := fixtures(t)
	alone := make([]string, len(list))
	for i, f := range list {
		alone[i] = said(bytes.Clone(f.message))
	}
	var wg sync.WaitGroup
	for from := range 8 {
		wg.Go(func() {
			for i := range list {
				i = (i + from*len(list)/8) % len(list)
				if got := said(bytes.Clone(list[i].message)); got != alone[i] {
					t.Errorf("%s: %s\nalone: %s", list[i].name, got, alone[i])
				}
			}
		})
	}
	wg.Wait()
}
