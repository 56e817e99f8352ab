package report

import (
	"context"
	"strconv"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// Part is one MIME part of a message, and what the reader did with it.
type Part struct {
	Path     string // its number in the message, as IMAP counts parts (RFC 9051 section 6.4.5): "1", "2.1"; "" is the multipart that holds all
	Type     string // the media type as sent, in lower case; "": none is declared
	Encoding string // the Content-Transfer-Encoding as sent, in lower case; "": none
	Name     string // the file name; "": none
	Size     int    // octets of the body as it is encoded, as far as they were searched
	Use      Use
	Why      Why // "" unless Use is UseNone
}

// Why says why the reader ignored a part.
type Why string

// Reasons to ignore a part.
const (
	WhyEmpty  Why = "empty"      // it has no body
	WhySecond Why = "second"     // another report, or another original, came first
	WhyOther  Why = "other"      // it does not read like a part of a report
	WhyAfter  Why = "not_needed" // the report and the original were read before it
)

// Parts lists the parts of b in their order, each before the parts within it. b is the
// message, or the start of it, that r was read from: Parts reads it once more. It
// lists 1,000 parts at most, and only those in the octets that are searched: the
// first 16 MiB of the body of a multipart/report, 256 KiB of another multipart, 64 KiB
// of any other message. A message that is itself the reported one has no part of
// UseOriginal.
func (r *Report) Parts(b []byte) []Part {
	size := int64(len(b))
	if r.partial {
		size++
	}
	p := &parser{uses: uses{}}
	p.work = message.NewBudget(context.Background(), len(b))
	p.budget = &p.work
	p.parse(new(Report), b, size)
	*p.budget = message.NewBudget(context.Background(), len(b)) // what was spent is spent
	l := lister{uses: p.uses, opened: make(map[*byte]*message.Message)}
	root := p.letter()
	for root.Outer != nil {
		root = root.Outer
	}
	l.open(root.Opened())
	for _, q := range append([]*parser{p}, p.more...) {
		l.open(q.lead)
		l.open(q.self)
	}
	root.Top = p.top
	l.list(root, "")
	return l.parts
}

// lister makes the list of a message's parts.
type lister struct {
	uses     uses
	opened   map[*byte]*message.Message // by the body of the part that holds it
	parts    []Part
	report   bool // a part was taken for a report, or a text
	original bool
}

// open notes m, and the messages around it, as opened.
func (l *lister) open(m *message.Message) {
	for ; m != nil && m.Outer != nil; m = m.Outer {
		if leaves := m.Outer.Parts(); m.At < len(leaves) && len(leaves[m.At].Body) > 0 && m.Outer.IsMessage(m.At) {
			l.opened[&leaves[m.At].Body[0]] = m
		}
	}
}

// list lists the parts of m; prefix begins their paths.
func (l *lister) list(m *message.Message, prefix string) {
	var numbers []int // of the part and those around it
	w := message.Walk{Enter: func(q message.Part, depth int) {
		path := prefix
		if numbers = append(numbers, 0)[:depth]; depth > 0 {
			numbers[depth-1]++
		} else if !message.HasPrefixFold(message.MediaType(q.ContentType), "multipart/") {
			path += "1" // a body that is no multipart
		} else if prefix != "" {
			return // it has no number of its own
		}
		for _, n := range numbers {
			path += strconv.Itoa(n) + "."
		}
		l.part(q, path)
	}}
	w.Parts(m.Top, 0, func(message.Part) {}, nil)
}

func (l *lister) part(q message.Part, path string) {
	typ := message.MediaType(q.ContentType)
	part := Part{
		Path: strings.TrimSuffix(path, "."), Type: strings.ToLower(string(typ)), Encoding: strings.ToLower(message.Unfold(q.Encoding)),
		Name: message.Unfold(message.ToUTF8(q.Name(), nil)), Size: len(q.Body), Use: UseNone,
	}
	var inner *message.Message
	if len(q.Body) > 0 {
		inner = l.opened[&q.Body[0]]
		part.Use = l.uses[&q.Body[0]]
	}
	isReport, isOriginal := message.HasPrefixFold(typ, "message/feedback-report"), message.IsOriginalType(typ)
	switch {
	case part.Use != "" && part.Use != UseNone:
		l.report = l.report || part.Use != UseOriginal
		l.original = l.original || part.Use == UseOriginal
	case message.HasPrefixFold(typ, "multipart/"):
		part.Use = UseParts
	case inner != nil:
		part.Use = UseMessage
	default:
		part.Use = UseNone
		switch {
		case len(message.Trim(q.Body)) == 0:
			part.Why = WhyEmpty
		case isReport && l.report, isOriginal && l.original:
			part.Why = WhySecond
		case l.report && l.original:
			part.Why = WhyAfter
		default:
			part.Why = WhyOther
		}
	}
	l.parts = append(l.parts, part)
	if part.Use == UseMessage {
		l.list(inner, path)
	}
}
