package mailfile

import "bytes"

const (
	// maxFromLine is the longest line that can separate two messages.
	maxFromLine = 1 << 10
	// maxBoundary is the longest boundary line of a part that is accepted; RFC
	// 2046 section 5.1.1 allows 72.
	maxBoundary = 258
	// holdBack is how many octets at a window's end are not taken while more may
	// follow: an empty line (2) and the beginning of "From " (4).
	holdBack = 6
	// lookAhead is how many octets after a separator are searched for the boundary
	// that would make its message a part of the message before.
	lookAhead = 128 << 10
)

var (
	fromWord = []byte("From ")
	bom      = []byte("\xef\xbb\xbf")
)

// skipBlank returns head without a leading byte order mark and blank lines, which
// may hold white space.
func skipBlank(head []byte) []byte {
	head = bytes.TrimPrefix(head, bom)
	for {
		line := head[:lineLen(head, '\n')]
		if rest := bytes.TrimLeft(head, "\r\n"); len(rest) < len(head) {
			head = rest
		} else if len(line) > 0 && line[len(line)-1] == '\n' && len(bytes.TrimSpace(line)) == 0 {
			head = head[len(line):]
		} else {
			return head
		}
	}
}

func startsMbox(head []byte) bool { return bytes.HasPrefix(skipBlank(head), fromWord) }

// mbox splits a window into messages.
//
// A message ends where an empty line is followed by a line that fromLine accepts,
// or at the end of the file. That empty line, and one at the end of the file,
// belongs to no message. A line of any number of ">" and "From " loses one ">".
// Content-Length (mboxcl) is ignored: a message's sender could write it to hide the
// messages that follow.
type mbox struct {
	w    *window
	eol  byte // what ends a line: LF, perhaps after CR; or CR in an old Mac's file
	open bool // a separator was taken, and its message was not
}

// openMbox takes the first separator of a window for which startsMbox is true.
func openMbox(w *window) *mbox {
	m := &mbox{w: w, eol: '\n', open: true}
	head := w.want(maxHead + maxFromLine)
	w.pos += len(head) - len(skipBlank(head))
	head = w.buf[w.pos:w.end]
	if i := bytes.IndexAny(head, "\r\n"); i >= 0 && head[i] == '\r' && !bytes.HasPrefix(head[i:], []byte("\r\n")) && fromLine(head[:i]) {
		m.eol = '\r'
	}
	// The first line belongs to no message. If it is too long for a separator, its
	// octets after head belong to the message.
	w.pos += lineLen(head, m.eol)
	return m
}

// lineLen returns the length of b's first line with its end, or of all of b.
func lineLen(b []byte, eol byte) int {
	if i := bytes.IndexByte(b, eol); i >= 0 {
		return i + 1
	}
	return len(b)
}

// next collects the next message, and reports whether there was one.
func (m *mbox) next(message *collector) bool {
	if !m.open {
		return false
	}
	message.reset()
	w := m.w
	seen := 0 // from pos on: no "From " that still matters begins before it
	take := func(n int) {
		message.add(w.buf[w.pos : w.pos+n])
		w.pos += n
		seen = max(0, seen-n)
	}
	for {
		b := w.buf[w.pos:w.end]
		i := bytes.Index(b[seen:], fromWord)
		if i < 0 {
			if w.err != nil {
				break
			}
			seen = max(seen, len(b)-len(fromWord)+1)
			take(max(0, len(b)-holdBack))
			w.want(w.end - w.pos + 1)
			continue
		}
		i += seen
		seen = i + len(fromWord)

		at := w.pos + i
		start := len(bytes.TrimRight(w.buf[:at], ">"))
		switch {
		case start == 0 || w.buf[start-1] != m.eol:
			// In the middle of a line.
		case start < at:
			take(i - 1)
			w.pos++ // the last ">"
			seen = len(fromWord)
		default:
			blank := blankBefore(w.buf, at, m.eol)
			if blank == at {
				break
			}
			take(blank - w.pos)
			if n := m.separator(at - blank); n > 0 {
				w.pos += n
				return true
			}
		}
	}
	take(blankBefore(w.buf[:w.end], w.end, m.eol) - w.pos)
	w.pos = w.end
	m.open = false
	return true
}

// separator returns the length of the separator at pos, whose "From " is n octets
// further; 0 if it is not a separator.
func (m *mbox) separator(n int) int {
	line := m.w.want(n + maxFromLine)[n:]
	line = line[:lineLen(line, m.eol)]
	if len(line) > maxFromLine || !fromLine(line) || m.inPart(n+len(line)) {
		return 0
	}
	return n + len(line)
}

// inPart reports whether the separator of n octets at pos is the first line of a
// message inside the message before it: some reporters attach the original with its
// own mbox line, and some writers of mbox files quote nothing.
//
// That is so if the header of a message part ends right there, and the part's closing
// boundary follows before any further separator, with no other mention of that
// boundary in between. The part's header alone is not enough: a message that ends
// with one could swallow the next message.
func (m *mbox) inPart(n int) bool {
	boundary := bytes.Clone(partBoundary(m.w.buf[:m.w.pos], m.eol))
	if boundary == nil {
		return false
	}
	rest := m.w.want(n + lookAhead)[n-1:] // from the end of the separator on
	rest = rest[:m.nextSeparator(rest)]
	before, after, ok := bytes.Cut(rest, append(append([]byte{m.eol}, boundary...), "--"...))
	return ok && !bytes.Contains(before, boundary[2:]) && len(bytes.TrimSpace(after[:lineLen(after, m.eol)])) == 0
}

// nextSeparator returns the offset of the next separator in b, or len(b).
func (m *mbox) nextSeparator(b []byte) int {
	for at := 0; ; at += len(fromWord) {
		i := bytes.Index(b[at:], fromWord)
		if i < 0 {
			return len(b)
		}
		at += i
		if blankBefore(b, at, m.eol) == at {
			continue
		}
		rest := b[at:min(len(b), at+maxFromLine+1)]
		if line := rest[:lineLen(rest, m.eol)]; len(line) <= maxFromLine && fromLine(line) {
			return at
		}
	}
}

// partBoundary returns the boundary line of the part whose header ends with b, or nil
// if b does not end with the header of a message within a message.
func partBoundary(b []byte, eol byte) []byte {
	message := false
	for {
		b = bytes.TrimSuffix(b, []byte{eol})
		start := bytes.LastIndexByte(b, eol) + 1
		line := bytes.TrimRight(b[start:], "\r")
		switch {
		case len(line) == 0:
			return nil
		case bytes.HasPrefix(line, []byte("--")):
			// Many texts have a line of dashes, or of words between dashes.
			if message && len(line) <= maxBoundary && !bytes.ContainsAny(line, " \t") && len(bytes.Trim(line, "-=_")) > 0 {
				return line
			}
			return nil
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("Content-Type")) {
			value = bytes.ToLower(bytes.TrimSpace(value))
			message = bytes.HasPrefix(value, []byte("message/")) || bytes.HasPrefix(value, []byte("text/rfc822"))
		}
		b = b[:start]
	}
}

// blankBefore returns the offset of the empty line right before b[at], or at if there
// is none.
func blankBefore(b []byte, at int, eol byte) int {
	if at == 0 || b[at-1] != eol {
		return at
	}
	blank := at - 1
	if eol == '\n' && blank > 0 && b[blank-1] == '\r' {
		blank--
	}
	if blank == 0 || b[blank-1] != eol {
		return at
	}
	return blank
}
