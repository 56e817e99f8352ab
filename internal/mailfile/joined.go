package mailfile

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
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
func cutJoined(b []byte) (message, rest []byte) {
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

var (
	multipartType = regexp.MustCompile(`(?i)^multipart/`)
	boundaryParam = regexp.MustCompile(`(?i);\s*boundary\s*=\s*(?:"([^"]*)"|([^\s;]+))`)
)

// closingDelimiter returns the line that ends a message's outermost multipart (RFC
// 2046 section 5.1.1); nil: it has none.
func closingDelimiter(message []byte) []byte {
	for name, value := range headerFields(message) {
		if !strings.EqualFold(name, "Content-Type") {
			continue
		}
		param := boundaryParam.FindSubmatch(value)
		if param == nil || !multipartType.Match(value) {
			return nil
		}
		boundary := append(param[1], param[2]...)
		if len(boundary) == 0 {
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
	for name := range headerFields(b) {
		switch strings.ToLower(name) {
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

// headerFields yields the fields of the header at the start of b, with their line
// breaks, up to the first line that is not a field.
func headerFields(b []byte) func(yield func(name string, value []byte) bool) {
	b = bytes.TrimLeft(b[:min(len(b), maxJoinedHeader)], "\r\n")
	return func(yield func(name string, value []byte) bool) {
		for len(b) > 0 && fieldForm.Match(b) {
			end := lineLen(b, '\n')
			for end < len(b) && (b[end] == ' ' || b[end] == '\t') {
				end += lineLen(b[end:], '\n')
			}
			name, value, _ := bytes.Cut(b[:end], []byte(":"))
			if !yield(string(bytes.TrimSpace(name)), bytes.TrimSpace(value)) {
				return
			}
			b = b[end:]
		}
	}
}
