package mailfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fblwatch/fblwatch/internal/sample"
)

const separator = "From fbl@example.net Mon Mar  2 06:00:00 2026\n"

// readAll returns the bodies of all messages of an mbox or message.
func readAll(t *testing.T, src io.Reader) (bodies [][]byte) {
	t.Helper()
	for m, err := range Read(context.Background(), "-", Options{Stdin: src}) {
		if err != nil {
			t.Fatal(err)
		}
		if m.Size != int64(len(m.Body)) {
			t.Fatalf("a message of %d octets has a body of %d", m.Size, len(m.Body))
		}
		bodies = append(bodies, bytes.Clone(m.Body))
	}
	return bodies
}

func equal(t *testing.T, what string, got, want [][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d messages, want %d", what, len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("%s: message %d of %d is\n%.1000q, want\n%.1000q", what, i+1, len(want), got[i], want[i])
		}
	}
}

// mboxrd writes messages as an mbox, a missing line end at the end of one added.
// It returns them as they must come back.
func mboxrd(messages [][]byte) (box []byte, want [][]byte) {
	for i, message := range messages {
		if len(message) > 0 && message[len(message)-1] != '\n' {
			message = append(bytes.Clone(message), '\n')
		}
		box = append(box, separator...)
		for line := range bytes.Lines(message) {
			if bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
				box = append(box, '>')
			}
			box = append(box, line...)
		}
		box = append(box, '\n')
		if i > 0 || !internalData(message) {
			want = append(want, message)
		}
	}
	return box, want
}

// reference splits a small mbox by a plain walk over its lines. Every octet of
// the input goes either into a body or into the count of dropped ones.
func reference(input []byte) (bodies [][]byte, dropped int) {
	rest := bytes.TrimPrefix(input, bom)
	for more := true; more; { // lines without anything to see
		rest = bytes.TrimLeft(rest, "\r\n")
		line, after, found := bytes.Cut(rest, []byte("\n"))
		if more = found && len(bytes.TrimSpace(line)) == 0; more {
			rest = after
		}
	}
	dropped = len(input) - len(rest)
	eol, old := "\n", bytes.IndexByte(rest, '\r')
	if old >= 0 && !bytes.Contains(rest[:old], []byte("\n")) && !bytes.HasPrefix(rest[old:], []byte("\r\n")) && fromLine(rest[:old]) {
		eol = "\r"
	}
	lines := bytes.SplitAfter(rest, []byte(eol))
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	empty := func(i int) bool {
		return string(lines[i]) == eol || string(lines[i]) == "\r"+eol && eol == "\n"
	}
	separates := func(i int) bool {
		return i >= 2 && empty(i-1) && len(lines[i]) <= maxFromLine && fromLine(lines[i])
	}
	inPart := func(i int) bool {
		j := i - 2
		message := false
		for ; j > 0 && !empty(j) && !bytes.HasPrefix(lines[j], []byte("--")); j-- {
			line := strings.ToLower(string(lines[j]))
			if value, ok := strings.CutPrefix(line, "content-type:"); ok {
				value = strings.TrimSpace(value)
				message = strings.HasPrefix(value, "message/") || strings.HasPrefix(value, "text/rfc822")
			}
		}
		boundary := strings.TrimRight(strings.TrimSuffix(string(lines[max(j, 0)]), eol), "\r")
		if !message || !strings.HasPrefix(boundary, "--") || strings.ContainsAny(boundary, " \t") || strings.Trim(boundary, "-=_") == "" {
			return false
		}
		for k := i + 1; k < len(lines); k++ {
			line := string(lines[k])
			after, ok := strings.CutPrefix(line, boundary+"--")
			if ok {
				return strings.TrimSpace(after) == ""
			}
			if strings.Contains(line, boundary[2:]) || k > i+1 && separates(k) {
				return false
			}
		}
		return false
	}
	for i, line := range lines {
		if i == 0 || separates(i) && !inPart(i) {
			if i > 0 {
				last := &bodies[len(bodies)-1]
				*last = (*last)[:len(*last)-len(lines[i-1])]
				dropped += len(lines[i-1])
			}
			bodies = append(bodies, nil)
			dropped += len(line)
			continue
		}
		if line[0] == '>' && bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From ")) {
			line = line[1:]
			dropped++
		}
		last := &bodies[len(bodies)-1]
		*last = append(*last, line...)
	}
	if n := len(lines) - 1; n > 0 && empty(n) && !separates(n) {
		last := &bodies[len(bodies)-1]
		*last = (*last)[:len(*last)-len(lines[n])]
		dropped += len(lines[n])
	}
	return bodies, dropped
}

