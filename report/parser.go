package report

import (
	"bytes"

	"github.com/fblwatch/fblwatch/internal/message"
)

// parser reads one message after the other.
type parser struct {
	keep  message.Arena
	spare *Original // to be used; nil: none

	// See Report.Header.
	outer, original, report   message.Spans
	originalRaw, reportRaw    []byte
	outerEnded, originalEnded bool // the header has its end

	r        *Report
	message  []byte
	top      message.Part // the message's body, as far as it is searched
	ours     bool         // the message goes on behind what we were given
	known    int          // fields of the report part that have a key
	seen     uint64
	arrival  string
	hmxmr    string // the original's recipient, by Microsoft's word
	received string
	named    map[string]bool
	beyond   bool // more of the message is there than is searched
	headless bool // the header is too long to be read to its end
	work     message.Budget
	budget   *message.Budget // the work of the first report
	salvaged bool            // the readers of other dialects had their turn
	self     *message.Message
	lead     *message.Message // behind which r.More are
	more     []*parser        // of r.More
	uses     uses             // nil: nobody asks; see Report.Parts
}

// letter is the message that is parsed.
func (p *parser) letter() *message.Message {
	if p.self == nil {
		p.self = message.New(nil, message.Part{Body: p.message, Found: true, Budget: p.budget}, p.top.Body)
	}
	return p.self
}

// text is the text of a message that a dialect writes its report in.
func (p *parser) text(m *message.Message) (text []byte, closed bool) {
	p.uses.text(m)
	return m.Text()
}

// cutText notes that the last line of a text may not be all of it.
func (p *parser) cutText(text []byte, closed bool) {
	if !closed && !bytes.HasSuffix(text, []byte("\n")) {
		p.cutShort("text: cut in the middle of a line")
	}
}

// loss notes that something could not be read; deviation that something is not
// as the RFC has it, and was read all the same; cutShort that the message ends too
// early, unless it is we who ended it.
func (p *parser) loss(text string)      { p.problem(Problem{text, true}) }
func (p *parser) deviation(text string) { p.problem(Problem{text, false}) }

func (p *parser) cutShort(text string) {
	if !p.ours {
		p.loss(text)
	}
}

// problem notes each problem once.
func (p *parser) problem(problem Problem) {
	for _, known := range p.r.Problems {
		if known == problem {
			return
		}
	}
	p.r.Problems = append(p.r.Problems, problem)
}

// from says of a key where its value came from.
func (p *parser) from(key, source string) {
	if p.r.Derived == nil {
		p.r.Derived = make(map[string]string, 8)
	}
	if p.r.Derived[key] == "" {
		p.r.Derived[key] = source
	}
}

// fill sets a value that is not known yet. A second one, or an empty one,
// leaves things as they are.
func (p *parser) fill(dst *string, key, value, source string) bool {
	if *dst != "" || value == "" {
		return false
	}
	*dst = value
	p.from(key, source)
	return true
}

func (p *parser) fillIP(value, source string) bool {
	ip, _ := message.ParseIP(value)
	return p.fill(&p.r.SourceIP, "source_ip", ip, source)
}

// fillDate keeps the date as it is written, and its instant if it has one.
func (p *parser) fillDate(value, source string) bool {
	r := p.r
	if !p.fill(&r.ArrivalDateRaw, "arrival_date_raw", value, source) {
		return false
	}
	var ok bool
	if r.ArrivalDate, ok = message.ParseDate(value); !ok {
		p.loss("arrival-date: no instant")
	} else {
		p.from("arrival_date", source)
	}
	return true
}

// fillRecipients reads one or several addresses; false: something in them is
// no address of a person.
func (p *parser) fillRecipients(value, source string) bool {
	all := true
	for member := range message.Addresses(value) {
		addr, _ := message.Address(member)
		switch {
		case message.IsPlaceholder(addr) || !message.IsAddress(addr) || len(p.r.OriginalRcptTo) == maxRecipients:
			all = false
		case !p.knows(addr):
			p.r.OriginalRcptTo = append(p.r.OriginalRcptTo, addr)
			p.from("original_rcpt_to", source)
		}
	}
	return all
}

// knows reports whether addr was named already.
func (p *parser) knows(addr string) bool {
	if n := len(p.r.OriginalRcptTo); n == 0 {
		return false
	} else if n == 1 {
		return p.r.OriginalRcptTo[0] == addr
	}
	if p.named == nil {
		p.named = make(map[string]bool)
	}
	for _, known := range p.r.OriginalRcptTo[len(p.named):] {
		p.named[known] = true
	}
	return p.named[addr]
}

// Use is what the reader took a part for.
type Use string

// Uses of parts.
const (
	UseNone     Use = "ignored"
	UseParts    Use = "parts"    // it was split; its parts follow
	UseMessage  Use = "message"  // a message that was opened; its parts follow
	UseReport   Use = "report"   // the fields of the report (RFC 5965 section 3)
	UseText     Use = "text"     // a text or JSON from which a dialect reads its report
	UseOriginal Use = "original" // the reported message, or its header
)

// uses are what parts were taken for, by the address of their body. A nil map takes
// no notes.
type uses map[*byte]Use

// of notes a use, unless another one was noted before.
func (u uses) of(body []byte, use Use) {
	if u != nil && len(body) > 0 && u[&body[0]] == "" {
		u[&body[0]] = use
	}
}

// text notes the use of the text that Text finds.
func (u uses) text(m *message.Message) {
	if u == nil {
		return
	}
	for _, q := range m.Parts() {
		if message.IsPlain(message.MediaType(q.ContentType)) {
			u.of(q.Body, UseText)
			return
		}
	}
}
