package report

import (
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

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
	if !filterWords.in(text) && !containsAny(from, []string{"mailscanner", "clamav", "clamsmtp", "rspamd", "spamassassin", "virusalert", "virus-alert", "virus alert"}) {
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
	return message.Is(message.Param(m.Parts()[inner.At].ContentType, "x-spam-type"), "original") || wrapWords.in(opening(m))
}

// wrapWords are what filters write above a message that they attach.
var wrapWords = newLexicon("spam detection software, running on the system", "mailscanner believes that the attach", "mailscanner thinks that the attach")
