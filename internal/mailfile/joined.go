package mailfile

import (
	"bytes"
	"regexp"
	"strings"
)

// Files of messages that were joined have no separators: a message ends where its
// outermost multipart is closed, if the header of another message begins right there.
// Where there is no multipart, nothing tells a second message from a quoted one.

// cutJoined returns the first message in b, and the messages behind it.
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

// closingDelimiter is the line that ends a message's outermost multipart (RFC 2046
// section 5.1.1); nil: it has none.
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

// isMailHeader reports whether b begins with a header that has an author, and two
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

// maxJoinedHeader is how much of a header is looked at.
const maxJoinedHeader = 64 << 10

// headerFields yields the fields of the header at the start of b, with their line
// breaks, up to the first line that is no field.
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
