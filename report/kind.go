package report

import (
	"bytes"
	"strings"
)

// kindOf says what a mail without a report in it is. Nothing but the record's
// absence hangs on it, except for KindUnparsed, which is in doubt's favour:
// what calls itself a complaint is kept in sight.
func (p *parser) kindOf(h *outerHeader, w *walker) Kind {
	if kind := h.declared(); kind != "" {
		return kind
	}
	subject := strings.ToLower(p.r.Outer.Subject)
	bounce := h.bounce || startsWith(subject, bounces) || strings.HasPrefix(strings.ToLower(p.r.Outer.From), "mailer-daemon@")
	if typ := h.contentType.value; w.leaf == "" && is(mediaType(typ), "multipart/report") {
		if kind := param(typ, "report-type"); kind == nil && !bounce || is(kind, "feedback-report") {
			return KindUnparsed
		}
	}
	switch {
	case w.empty:
		return KindUnparsed
	case w.leaf != "":
		return w.leaf
	case strings.HasPrefix(subject, "report domain:"):
		return KindDMARCAggregate
	case h.xarf || strings.HasPrefix(subject, "complaint about message from"):
		return KindUnparsed // X-ARF; Microsoft's JMRP until 2026
	case subject == "unsubscribe":
		return KindUnsubscribe
	case bounce:
		return KindDSN
	case h.auto || startsWith(subject, autoReplies):
		return KindAutoReply
	}
	return KindOther
}

// How subjects begin, in lower case.
var (
	bounces = []string{"undelivered mail", "undeliverable", "delivery status notification", "failure notice", "returned mail",
		"mail delivery failed", "mail delivery failure", "delivery failure", "mail system error"}
	autoReplies = []string{"auto:", "auto reply", "auto-reply", "autoreply", "automatic reply", "out of office"}
)

func startsWith(subject string, starts []string) bool {
	for _, start := range starts {
		if strings.HasPrefix(subject, start) {
			return true
		}
	}
	return false
}

// isAggregate knows a DMARC aggregate report by its file's name: receiver "!"
// domain "!" begin "!" end (RFC 9990).
func isAggregate(p *part, typ []byte) bool {
	name := param(p.disposition, "filename")
	if name == nil {
		name = param(p.contentType, "name")
	}
	return bytes.Count(name, []byte("!")) >= 3 && (bytes.Contains(name, []byte(".xml")) || bytes.HasSuffix(name, []byte(".zip")) || is(typ, "application/gzip"))
}
