package identify

import (
	"strings"

	"github.com/fblwatch/fblwatch/report"
)

// builtin is a built-in rule. Several with one name make one preset.
type builtin struct {
	name  string
	from  []source
	read  decoder
	gives fields
	when  func(*report.Report) bool
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
	{"listmonk", original("X-Listmonk-Subscriber"), listmonkSubscriber, aSubscriber, nil},
	{"listmonk", original("X-Listmonk-Campaign"), listmonkCampaign, aCampaign, nil},
	{"listmonk", unsubscribe, listmonkURL, aSubscriber | aCampaign, nil},
	{"mautic", unsubscribe, mauticURI, aSubscriber, nil},
	{"mautic", mailFrom, mauticBounce, aSubscriber, nil},
	{"mautic", original("X-EMAIL-ID"), mauticEmail, aCampaign, nil},
	{"mailtrain", original("X-FBL"), mailtrainFBL, aSubscriber | aCampaign, nil},
	{"mailtrain", unsubscribe, mailtrainURL, aSubscriber, nil},
	{"sendy", unsubscribe, sendyURL, aSubscriber | aCampaign, nil},
	{"phplist", original("X-ListMember"), phplistMember, aSubscriber, nil},
	{"phplist", original("X-MessageID"), phplistMessage, aCampaign, nil},
	{"phplist", unsubscribe, phplistURL, aSubscriber, nil},
	{"mailman", mailFrom, mailmanBounce, aSubscriber | aCampaign, nil},
	{"mailman", unsubscribe, mailmanOptions, aSubscriber, nil},
	{"mailman", original("X-BeenThere"), mailmanList, aCampaign, nil},
	{"postal", original("X-Postal-MsgID"), postalMessage, aMessageID, nil},
	{"kumoref", original("X-KumoRef"), kumoRef, anyField, nil},
	{"msfbl", original("X-MSFBL"), msfbl, anyField, nil},
	{"mailgun", original("X-Mailgun-Sid"), mailgunSid, aSubscriber, nil},
	{"mailgun", mailFrom, mailgunBounce, aSubscriber, nil},
	{"mailgun", original("X-Mailgun-Variables"), mailgunVariables, anyField, nil},
	{"mailgun", original("X-Mailgun-Campaign-Id"), mailgunTag, aCampaign, nil},
	{"mailgun", original("X-Mailgun-Tag"), mailgunTag, aCampaign, nil},
	{"mailgun", messageIDs, mailgunMessage, aMessageID, nil},
	{"sendgrid", mailFrom, sendgridBounce, aSubscriber | aTenant, nil},
	{"sendgrid", messageIDs, sendgridMessage, aMessageID, nil},
	{"sendgrid", original("X-SG-EID"), sendgridEvent, aMessageID, nil},
	{"postmark", original("X-PM-RCPT"), postmarkRecipient, aSubscriber | aTenant, nil},
	{"postmark", original("X-PM-Tag"), postmarkTag, aCampaign, nil},
	{"postmark", original("X-PM-Message-Id"), postmarkMessage, aMessageID, nil},
	{"ses", messageIDs, sesMessage, aMessageID, nil},
	{"ses", mailFrom, sesMessage, aMessageID, nil},
	{"ses", original("X-SES-Message-Tags"), sesTags, anyField, nil},
	{"mailer-info", original("X-Mailer-Info"), mailerInfo, aSubscriber | aCampaign, nil},
	{"verp", mailFrom, verp, aSubscriber, nil},
	{"message-id", messageIDs, messageIDPattern, anyField, nil},
	{"list-unsubscribe", unsubscribe, listUnsubscribe, anyField, nil},
	{"cfbl-feedback-id", cfbl, cfblFeedbackID, aMessageID, nil},
	{"feedback-id", original("Feedback-ID"), feedbackID, aCampaign | aTenant, nil},
	{"list-id", original("List-ID"), listID, aCampaign, nil},
	{"aol", text, aolText, aMessageID, isAOL},
}

// isAOL: AOL's reports name the message's Message-ID in their first part alone.
func isAOL(r *report.Report) bool { return strings.HasPrefix(r.UserAgent, "AOL") }
