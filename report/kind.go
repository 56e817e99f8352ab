package report

import (
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// kindOf says what a message without a report in it is, but for one that accuses
// in its own words; see accuses. Nothing but the record's absence hangs on it,
// except for KindUnparsed, which is in doubt's favour: what calls itself a
// complaint is kept in sight.
func (p *parser) kindOf(h *outerHeader, w *walker) Kind {
	if kind := h.declared(); kind != "" {
		return kind
	}
	subject := p.ownSubject()
	bounce := p.bounces(h)
	if typ := h.contentType.Value; w.kind == "" && message.Is(message.MediaType(typ), "multipart/report") {
		if kind := message.Param(typ, "report-type"); kind == nil && !bounce || message.Is(kind, "feedback-report") {
			return KindUnparsed
		}
	}
	switch {
	case w.empty:
		return KindUnparsed
	case w.kind != "":
		return w.kind
	case strings.HasPrefix(subject, "report domain:"), strings.Contains(subject, "dmarc aggregate"):
		return KindDMARCAggregate
	case h.xarf || strings.HasPrefix(subject, "complaint about message from"):
		return KindUnparsed // X-ARF; Microsoft's JMRP until 2026
	case strings.HasPrefix(subject, "unsubscribe") || p.letter().Field("x-apple-unsubscribe") != "":
		return KindUnsubscribe
	case bounce:
		return KindDSN
	case h.auto || startsWith(subject, autoReplies):
		return KindAutoReply
	case isUnsubscribeAddress(p.letter().Field("to")):
		return KindUnsubscribe
	}
	if by := p.authorship(p.letter()); by.program || by.ticket != "" {
		return KindNotice
	}
	return KindOther
}

// bounces reports whether the message is a bounce of no declared type.
func (p *parser) bounces(h *outerHeader) bool {
	return h.bounce || startsWith(p.ownSubject(), bounces) || strings.HasPrefix(strings.ToLower(p.r.Outer.From), "mailer-daemon")
}

// answers reports whether the message returns, or answers, another one.
func (p *parser) answers(h *outerHeader) bool {
	return p.bounces(h) || h.auto || startsWith(p.ownSubject(), autoReplies)
}

// ownSubject is the outer subject in lower case, without the names in it.
func (p *parser) ownSubject() string { return strings.TrimSpace(ownWords(p.subject())) }

// subject is the outer one in lower case.
func (p *parser) subject() string { return strings.ToLower(strings.TrimSpace(p.r.Outer.Subject)) }

// How subjects begin, in lower case.
var (
	bounces = []string{"undelivered mail", "undeliverable", "delivery status notification", "failure notice", "returned mail",
		"mail delivery failed", "mail delivery failure", "delivery failure", "mail system error", "mail could not be delivered",
		"message could not be delivered", "warning: could not send", "delivery delayed", "delayed mail", "non-delivery", "unzustellbar",
		"mail delivery problem", "message status - undeliverable"}
	autoReplies = []string{"auto:", "auto reply", "auto-reply", "autoreply", "automatic reply", "out of office", "out of the office",
		"abwesenheit", "abwesend", "automatische antwort", "réponse automatique", "respuesta automática", "risposta automatica", "自動返信",
		"自動応答", "自动答复", "自动回复", "автоматический ответ", "resposta automática", "automatisch antwoord", "automatyczna odpowiedź", "automatisk svar", "autosvar"}
)

// answers are how the subject of an answer begins.
var answers = []string{"re:", "re :", "aw:", "antw:", "sv:", "vs:", "odp:", "res:", "rép:", "rif:", "r:", "отв:", "ynt:",
	"resolved", "closed", "solved", "acknowledg", "confirmation", "thank", "autoreply", "auto reply", "auto-reply"}

// sentOn are how the subject of what a person sends on begins.
var sentOn = []string{"fwd:", "fw:", "wg:", "tr:", "rv:", "enc:", "doorst:", "pd:", "i:"}

// isUnsubscribeAddress knows the address of a List-Unsubscribe by its local part.
func isUnsubscribeAddress(to string) bool {
	for member := range message.Addresses(to) {
		addr, _ := message.Address(member)
		if startsWith(strings.ToLower(addr), []string{"unsubscribe", "unsub-", "unsub+", "unsub.", "unsub@", "list-unsubscribe", "optout", "opt-out"}) {
			return true
		}
	}
	return false
}

// authorship is what a header says of who wrote the message.
type authorship struct {
	program bool   // no person did, by the message's own word or the sender's name
	ticket  string // a ticket system passes on what came to it, from that address, "?" if it does not say
	bulk    bool   // it is to many
	answer  bool   // it answers a message that the sender did not write
}

// tickets are how the header fields of ticket systems begin.
var tickets = []string{"x-rt-", "rt-originator", "x-otrs-", "x-zendesk-", "x-jira-", "x-freshdesk", "x-zammad", "x-redmine-", "x-osticket", "x-znuny", "x-helpscout"}

// authorship reads the header once.
func (p *parser) authorship(m *message.Message) (by authorship) {
	list, listed, desk := false, false, false
	p.budget.Spend(len(m.Header))
	for rest := m.Header; len(rest) > 0; {
		f, next, kind := message.ReadField(rest)
		rest = next
		if kind != message.FieldLine {
			continue
		}
		value := func() string { return strings.ToLower(message.Unfold(f.Value)) }
		switch name := strings.ToLower(string(f.Name)); name {
		case "auto-submitted":
			by.program = by.program || strings.HasPrefix(value(), "auto-generated")
		case "precedence":
			v := value()
			by.program = by.program || v == "bulk" || v == "junk" || v == "list"
			listed = listed || v == "list"
		case "x-auto-response-suppress":
			by.program = true
		case "x-php-originating-script", "x-php-script":
			by.program = by.program || !saysWebmail.isIn(value())
		case "x-mailer", "user-agent":
			by.program = by.program || saysMailer.isIn(value())
		case "message-id":
			v := value()
			by.program = by.program || strings.Contains(v, ".javamail.") && !saysWebmail.isIn(v)
		case "list-post", "mailing-list":
			list = true
		case "list-id":
			_, id, _ := strings.Cut(value(), "<")
			label, _, _ := strings.Cut(id, ".")
			desk = desk || isDesk(label)
			by.bulk = true
		case "list-unsubscribe":
			by.bulk = true
		case "in-reply-to":
			id := strings.Trim(value(), "<>")
			by.answer = registrable(message.DomainOf(id)) != registrable(p.r.Outer.FromDomain)
		default:
			if startsWith(name, tickets) && by.ticket == "" {
				by.ticket = "?"
			}
			if strings.HasSuffix(name, "rt-originator") {
				if addr, _ := message.Address(value()); addr != "" {
					by.ticket = addr
				}
			}
		}
	}
	from := strings.ToLower(p.r.Outer.From)
	switch {
	case by.ticket != "": // the header is its own
		by.bulk, by.answer, by.program = false, false, isRole(by.ticket)
	case (list || listed && by.bulk) && !desk: // a discussion
		by.program = false
	default:
		by.bulk = by.bulk && !desk // whose mailbox is a list
		by.program = by.program || isLoop(from) || isRole(from)
	}
	return by
}

// isRole knows the address of a program, or of those who write with one, by
// its local part; and the domain of those who report for a living.
func isRole(addr string) bool {
	local, domain, _ := strings.Cut(addr, "@")
	for word := range strings.FieldsFuncSeq(local, func(c rune) bool { return strings.ContainsRune("-_.+", c) }) {
		switch word {
		case "noreply", "reply", "donotreply", "notification", "notifications", "notify", "notice", "notices", "alert", "alerts", "robot", "bot", "root", "daemon",
			"report", "reports", "reporting", "reporter", "snds", "autoreports", "autogenerated", "automated", "monitor", "monitoring", "removes", "postmaster", "scanner", "sensor",
			"compliance", "rbl", "fail2ban", "spamtrap":
			return true
		}
		if isDesk(word) || saysReporter.isIn(word) {
			return true
		}
	}
	for word := range strings.FieldsFuncSeq(domain, func(c rune) bool { return c == '-' || c == '.' }) {
		if word == "cert" || word == "csirt" || word == "reports" {
			return true
		}
	}
	return saysReporter.isIn(domain)
}

// isDesk knows the mailbox of a team that handles abuse.
func isDesk(word string) bool {
	switch word {
	case "cert", "csirt", "soc", "noc", "security":
		return true
	}
	return strings.HasPrefix(word, "abuse")
}

// acknowledges reports whether a subject, in lower case, begins as an answer does
// to a report that came.
func acknowledges(subject string) bool {
	_, subject = untagged(subject)
	return startsWith(subject, []string{"your abuse report", "your spam report", "your complaint", "we received your", "we have received your", "thank you for your", "thanks for your"})
}

// A filter of messages reports to the administrator of its own server what it held
// back or let pass: that is nobody's complaint about a message of the reader's.

// filterWords are what only such a report says, in lower case.
var filterWords = newLexicon(
	"internal reference code for the message is", "according to a 'received:' trace", "the message will be relayed to", "the message will not be relayed", "the message has been quarantined as", "quarantined as:", "not quarantined.", // Amavis
	"virus scanner output:", "the mail originated from:", "spam scanner report:",
	"mailscanner has", "this is a message from the mailscanner", "mailscanner thinks", "the following e-mails were found to have", "message: the following", // MailScanner
	"symantec mail security", "scanmail for", "forefront protection", "antigen for", "mailmarshal", "mimesweeper", "puremessage", "eset mail security", "f-secure", "fortimail", "clamav",
	"message was blocked by the content filter", "messages were quarantined", "message was quarantined", "has been placed in quarantine", "moved to quarantine", "message is quarantined",
)

// isOwnFilter reports whether a filter wrote the message to its own administrator;
// text is what it says, in lower case. A report to somebody else's is not that.
func isOwnFilter(m *message.Message, text string) bool {
	from := strings.ToLower(message.DecodeWords(m.Field("from")))
	if containsAny(from, []string{"content-filter at", "content filter at", "amavis"}) {
		return true
	}
	if !filterWords.isIn(text) && !containsAny(from, []string{"mailscanner", "clamav", "clamsmtp", "rspamd", "spamassassin", "virusalert", "virus-alert", "virus alert"}) {
		return false
	}
	author, _ := message.Address(from)
	local, _, _ := strings.Cut(author, "@")
	if !isRole(author) && !containsAny(local, []string{"admin", "virus", "filter", "scanner", "gateway", "spam", "mailer"}) {
		return false // a person, below whose words a filter writes
	}
	for to := range message.Addresses(strings.ToLower(m.Field("to"))) {
		addr, _ := message.Address(to)
		if domain := message.DomainOf(addr); domain != "" && registrable(domain) == registrable(message.DomainOf(author)) {
			return true
		}
	}
	return false
}

// isWrapped reports whether a filter put the message, which it takes for spam, into
// one of its own for the same reader. The From of both is the same.
func isWrapped(m *message.Message) bool {
	inner := m.Within()
	if inner == nil {
		return false
	}
	outside, _ := message.Address(m.Field("from"))
	inside, _ := message.Address(inner.Field("from"))
	if !strings.EqualFold(outside, inside) {
		return false
	}
	return message.Is(message.Param(m.Parts()[inner.At].ContentType, "x-spam-type"), "original") || wrapWords.isIn(opening(m))
}

// wrapWords are what filters write above a message that they attach.
var wrapWords = newLexicon("spam detection software, running on the system", "mailscanner believes that the attach", "mailscanner thinks that the attach")
