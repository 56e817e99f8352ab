package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/internal/sample"
)

const idHeader = "From: Loop\n <fbl@example.com>\nDate:  Mon, 06 Jul 2026 10:00:00 +0000 \nMessage-ID: <1@example.com>\nX-Trace: one\n" +
	"Content-Type: multipart/report; boundary=b\n"

// The ids are computed by hand, in Python. The first one, for example:
//
//	hashlib.sha256(b"23:Loop <fbl@example.com>" b"31:Mon, 06 Jul 2026 10:00:00 +0000"
//		b"15:<1@example.com>" b"5:body\n").hexdigest()[:32]
//
// They are in ledgers: they never change.
var frozenIDs = []struct {
	name, message, id string
}{
	{"plain", idHeader + "\nbody\n", "0ae53c235d358a96818b737b85f3d270"},
	{"no message-id", strings.Replace(idHeader, "Message-ID: <1@example.com>\n", "", 1) + "\nbody\n", "d8e773ffb97da00125518a238da90897"},
	{"no message-id, other trace", strings.NewReplacer("Message-ID: <1@example.com>\n", "", "one", "two").Replace(idHeader) + "\nbody\n", "cf37584c19ea84574c41fbfd778aa715"},
	{"multipart/mixed", strings.Replace(idHeader, "/report", "/mixed", 1) + "\nbody\n", "4160f32ca8067d9c190b7a9d55c68253"},
	{"long body", idHeader + "\n" + strings.Repeat("0123456789abcde\n", 256), "5e60fd15e8820b5ab607b5ad29f58aa7"},
	{"no body", idHeader, "cb612ba8396e1666e907e85cb7a51506"},
	{"empty", "", "390feabc786e369e55b904251d643b52"},
}

func TestReportID(t *testing.T) {
	for _, c := range frozenIDs {
		t.Run(c.name, func(t *testing.T) {
			for name, message := range map[string]string{
				"LF":        c.message,
				"CRLF":      strings.ReplaceAll(c.message, "\n", "\r\n"),
				"CR":        strings.ReplaceAll(c.message, "\n", "\r"),
				"mbox line": "From fbl@example.com Mon Jul  6 10:00:00 2026\n" + c.message,
			} {
				if got := Parse([]byte(message)).ID; got != c.id {
					t.Errorf("%s: %s, want %s", name, got, c.id)
				}
			}
		})
	}
}

// TestReportIDUnfolded: folding and what stands behind the 4,096th octet of the
// body do not count, other header fields only where there is no Message-ID.
func TestReportIDUnfolded(t *testing.T) {
	base := idHeader + "\n" + strings.Repeat("0123456789abcde\n", 256)
	id := Parse([]byte(base)).ID
	for _, same := range []string{
		base + "more",
		strings.Replace(base, "Loop\n <", "Loop <", 1),
		strings.Replace(base, "X-Trace: one", "X-Trace: two\nReceived: x", 1),
		strings.Replace(base, "Message-ID: ", "message-id:\n\t", 1),
	} {
		if strings.Contains(same, "message-id:\n") {
			// Unfolding takes the line break, not the blank; both are trimmed.
			same = strings.Replace(same, "\t<1@", " <1@", 1)
		}
		if got := Parse([]byte(same)).ID; got != id {
			t.Errorf("%s, want %s:\n%.200s", got, id, same)
		}
	}
	if got := Parse([]byte(strings.Replace(base, "0123", "x123", 1))).ID; got == id {
		t.Error("the body does not count")
	}
}

