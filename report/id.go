package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"sync"

	"github.com/fblwatch/fblwatch/internal/message"
)

// scratch holds buffers of the length of a few kilobytes between two messages.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// reportID is the identity of a message: 32 hex digits of SHA-256 over From, Date,
// Message-ID (unfolded, trimmed) and the first idBody octets of the body, each
// as decimal length, ":", octets. Where the top type is not multipart/report or
// there is no Message-ID, the whole header, without its last line break, takes the
// place of the three. It depends on the message's bytes alone and is frozen by a golden
// test: never change it.
func reportID(h *outerHeader, header, body []byte) string {
	buf := scratch.Get().(*[]byte)
	sum := (*buf)[:0]
	if message.Is(message.MediaType(h.contentType.Value), "multipart/report") && len(h.messageID.Value) > 0 {
		for _, f := range []*message.Field{&h.from, &h.date, &h.messageID} {
			sum = appendPiece(sum, f.Value, f.Folded, len(f.Value))
		}
	} else {
		sum = appendPiece(sum, header, false, len(header))
	}
	sum = appendPiece(sum, body, false, idBody)
	hash := sha256.Sum256(sum)
	if *buf = sum; cap(sum) <= 1<<16 {
		scratch.Put(buf)
	}
	return digits(&hash)
}

// digits are the first 32 hexadecimal digits of a hash.
func digits(hash *[sha256.Size]byte) string {
	var space [32]byte
	return string(hex.AppendEncode(space[:0], hash[:16]))
}

// Origin returns a hash of the outer From, Date and Message-ID; 0: one of them is
// missing. Some servers write a message anew at each fetch, with other boundaries: then
// its ID changes and Origin does not.
func (r *Report) Origin() uint64 {
	if r.from == "" || r.date == "" || r.Outer.MessageID == "" {
		return 0
	}
	var space [512]byte
	sum := space[:0]
	for _, s := range [...]string{r.from, r.date, r.Outer.MessageID} {
		sum = append(strconv.AppendInt(sum, int64(len(s)), 10), ':')
		sum = append(sum, s...)
	}
	hash := sha256.Sum256(sum)
	return max(binary.BigEndian.Uint64(hash[:]), 1)
}

// appendPiece appends the length and the first limit octets of b, after CR and
// CRLF were read as LF; unfold takes the line breaks out.
func appendPiece(dst, b []byte, unfold bool, limit int) []byte {
	if !unfold && bytes.IndexByte(b[:min(len(b), limit)], '\r') < 0 {
		b = b[:min(len(b), limit)]
		return append(appendCount(dst, len(b)), b...)
	}
	start := len(dst)
	dst = appendCount(dst, limit) // as long as most
	head := len(dst)
	dst = message.AppendLineFeeds(dst, b[:min(len(b), 2*limit)], limit)
	plain := dst[head:]
	if unfold {
		plain = slices.DeleteFunc(plain, func(c byte) bool { return c == '\n' })
	}
	if len(plain) == limit {
		return dst
	}
	var space [24]byte
	count := appendCount(space[:0], len(plain))
	end := copy(dst[start+len(count):], plain) + start + len(count)
	copy(dst[start:], count)
	return dst[:end]
}

// appendCount appends a length and ":".
func appendCount(dst []byte, n int) []byte { return append(strconv.AppendInt(dst, int64(n), 10), ':') }

// idNeed is how many raw octets of the body are wanted for idBody octets of it;
// where they are not all there, how many it may take at most.
func idNeed(body []byte) int {
	for need := idBody; ; {
		if need > len(body) && bytes.IndexByte(body, '\r') >= 0 {
			return 2 * idBody
		}
		more := idBody + bytes.Count(body[:min(len(body), need)], []byte("\r\n"))
		if more == need {
			return need
		}
		need = more
	}
}
