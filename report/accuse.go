package report

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// Most reports of abuse follow no format. Such a message is kept in sight as
// unparsed, and no value is taken from it. The rules, over the words of phrases:
//
//  1. An answer, and what an excuse explains, accuses nobody.
//  2. A program wrote it, by its header, its sender, a number in its subject or its own
//     word: a person is no reporter. Of what a ticket system passes on, the subject
//     alone may do.
//  3. Its subject is an accusation; or it names a wrong, and names what did the wrong.
//     That is an address, a host or URL that a label or its spelling marks, or an
//     attached table. A URL in passing counts if the text speaks of the reader's own.
//  4. What is said to everybody counts by its subject alone. A sum must name something.

// nearLines is how many lines the wrong may follow the thing by; below there are only footers.
const nearLines = 6

// accuses reports whether a program says that somebody at the reader's
// addresses did wrong.
func (p *parser) accuses() bool {
	by := p.authorship(p.letter())
	subject := p.subject()
	subject = subject[:min(len(subject), maxSubject)]
	title := strings.TrimSpace(ownWords(subject))
	tags, bare := untagged(title)
	text := opening(p.letter())
	own := ownWords(text)
	plain, sums := saysAccusation.isIn(bare), saysSum.isIn(bare)
	switch {
	case by.answer, startsWith(bare, answers), saysExcuse.isIn(title), !plain && saysService.isIn(bare), saysDisclaimer.isIn(own), settles(own), isOwnFilter(p.letter(), own):
		return false
	case !by.program && (startsWith(bare, sentOn) || fieldsAt([]byte(text)) >= 0):
		return false // a person, who passes on what a program wrote
	}
	s := statement{own: []string{registrable(p.r.Outer.FromDomain), registrable(message.DomainOf(by.ticket))}}
	_, named := untagged(subject)
	s.addText(named)
	titled := s.wrong > 0 || saysWrong.isIn(tags)
	switch {
	case !sums && plain && (by.program || by.ticket != ""),
		!sums && titled && by.program && (s.host || s.yours && !by.bulk),
		!sums && titled && by.ticket != "" && s.thing > 0:
		return true
	case by.bulk, !by.program && !saysAutomatic.isIn(own) && (by.ticket != "" || !numbered.MatchString(title)):
		return false
	}
	p.budget.Spend(8 * len(text))
	s.addText(text)
	return s.close || s.wrong > 0 && s.link && s.yours || titled && s.thing > 0 || (titled || s.wrong > 0) && !sums && hasTable(p.letter())
}

// numbered knows a subject with a number of its own, as only programs give; those of
// networks, as in AS64500, are none.
var numbered = regexp.MustCompile(`(?:^s?|[^0-9s]|[^a]s)[0-9]{5}`)

// settles reports whether a text says that a matter is settled, and not only
// what is to be done then.
func settles(text string) bool {
	if saysSettled.isIn(text) {
		for sentence := range strings.SplitSeq(strings.Join(strings.Fields(text), " "), ". ") {
			if saysSettled.isIn(sentence) && !saysCondition.isIn(sentence) {
				return true
			}
		}
	}
	return false
}

// statement is what the lines of a text, in lower case, say together. Lines count
// from 1; 0 is none.
type statement struct {
	own   []string // domains of the message's author: they accuse nobody
	lines int
	wrong int  // the first line that names a wrong
	thing int  // the last line that names an address or a marked URL or host
	close bool // a thing follows a wrong, or comes shortly before one
	link  bool // a URL was named in passing
	host  bool // a host was
	yours bool // the text speaks of something of the reader's
	label bool // the line before ends in a colon and marks what follows
}

func (s *statement) addText(text string) {
	s.yours = s.yours || saysYours.isIn(ownWords(text))
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '>' { // what is quoted, somebody else said
			s.addLine(line)
		}
	}
}

func (s *statement) addLine(line string) {
	s.lines++
	own := harmless.Replace(ownWords(line))
	bad, marked := saysWrong.isIn(own), saysLabel.isIn(own)
	thing, link, host := s.things(line)
	thing = thing || host && marked || link && (marked || s.label)
	s.link, s.host = s.link || link, s.host || thing || host || link
	s.label = strings.HasSuffix(line, ":") && (bad || marked)
	if bad && s.wrong == 0 {
		s.wrong = s.lines
		s.close = s.thing > 0 && s.lines-s.thing <= nearLines
	}
	if thing {
		s.thing = s.lines
		s.close = s.close || s.wrong > 0
	}
}

// things reports whether a line names an address, or what is written so that nobody
// clicks on it; a URL of somebody else; a host of somebody else.
func (s *statement) things(line string) (thing, link, host bool) {
	if strings.Contains(line, "[.]") || strings.Contains(line, "hxxp") {
		return true, false, false
	}
	for word := range strings.FieldsFuncSeq(line, func(c rune) bool { return !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') && c != '.' && c != ':' }) {
		thing = thing || isThing(strings.Trim(word, ".")) || isThing(strings.Trim(word, ".:"))
	}
	for word := range strings.FieldsFuncSeq(line, func(c rune) bool { return strings.ContainsRune(" \t()[]<>\"',;|", c) }) {
		_, after, isURL := strings.Cut(word, "://")
		if isURL {
			word = after
		}
		name, _, _ := strings.Cut(word, "/")
		name, _, _ = strings.Cut(strings.TrimRight(name, ".:"), ":")
		before, last, found := cutLast(name, ".")
		if !found || len(before) < 2 || strings.Contains(word, "@") || message.Within(name, s.own...) {
			continue
		}
		link = link || isURL
		host = host || !isURL && !strings.Contains(word, "/") && len(last) > 1 && strings.Trim(last, "abcdefghijklmnopqrstuvwxyz") == ""
	}
	return thing, link, host
}

// isThing knows an address that can be somebody's, with a port or without.
func isThing(word string) bool {
	if strings.Count(word, ".") < 3 && strings.Count(word, ":") < 2 {
		return false
	}
	addr, err := netip.ParseAddr(word)
	if err != nil {
		before, _, _ := strings.Cut(word, ":")
		addr, err = netip.ParseAddr(before)
	}
	return err == nil && !addr.IsUnspecified() && !addr.IsLoopback()
}