// TestReportIDBlankInHeader: the id is of the header proper, up to its first
// blank line, also where the reader reads on.
func TestReportIDBlankInHeader(t *testing.T) {
	for _, f := range fixtures(t) {
		if f.name != "blank-in-header" {
			continue
		}
		header, body, _ := bytes.Cut(f.message, []byte("\n\n"))
		want := digest(string(header), string(body[:min(len(body), idBody)]))
		if got := Parse(f.message).ID; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// fetch reads a message as a client does: a first piece, then what Need asks for.
func fetch(t testing.TB, message []byte, first int) (r *Report, got int) {
	size := int64(len(message))
	got = min(first, len(message))
	for range 64 {
		r = ParsePrefix(message[:got:got], size)
		need := r.Need()
		if need == 0 {
			return r, got
		}
		if need <= int64(got) || need > size {
			t.Fatalf("%d octets of %d given, %d needed", got, size, need)
		}
		got = int(need)
	}
	t.Fatal("Need has no end")
	return nil, 0
}

// TestNeed: what Need asks for gives the records of the whole message, but for
// what only the end of the original tells.
func TestNeed(t *testing.T) {
	for _, f := range fixtures(t) {
		for _, first := range []int{0, 1, 100, 700, 1500, 4096} {
			whole := Parse(f.message)
			part, _ := fetch(t, f.message, first)
			if part.ID != whole.ID || part.Kind != whole.Kind {
				t.Fatalf("%s from %d: %s %s, want %s %s", f.name, first, part.ID, part.Kind, whole.ID, whole.Kind)
			}
			want, got := whole.Records(envelope), part.Records(envelope)
			if len(want) != len(got) {
				t.Fatalf("%s from %d: %d records, want %d", f.name, first, len(got), len(want))
			}
			for i := range want {
				if got[i].Original != nil && got[i].Original.Size == 0 {
					o := *want[i].Original
					o.Size, o.HeadersOnly = 0, got[i].Original.HeadersOnly
					want[i].Original = &o
				}
				got[i].Parse, want[i].Parse = ParseStatus{}, ParseStatus{}
				if w, g := string(want[i].AppendJSON(nil)), string(got[i].AppendJSON(nil)); w != g {
					t.Errorf("%s from %d:\n got %s\nwant %s", f.name, first, g, w)
				}
			}
		}
	}
}

// TestNeedOfCRLF: a body of lines of 40 octets and CRLF has idBody octets, each
// CRLF counting for one, in 99 such lines and 37 octets of the hundredth.
func TestNeedOfCRLF(t *testing.T) {
	const exact = 99*42 + 37
	line := strings.Repeat("x", 40) + "\r\n"
	header := "From: a@example.com\r\nMessage-ID: <1@example.com>\r\nContent-Type: text/plain\r\n\r\n"
	message := header + strings.Repeat(line, 1000)
	whole := Parse([]byte(message)).ID
	for n := idBody; n < 2*idBody; n++ {
		r := ParsePrefix([]byte(message[:len(header)+n]), int64(len(message)))
		if enough := n >= exact; (r.Need() == 0) != enough || enough && r.ID != whole {
			t.Fatalf("given %d octets of the body: %d needed, id %s of %s", n, r.Need(), r.ID, whole)
		}
	}
}

// TestNeedLittle: a large message is not fetched to its end.
func TestNeedLittle(t *testing.T) {
	large := strings.Repeat("Lorem ipsum dolor sit amet.\r\n", 100_000)
	report := strings.ReplaceAll(string(sample.Arrived(5<<10)), "Lorem ipsum", large)
	for name, c := range map[string]struct {
		message string
		limit   int
	}{
		"report":     {report, firstLook},
		"person":     {"From: a@example.com\r\nSubject: hi\r\n\r\n" + large, 3 * idBody},
		"bounce":     {strings.Replace(report, "report-type=feedback-report", "report-type=delivery-status", 1), 3 * idBody},
		"attachment": {"From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\nContent-Type: image/png\r\n\r\n" + large + "--b--\r\n", 2 * message.LookMixed},
		"header":     {strings.Repeat("X-Long: "+strings.Repeat("x", 1000)+"\r\n", 10_000) + "\r\nbody", message.MaxHeader + 2*idBody},
		"one line":   {strings.Repeat("x", 10<<20), message.MaxHeader + 2*idBody},
	} {
		if _, got := fetch(t, []byte(c.message), 4096); got > c.limit {
			t.Errorf("%s: %d of %d octets were asked for, want at most %d", name, got, len(c.message), c.limit)
		}
	}
}

// TestOrigin: the same From, Date and Message-ID make the same number, whatever
// else the message says; none is made of less.
func TestOrigin(t *testing.T) {
	const all = "From: a@example.com\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n"
	of := func(message string) uint64 { return Parse([]byte(message)).Origin() }
	want := of(all + "\r\ntext")
	if want == 0 {
		t.Fatal("no origin")
	}
	for _, message := range []string{
		all + "Content-Type: multipart/report; report-type=feedback-report; boundary=x\r\n\r\n--x\r\n\r\n--x--\r\n",
		"X-New: 1\r\n" + strings.Replace(all, " 30 Nov", "\r\n 30 Nov", 1) + "\r\nother text",
		"From: someone\r\n" + all, // the first one counts
	} {
		if got := of(message); (got == want) == strings.HasPrefix(message, "From: someone") {
			t.Errorf("%q: %x, want %x", message, got, want)
		}
	}
	for _, name := range []string{"From", "Date", "Message-ID"} {
		if got := of(strings.Replace(all, name, "X-"+name, 1) + "\r\ntext"); got != 0 {
			t.Errorf("without %s: %x", name, got)
		}
	}
}
