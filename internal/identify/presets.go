package identify

import (
	"strings"

	"github.com/fblwatch/fblwatch/report"
)

// builtin is a built-in rule. Several with one name make one preset.
type builtin struct {
	name string
	from []source
	read decoder
	when func(*report.Report) bool
}

func original(name string) []source {
	return []source{{kind: report.FromOriginal, name: name}}
}

var (
	mailFrom    = []source{{kind: "mailfrom"}}
	text        = []source{{kind: "text"}}
	messageIDs  = original("Message-ID")
	unsubscribe = []source{{kind: report.FromOriginal, name: "List-Unsubscribe", uris: true}}
	cfbl        = append(original("CFBL-Feedback-ID"), source{kind: report.FromReport, name: "CFBL-Feedback-ID"})
)

// builtins are tried in this order: first what one program alone writes, then
// what many write.
var builtins = []builtin{
	{"listmonk", original("X-Listmonk-Subscriber"), listmonkSubscriber, nil},
	{"listmonk", original("X-Listmonk-Campaign"), listmonkCampaign, nil},
	{"listmonk", unsubscribe, listmonkURL, nil},
	{"mautic", unsubscribe, mauticURI, nil},
	{"mautic", mailFrom, mauticBounce, nil},
	{"mautic", original("X-EMAIL-ID"), mauticEmail, nil},
	{"mailtrain", original("X-FBL"), mailtrainFBL, nil},
	{"mailtrain", unsubscribe, mailtrainURL, nil},
	{"sendy", unsubscribe, sendyURL, nil},
	{"phplist", original("X-ListMember"), phplistMember, nil},
	{"phplist", original("X-MessageID"), phplistMessage, nil},
	{"phplist", unsubscribe, phplistURL, nil},
	{"mailman", mailFrom, mailmanBounce, nil},
	{"mailman", unsubscribe, mailmanOptions, nil},
	{"mailman", original("X-BeenThere"), mailmanList, nil},
	{"postal", original("X-Postal-MsgID"), postalMessage, nil},
	{"kumoref", original("X-KumoRef"), kumoRef, nil},
	{"msfbl", original("X-MSFBL"), msfbl, nil},
	{"mailgun", original("X-Mailgun-Sid"), mailgunSid, nil},
	{"mailgun", mailFrom, mailgunBounce, nil},
	{"mailgun", original("X-Mailgun-Variables"), mailgunVariables, nil},
	{"mailgun", original("X-Mailgun-Campaign-Id"), mailgunTag, nil},
	{"mailgun", original("X-Mailgun-Tag"), mailgunTag, nil},
	{"mailgun", messageIDs, mailgunMessage, nil},
	{"sendgrid", mailFrom, sendgridBounce, nil},
	{"sendgrid", messageIDs, sendgridMessage, nil},
	{"sendgrid", original("X-SG-EID"), sendgridEvent, nil},
	{"postmark", original("X-PM-RCPT"), postmarkRecipient, nil},
	{"postmark", original("X-PM-Tag"), postmarkTag, nil},
	{"postmark", original("X-PM-Message-Id"), postmarkMessage, nil},
	{"ses", messageIDs, sesMessage, nil},
	{"ses", mailFrom, sesMessage, nil},
	{"ses", original("X-SES-Message-Tags"), sesTags, nil},
	{"mailer-info", original("X-Mailer-Info"), mailerInfo, nil},
	{"verp", mailFrom, verp, nil},
	{"message-id", messageIDs, messageIDPattern, nil},
	{"list-unsubscribe", unsubscribe, listUnsubscribe, nil},
	{"cfbl-feedback-id", cfbl, cfblFeedbackID, nil},
	{"feedback-id", original("Feedback-ID"), feedbackID, nil},
	{"list-id", original("List-ID"), listID, nil},
	{"aol", text, aolText, isAOL},
}

// isAOL: AOL's reports name the message's Message-ID in their first part alone.
func isAOL(r *report.Report) bool { return strings.HasPrefix(r.UserAgent, "AOL") }