// FuzzMbox holds the reader to two things. Any input is split as the reference
// splits it, which loses no octet; and messages written as mboxrd come back as
// they were, the input cut at \x01 being the messages.
func FuzzMbox(f *testing.F) {
	const part = "--=_x1\nContent-Type: message/rfc822\n\n"
	for _, seed := range []string{
		"",
		separator,
		separator + "A: b\n\nc\n\n" + separator + "\n" + separator + ">From d\n>>From e\n\n",
		strings.ReplaceAll(separator+"A: b\n\nc\n\n"+separator+"d\n\n", "\n", "\r\n"),
		strings.ReplaceAll(separator+"A: b\n\n>From c\n\n"+separator+"d\n\n", "\n", "\r"),
		"\xef\xbb\xbf\n\r\n" + separator + "a\r\n\r\n" + separator + "b\n\n\n\n",
		separator + part + separator + "A: b\n\n--=_x1--\n\n" + separator + "c",
		separator + part + separator + "A: b\n\n" + separator + "--=_x1--\n\n",
		"From somebody\r\n\r\nFrom Mon Mar  2 06:00 2026 remote from x\r\n\r\n",
		"A: b\n\nFrom me\x01>From you\x01\x01\n\x01\n\n\x01no end",
		"  \n\t\r\n" + separator + "a\n",
		separator + "a\r\r" + strings.ReplaceAll(separator, "\n", "\r"),
	} {
		f.Add([]byte(seed))
	}
	f.Add(append([]byte(separator), sample.Report(1, 0)...))
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) > maxHead {
			return // the reference knows no limits
		}
		if startsMbox(input) {
			want, dropped := reference(input)
			kept := 0
			for _, body := range want {
				kept += len(body)
			}
			if kept+dropped != len(input) {
				t.Fatalf("%d octets in messages and %d around them, of %d", kept, dropped, len(input))
			}
			if internalData(want[0]) {
				want = want[1:]
			}
			equal(t, "whole", readAll(t, bytes.NewReader(input)), want)

			// The window ends at each octet only after the octets that are read ahead.
			input = append(filler(input), input...)
			want, _ = reference(input)
			equal(t, "octet by octet", readAll(t, iotest.OneByteReader(bytes.NewReader(input))), want)
		}

		// A message inside a message may take the separator for its own.
		lower := bytes.ToLower(input)
		if bytes.Contains(lower, []byte("message/")) || bytes.Contains(lower, []byte("text/rfc822")) {
			return
		}
		box, want := mboxrd(bytes.Split(input, []byte("\x01")))
		equal(t, "round trip", readAll(t, bytes.NewReader(box)), want)
	})
}

// filler is a first message, longer than what is read ahead, for an mbox whose
// lines end as those of box.
func filler(box []byte) []byte {
	message := []byte(separator + strings.Repeat("filler\n", maxHead/4) + "\n")
	if i := bytes.IndexAny(box, "\r\n"); i >= 0 && box[i] == '\r' && !bytes.HasPrefix(box[i:], []byte("\r\n")) {
		return bytes.ReplaceAll(message, []byte("\n"), []byte("\r"))
	}
	return message
}

// FuzzRead reads anything as a file, compressed or not: no panic, and no octet
// of one that is no mbox is lost, unless it is binary, which is said.
func FuzzRead(f *testing.F) {
	f.Add([]byte("A: b\n\nc"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Add([]byte(separator))
	f.Add([]byte("Content-Type: multipart/x; boundary=b\n\n--b--\nFrom: a\nDate: b\nSubject: c\n\nd"))
	f.Fuzz(func(t *testing.T, input []byte) {
		var size int64
		joined := false
		var failed error
		for m, err := range Read(context.Background(), "-", Options{Stdin: bytes.NewReader(input), MaxMessage: 100}) {
			if joined = joined || m.Joined; !joined && int64(len(m.Body)) != min(m.Size, 100) {
				t.Fatalf("%d octets kept of %d", len(m.Body), m.Size)
			}
			size += m.Size
			failed = errors.Join(failed, err)
		}
		zipped := bytes.HasPrefix(input, []byte{0x1f, 0x8b})
		if errors.Is(failed, ErrNotMessage) {
			if size > 0 || !zipped && (startsMbox(input) || http.DetectContentType(input) == "text/plain; charset=utf-8") {
				t.Fatal(failed)
			}
		} else if !zipped && failed != nil && !errors.Is(failed, errJoined) {
			t.Fatal(failed)
		} else if !zipped && failed == nil && !joined && !startsMbox(input) && size != int64(len(input)) {
			t.Fatalf("messages of %d octets in %d", size, len(input))
		}
	})
}

// TestManyWindows reads messages that lie across the ends of windows in every way:
// sizes from nothing to several windows, lines that must be quoted, and reads
// of uneven length.
func TestManyWindows(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	words := []string{"\n", "\n", "\r\n", "From ", ">From ", ">>", "\n\n", separator, "word ", "F", "From: x", strings.Repeat("y", 3000)}
	var messages [][]byte
	total := 0
	for total < 16*windowSize {
		var message []byte
		for range random.IntN(1 << random.IntN(12)) {
			message = append(message, words[random.IntN(len(words))]...)
		}
		messages = append(messages, message)
		total += len(message)
	}
	box, want := mboxrd(messages)
	equal(t, "whole", readAll(t, bytes.NewReader(box)), want)
	for range 3 {
		equal(t, "uneven", readAll(t, &uneven{bytes.NewReader(box), random}), want)
	}
}

// TestPartsAcrossWindows has originals with a separator of their own lie across
// the end of a window in every way.
func TestPartsAcrossWindows(t *testing.T) {
	const first = windowSize - 2*maxFromLine
	part := separator + "A: b\n\n--=_x1\nContent-Type: message/rfc822\n\n" + separator + "C: d\n\n"
	for size := first; size < windowSize+100; size += 9 {
		box := append([]byte(separator), bytes.Repeat([]byte("."), size-len(separator)-2)...)
		box = append(box, "\n\n"+part...)
		box = append(box, bytes.Repeat([]byte("a line\n"), lookAhead/8)...)
		box = append(box, "--=_x1--\n\n"...)
		if n := len(readAll(t, bytes.NewReader(box))); n != 2 {
			t.Errorf("%d messages, want 2, behind a message of %d octets", n, size)
		}
	}
}

// uneven reads between nothing and 100 KB at once.
type uneven struct {
	r      io.Reader
	random *rand.Rand
}

func (u *uneven) Read(p []byte) (int, error) {
	n := u.random.IntN(100 << 10)
	return u.r.Read(p[:min(n, len(p))])
}
