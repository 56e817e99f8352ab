package mailfile

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// A file of joined messages has no separators. A message ends where its outermost
// multipart is closed, if the header of another message begins right there. Without a
// multipart, a second message looks the same as a quoted one.

// joined yields the messages that were collected as one.
func (r *reader) joined(path string) {
	if r.delivered {
		r.emit(path, 1)
		return
	}
	cut := r.message.size - int64(len(r.message.body)) // by MaxMessage
	body, rest := cutJoined(r.message.body)
	for number := 1; !r.done(); number++ {
		m := Message{Path: path, Number: number, Body: body, Size: int64(len(body)), Joined: number > 1}
		if rest == nil {
			m.Size += cut
		}
		if r.hand(m); m.Joined && m.Size > int64(len(body)) {
			r.fail(path, fmt.Errorf("%w: more than %d octets of messages without a separator", errJoined, len(r.message.body)))
		}
		if rest == nil {
			break
		}
		body, rest = cutJoined(rest)
	}
}

var errJoined = errors.New("not read to its end")

// cutJoined returns the first message in b, and the messages after it.
func cutJoined(b []byte) (first, rest []byte) {
	delimiter := closingDelimiter(b)
	if delimiter == nil {
		return b, nil
	}
	end := 0
	for {
		i := bytes.Index(b[end:], delimiter)
		if i < 0 {
			return b, nil
		}
		start := end + i
		end = start + len(delimiter)
		line := b[end : end+lineLen(b[end:], '\n')]
		if (start == 0 || b[start-1] == '\n') && len(bytes.TrimSpace(line)) == 0 {
			end += len(line)
			break
		}
	}
	next := bytes.TrimLeft(b[end:], "\r\n")
	header := next
	if line := next[:lineLen(next, '\n')]; len(line) <= maxFromLine && fromLine(line) {
		header = next[len(line):]
	}
	if !isMessageHeader(header) {
		return b, nil
	}
	return b[:end], header
}

// closingDelimiter returns the line that ends a message's outermost multipart (RFC
// 2046 section 5.1.1); nil: it has none.
func closingDelimiter(b []byte) []byte {
	for f := range headerFields(b) {
		if !message.Is(f.Name, "content-type") {
			continue
		}
		boundary := message.Param(f.Value, "boundary")
		if len(boundary) == 0 || !message.HasPrefixFold(f.Value, "multipart/") {
			return nil
		}
		return []byte("--" + string(boundary) + "--")
	}
	return nil
}

// isMessageHeader reports whether b begins with a header that has an author, and two
// more fields as only a message's own header has them.
func isMessageHeader(b []byte) bool {
	author, others := false, 0
	for f := range headerFields(b) {
		switch strings.ToLower(string(f.Name)) {
		case "from":
			author = true
		case "date", "message-id", "subject", "received", "mime-version", "return-path":
			others++
		}
	}
	return author && others >= 2
}

// maxJoinedHeader is how many octets of a header are read.
const maxJoinedHeader = 64 << 10

// headerFields yields the fields of the header at the start of b, up to the first line
// that is not a field.
func headerFields(b []byte) iter.Seq[message.Field] {
	b = bytes.TrimLeft(b[:min(len(b), maxJoinedHeader)], "\r\n")
	return func(yield func(message.Field) bool) {
		for {
			f, rest, kind := message.ReadField(b)
			if kind != message.FieldLine || !yield(f) {
				return
			}
			b = rest
		}
	}
}
