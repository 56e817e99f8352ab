package identify

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"
)

func b64(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) }

// reversed is a piece of X-Mailer-Info, made as the sender does.
func reversed(v string) string {
	turn := func(v string) string {
		b := []byte(v)
		slices.Reverse(b)
		return string(b)
	}
	return turn(base64.RawStdEncoding.EncodeToString([]byte(turn(v))))
}

const (
	uuid1 = "4f3f1d9e-6a0d-4d5e-9a53-6d4cbb2c1f10"
	uuid2 = "c0ffee00-1111-4222-8333-444455556666"
	sesID = "0102016ad2244c0a-955492f2-9194-4cd1-bef9-70a45906a5a7-000000"
	token = "Kx8920aPq7R4tLmN763wZ5"
	hash  = "5f0c1d2e3a4b567890123"
)

var readings = []struct {
	name string
	read decoder
	in   string
	want found // subscriber, campaign, tenant, message_id
}{
	{"feedback-id", feedbackID, "summer26:cust42:news:examplesend", found{"", "summer26", "cust42", ""}},
	{"feedback-id empty pieces", feedbackID, "FB0D2036:151900::EXSV", found{"", "FB0D2036", "151900", ""}},
	{"feedback-id folded", feedbackID, "summer26: cust42:news:examplesend", found{"", "summer26", "cust42", ""}},
	{"feedback-id SES without tags", feedbackID, "::1.eu-west-1.c55J8LO2Yl1R0Ht+ysI6VjzUH6Cvo3dHPF80AUVC/G8=:AmazonSES", found{}},
	{"feedback-id SES", feedbackID, "1.eu-west-1.c55J8LO2Yl1R0Ht+ysI6VjzUH6Cvo3dHPF80AUVC/G8=:AmazonSES", found{}},
	{"feedback-id SendGrid", feedbackID, "1234567:SG", found{"", "", "1234567", ""}},
	{"feedback-id Mailchimp", feedbackID, "15397:15397.8987:us1:mc", found{"", "8987", "15397", ""}},
	{"feedback-id Mailchimp of another user", feedbackID, "15397:25397.8987:us1:mc", found{}},
	{"feedback-id Postmark", feedbackID, "s984-" + b64("welcome") + ":s984:a255:postmark", found{"", "welcome", "s984", ""}},
	{"feedback-id Postmark without tag", feedbackID, "s984-_:s984:a255:postmark", found{"", "", "s984", ""}},
	{"feedback-id two pieces", feedbackID, "488:3356", found{}},
	{"feedback-id one piece", feedbackID, "2", found{}},
	{"feedback-id five pieces", feedbackID, "a:b:c:d:sender", found{}},
	{"feedback-id no sender", feedbackID, "a:b:c:", found{}},
	{"feedback-id address list", feedbackID, "a:<b>:c:sender", found{}},

	{"cfbl", cfblFeedbackID, "111:222:333:4444", found{"", "", "", "111:222:333:4444"}},
	{"cfbl folded", cfblFeedbackID, "3789e1ae1938 aa2f0dfd\tfa48b20d", found{"", "", "", "3789e1ae1938aa2f0dfdfa48b20d"}},

	{"list-id", listID, `"Weekly" <weekly.lists.example.com>`, found{"", "weekly.lists.example.com", "", ""}},
	{"list-id bare", listID, "weekly.lists.example.com", found{"", "weekly.lists.example.com", "", ""}},
	{"list-id not closed", listID, "<weekly.lists.example.com", found{}},
	{"list-id phrase only", listID, "Weekly news", found{}},
	{"list-id two", listID, "<a.example.com> <b.example.com> and", found{}},

	{"unsubscribe parameters", listUnsubscribe, "https://example.com/u?subscriber_id=77&campaign_id=9&x=1", found{"77", "9", "", ""}},
	{"unsubscribe parameters in mailto", listUnsubscribe, "mailto:u@example.com?subject=unsubscribe&contact-id=77", found{"77", "", "", ""}},
	{"unsubscribe path", listUnsubscribe, "https://example.com/campaign/9/subscriber/77/unsubscribe", found{"77", "9", "", ""}},
	{"unsubscribe path without ids", listUnsubscribe, "https://example.com/subscriber/unsubscribe", found{}},
	{"unsubscribe address", listUnsubscribe, "https://example.com/u?email=bob%40example.org", found{"bob@example.org", "", "", ""}},
	{"unsubscribe address in base64", listUnsubscribe, "https://example.com/u/" + b64("bob@example.org"), found{"bob@example.org", "", "", ""}},
	{"unsubscribe VERP", listUnsubscribe, "mailto:unsub-bob=example.org@example.com", found{"bob@example.org", "", "", ""}},
	{"unsubscribe id before address", listUnsubscribe, "https://example.com/u?email=bob@example.org&subscriber_id=77", found{"77", "", "", ""}},
	{"unsubscribe address of the list", listUnsubscribe, "https://lists.example.com/unsubscribe/news@lists.example.com", found{}},
	{"unsubscribe address of the sender", listUnsubscribe, "https://lists.example.com/news@example.com/leave", found{}},
	{"unsubscribe number for an address", listUnsubscribe, "https://example.com/u?email=id@123.456", found{}},
	{"unsubscribe opaque", listUnsubscribe, "https://example.com/unsubscribe.aspx?x=DYV38IUE&d=65&u=2&c=111200", found{}},
	{"unsubscribe opaque mailto", listUnsubscribe, "mailto:unsubscribe-NFXG6AS6-SREUJZV1@example.com", found{}},
	{"unsubscribe two ids", listUnsubscribe, "https://example.com/u?subscriber_id=77&subscriber_id=78", found{}},
	{"unsubscribe ids that differ", listUnsubscribe, "https://example.com/subscriber/77/?subscriber_id=78", found{}},
	{"unsubscribe two addresses", listUnsubscribe, "https://example.com/bob@example.org?email=eve@example.org", found{}},
	{"unsubscribe broken escape", listUnsubscribe, "https://example.com/u?subscriber_id=%zz", found{}},
	{"unsubscribe other scheme", listUnsubscribe, "javascript:subscriber_id=77", found{}},
	{"unsubscribe port", listUnsubscribe, "https://[::1/?subscriber_id=77", found{}},

	{"verp plus", verp, "news+bob=example.org@bounce.example.com", found{"bob@example.org", "", "", ""}},
	{"verp bounce", verp, "bounce-bob=example.org@example.com", found{"bob@example.org", "", "", ""}},
	{"verp whole", verp, "bob=example.org@bounce.example.com", found{"bob@example.org", "", "", ""}},
	{"verp Mailman, hyphens and plus", verp, "news-bounces+bob-lee+x=example.org@example.com", found{"bob-lee+x@example.org", "", "", ""}},
	{"verp ezmlm", verp, "news-return-123-bob-lee=example.org@example.com", found{"bob-lee@example.org", "", "", ""}},
	{"verp ambiguous hyphen", verp, "news-bob=example.org@example.com", found{}},
	{"verp ambiguous number", verp, "bounce-123-bob=example.org@example.com", found{}},
	{"verp ambiguous plus", verp, "bounce+12-bob=example.org@example.com", found{}},
	{"verp ambiguous equals", verp, "bounce+id=bob=example.org@example.com", found{}},
	{"verp of what is no domain", verp, "bounce-id=12345.token@example.com", found{}},
	{"verp of two numbers", verp, "bounce-12=34.567@example.com", found{}},
	{"verp in capitals", verp, "Bounce-Bob=Example.ORG@example.com", found{"Bob@Example.ORG", "", "", ""}},
	{"verp below a suffix of two", verp, "bounce-bob=example.co.uk@example.com", found{"bob@example.co.uk", "", "", ""}},
	{"verp no domain", verp, "bounce+bob=example@example.com", found{}},
	{"verp SRS0", verp, "SRS0=4Fxs=TT=example.com=bounce-bob=example.org@forward.example.net", found{"bob@example.org", "", "", ""}},
	{"verp SRS0 plus", verp, "SRS0+4Fxs=TT=example.com=bounce-bob=example.org@forward.example.net", found{"bob@example.org", "", "", ""}},
	{"verp SRS1", verp, "SRS1=9Yde=forward.example.net==4Fxs=TT=example.com=bounce-bob=example.org@again.example.net", found{"bob@example.org", "", "", ""}},
	{"verp SRS of a plain address", verp, "SRS0=4Fxs=TT=example.com=news@forward.example.net", found{}},
	{"verp SRS cut", verp, "SRS0=4Fxs=TT@forward.example.net", found{}},
	{"verp SRS1 cut", verp, "SRS1=9Yde=example.net==@again.example.net", found{}},
	{"verp BATV", verp, "prvs=2345a1b2c3=bounce-bob=example.org@example.com", found{"bob@example.org", "", "", ""}},
	{"verp BATV old", verp, "prvs=bob/2345a1b2c3@example.org", found{}},
	{"verp BATV of a plain address", verp, "prvs=2345a1b2c3=news@example.com", found{}},
	{"verp BATV broken", verp, "prvs=zz=bob=example.org@example.com", found{}},
	{"verp Barracuda", verp, "btv1==abc01==bounce-bob=example.org@example.com", found{"bob@example.org", "", "", ""}},
	{"verp wrapped for ever", verp, strings.Repeat("prvs=2345a1b2c3=", 9) + "bob=example.org@example.com", found{}},
	{"verp null sender", verp, "<>", found{}},

	{"kumoref", kumoRef, b64(`{"_@_":"\\_/","recipient":"bob@example.org"}`), found{"bob@example.org", "", "", ""}},
	{"kumoref metadata, folded, no padding", kumoRef, "eyJfQF8iOiJcXF8v IiwicmVjaXBpZW50Ijoi" +
		strings.TrimRight(b64(`bob@example.org","tenant":"t1","campaign":"c1"}`), "="), found{"bob@example.org", "c1", "t1", ""}},
	{"kumoref number", kumoRef, b64(`{"_@_":"\\_/","recipient":"bob@example.org","campaign":12}`), found{"bob@example.org", "12", "", ""}},
	{"kumoref batch", kumoRef, b64(`{"_@_":"\\_/","recipient":["bob@example.org","eve@example.org"]}`), found{}},
	{"kumoref no marker", kumoRef, b64(`{"recipient":"bob@example.org"}`), found{}},
	{"kumoref wrong marker", kumoRef, b64(`{"_@_":"\\o/","recipient":"bob@example.org"}`), found{}},
	{"kumoref twice", kumoRef, b64(`{"_@_":"\\_/","recipient":"bob@example.org","recipient":"eve@example.org"}`), found{}},
	{"kumoref more behind", kumoRef, b64(`{"_@_":"\\_/","recipient":"bob@example.org"}{}`), found{}},
	{"kumoref cut", kumoRef, b64(`{"_@_":"\\_/","recipient":"bob@example.org"}`)[:40], found{}},
	{"kumoref broken base64", kumoRef, "eyJfQF8i!!!!", found{}},
	{"kumoref list", kumoRef, b64(`["_@_","\\_/"]`), found{}},

	{"msfbl", msfbl, b64("0123456789abcdef0123456789abcdef") + "|" + b64(`{"b":"bind","u":"user","g":"default","r":"bob@example.org"}`), found{"bob@example.org", "", "", ""}},
	{"msfbl labels", msfbl, b64("0123456789abcdef") + "|" + b64(`{"r":"bob@example.org","customer_id":"7","message_id":"m1","campaign_id":"c1"}`), found{"bob@example.org", "c1", "7", "m1"}},
	{"msfbl of old", msfbl, b64("bob@example.org@dvp-192-0-2-1@bg-1@426:1:2"), found{"bob@example.org", "", "", ""}},
	{"msfbl SparkPost", msfbl, b64("0123456789abcdef0123456789abcdef") + "|" + b64(`{"customer_id":"274689","subaccount_id":"4","tenant_id":"spc","message_id":"69e1d393e56933527b28","r":"bob@example.org"}`),
		found{"bob@example.org", "", "274689", "69e1d393e56933527b28"}},
	{"msfbl folded", msfbl, b64("0123456789abcdef") + "|eyJyIjoiYm9iQGV4 YW1wbGUub3JnIn0=", found{"bob@example.org", "", "", ""}},
	{"msfbl of old, empty string", msfbl, b64("bob@example.org@mailout2-120@mailout2-example@"), found{"bob@example.org", "", "", ""}},
	{"msfbl of old, @ in the string", msfbl, b64("bob@example.org@rm@rm@daily-email@3f012c78-da69-4c19@@#36449@US"), found{"bob@example.org", "", "", ""}},
	{"msfbl of old, three", msfbl, b64("bob@example.org@rm"), found{}},
	{"msfbl of old, no address", msfbl, b64("bob@example@rm@rm@x"), found{}},
	{"msfbl of old, cut", msfbl, b64("bob@example.org"), found{}},
	{"msfbl no digest", msfbl, "|" + b64(`{"r":"bob@example.org"}`), found{}},
	{"msfbl two bars", msfbl, "YWJj|YWJj|YWJj", found{}},
	{"msfbl twice", msfbl, "YWJj|" + b64(`{"r":"bob@example.org","r":"eve@example.org"}`), found{}},
	{"msfbl bytes", msfbl, b64("\x00\xff\xfe"), found{}},

	{"mailgun sid", mailgunSid, b64(`["5323b", "bob@example.org", "be9e4a"]`), found{"bob@example.org", "", "", ""}},
	{"mailgun sid cut", mailgunSid, b64(`["5323b", "bob@example.org"`), found{}},
	{"mailgun sid two", mailgunSid, b64(`["bob@example.org", "eve@example.org"]`), found{}},
	{"mailgun bounce", mailgunBounce, "bounce+a1e0a8.be9e4a-bob-lee=example.org@mg.example.com", found{"bob-lee@example.org", "", "", ""}},
	{"mailgun bounce no ids", mailgunBounce, "bounce+bob=example.org@mg.example.com", found{}},
	{"mailgun variables", mailgunVariables, `{"campaign_id": 45, "subscriber_id": "77", "other": {}}`, found{"77", "45", "", ""}},
	{"mailgun variables broken", mailgunVariables, `{"subscriber_id": "77"`, found{}},
	{"mailgun variables that differ", mailgunVariables, `{"subscriber_id": "77", "contact_id": "78"}`, found{}},
	{"mailgun tag", mailgunTag, "summer", found{"", "summer", "", ""}},
	{"mailgun message", mailgunMessage, "<20260102030405.1.0123456789ABCDEF@mg.example.com>", found{"", "", "", "20260102030405.1.0123456789ABCDEF@mg.example.com"}},
	{"mailgun message of another", mailgunMessage, "<20260102.bob@example.com>", found{}},

	{"sendgrid bounce", sendgridBounce, "bounces+123456-ab0c-bob-lee=example.org@em.example.com", found{"bob-lee@example.org", "", "123456", ""}},
	{"sendgrid bounce no hex", sendgridBounce, "bounces+123456-bob=example.org@em.example.com", found{}},
	{"sendgrid message", sendgridMessage, "<kQpkYGHTRzmWwhqd4hHOUg@geopod-ismtpd-3-0>", found{"", "", "", "kQpkYGHTRzmWwhqd4hHOUg"}},
	{"sendgrid message of another", sendgridMessage, "<kQpkYGHTRzmWwhqd4hHOUg@example.com>", found{}},
	{"sendgrid event", sendgridEvent, "u001.AAECAwQFBgcICQoLDA0ODw==", found{"", "", "", "u001.AAECAwQFBgcICQoLDA0ODw=="}},
	{"sendgrid event broken", sendgridEvent, "not base64 at all!", found{}},
	{"sendgrid event short", sendgridEvent, "AAEC", found{}},

	{"postmark recipient", postmarkRecipient, "|" + b64("m0|255|984|bob@example.org") + "|", found{"bob@example.org", "", "984", ""}},
	{"postmark recipient no bars", postmarkRecipient, b64("m0|255|984|bob@example.org"), found{}},
	{"postmark recipient short", postmarkRecipient, "|" + b64("984|bob@example.org") + "|", found{}},
	{"postmark recipient broken", postmarkRecipient, "|!!|", found{}},
	{"postmark tag", postmarkTag, "Manual Order", found{"", "Manual Order", "", ""}},
	{"postmark message", postmarkMessage, uuid1, found{"", "", "", uuid1}},
	{"postmark message cut", postmarkMessage, uuid1[1:], found{}},

	{"ses message", sesMessage, "<" + sesID + "@eu-west-1.amazonses.com>", found{"", "", "", sesID}},
	{"ses return path", sesMessage, sesID + "@bounce.example.com", found{"", "", "", sesID}},
	{"ses cut", sesMessage, sesID[1:] + "@amazonses.com", found{}},
	{"ses tags", sesTags, "campaign=summer, tenant=t1,ses:feedback-id-a=x", found{"", "summer", "t1", ""}},
	{"ses tags twice", sesTags, "campaign=summer, campaign=winter", found{}},
	{"ses tags broken", sesTags, "campaign=summer, x", found{}},

	{"mailer info", mailerInfo, "10." + reversed("bob@example.org") + "." + reversed("news-26"), found{"bob@example.org", "news-26", "", ""}},
	{"mailer info, one piece", mailerInfo, "10." + reversed("bob@example.org"), found{"bob@example.org", "", "", ""}},
	{"mailer info, not reversed", mailerInfo, "10." + b64("bob@example.org"), found{}},
	{"mailer info, a program's page", mailerInfo, "https://www.example.org/mutt/", found{}},
	{"mailer info, a program", mailerInfo, "10.2.1", found{}},
	{"mailer info, second broken", mailerInfo, "10." + reversed("bob@example.org") + ".!", found{}},

	{"message-id Postmark", messageIDPattern, "<" + uuid1 + "@mtasv.net>", found{"", "", "", uuid1}},
	{"message-id Mailchimp", messageIDPattern, "<0123456789abcdef012345678.0a1b2c3d4e.20260102030405.5f6a7b8c9d.01234567@mail1.example1.mcsv.net>",
		found{"0a1b2c3d4e", "5f6a7b8c9d", "0123456789abcdef012345678", ""}},
	{"message-id Mailchimp, short", messageIDPattern, "<0a1b2c3d4e.20260102030405.5f6a7b8c9d@mail1.example1.mcsv.net>", found{}},
	{"message-id Mandrill", messageIDPattern, "<12345678.20260102030405.0123456789abcd.01234567@mail1-1.example1.mandrillapp.com>", found{"", "", "12345678", ""}},
	{"message-id of anybody", messageIDPattern, "<" + uuid1 + "@example.com>", found{}},
	{"message-id without a domain", messageIDPattern, "<" + uuid1 + ">", found{}},

	{"listmonk subscriber", listmonkSubscriber, uuid1, found{uuid1, "", "", ""}},
	{"listmonk subscriber number", listmonkSubscriber, "12", found{}},
	{"listmonk campaign", listmonkCampaign, uuid2, found{"", uuid2, "", ""}},
	{"listmonk url", listmonkURL, "https://news.example.com/subscription/" + uuid2 + "/" + uuid1, found{uuid1, uuid2, "", ""}},
	{"listmonk url short", listmonkURL, "https://news.example.com/subscription/" + uuid2, found{}},

	{"mautic url", mauticURI, "https://m.example.com/email/unsubscribe/" + hash, found{hash, "", "", ""}},
	{"mautic url with address", mauticURI, "https://m.example.com/email/unsubscribe/" + hash + "/bob@example.org/abc", found{hash, "", "", ""}},
	{"mautic mailto", mauticURI, "mailto:fbl+unsubscribe_" + hash + "@example.com", found{hash, "", "", ""}},
	{"mautic token left", mauticURI, "https://m.example.com/email/unsubscribe/{hash}", found{}},
	{"mautic other page", mauticURI, "https://m.example.com/e/unsubscribe/" + hash, found{}},
	{"mautic bounce", mauticBounce, "fbl+bounce_" + hash + "@example.com", found{hash, "", "", ""}},
	{"mautic bounce no hash", mauticBounce, "fbl+bounce@example.com", found{}},
	{"mautic email", mauticEmail, "31", found{"", "31", "", ""}},
	{"mautic email word", mauticEmail, "mail-31", found{}},

	{"mailtrain", mailtrainFBL, "HkV2kAgP7.EysIv8sAx.r1-2_aBcD", found{"r1-2_aBcD", "HkV2kAgP7", "", ""}},
	{"mailtrain two", mailtrainFBL, "HkV2kAgP7.EysIv8sAx", found{}},
	{"mailtrain url", mailtrainURL, "https://lists.example.com/subscription/EysIv8sAx/unsubscribe/r1-2_aBcD", found{"r1-2_aBcD", "", "", ""}},
	{"mailtrain other url", mailtrainURL, "https://lists.example.com/subscription/EysIv8sAx/r1-2_aBcD", found{}},

	{"sendy", sendyURL, "https://s.example.com/unsubscribe/" + token + "/" + token + "B/" + token + "C", found{token, token + "C", "", ""}},
	{"sendy autoresponder", sendyURL, "https://s.example.com/unsubscribe/" + token + "/" + token + "B/" + token + "C/a", found{token, token + "C", "", ""}},
	{"sendy numbers", sendyURL, "https://s.example.com/unsubscribe/1/2/3", found{}},
	{"sendy two", sendyURL, "https://s.example.com/unsubscribe/" + token + "/" + token, found{}},

	{"phplist member", phplistMember, "bob@example.org", found{"bob@example.org", "", "", ""}},
	{"phplist member number", phplistMember, "4711", found{"4711", "", "", ""}},
	{"phplist member word", phplistMember, "somebody", found{}},
	{"phplist message", phplistMessage, "48", found{"", "48", "", ""}},
	{"phplist message id of another", phplistMessage, "<48@example.com>", found{}},
	{"phplist url", phplistURL, "https://example.com/lists/?p=unsubscribe&uid=0123456789abcdef0123456789abcdef&jo=1", found{"0123456789abcdef0123456789abcdef", "", "", ""}},
	{"phplist url twice", phplistURL, "https://example.com/lists/?p=unsubscribe&uid=0123456789abcdef0123456789abcdef&uid=1123456789abcdef0123456789abcdef", found{}},

	{"mailman bounce", mailmanBounce, "news-bounces+bob+x=example.org@lists.example.com", found{"bob+x@example.org", "news@lists.example.com", "", ""}},
	{"mailman bounce, probe", mailmanBounce, "news-bounces+0123abcd@lists.example.com", found{}},
	{"mailman options", mailmanOptions, "https://lists.example.com/mailman/options/news/bob--at--example.org", found{"bob@example.org", "", "", ""}},
	{"mailman options page", mailmanOptions, "https://lists.example.com/mailman/options/news", found{}},
	{"mailman list", mailmanList, "news@lists.example.com", found{"", "news@lists.example.com", "", ""}},
	{"mailman list word", mailmanList, "news", found{}},

	{"postal", postalMessage, "Ab3dEf9hIjKl", found{"", "", "", "Ab3dEf9hIjKl"}},
	{"postal short", postalMessage, "abc", found{}},
	{"postal markup", postalMessage, "<b>Ab3dEf9h</b>", found{}},

	{"aol", aolText, "This is an email abuse report for an email message\r\nwith the message-id of\r\n 20101117174130.5@mx.example.com received from IP address 192.0.2.1", found{"", "", "", "20101117174130.5@mx.example.com"}},
	{"aol twice", aolText, "with the message-id of a@example.com received from x, with the message-id of b@example.com received from y", found{}},
	{"aol cut", aolText, "with the message-id of a@example.com", found{}},
}

func TestDecoders(t *testing.T) {
	for _, test := range readings {
		t.Run(test.name, func(t *testing.T) {
			if got := test.read(test.in); got != test.want {
				t.Errorf("%q gives %q, want %q", test.in, got, test.want)
			}
		})
	}
}

// hostile are values that say nothing in any field.
var hostile = []string{
	"", " ", "\x00", "a\x00b@example.com", "<", ">", "<>", "<<>>", "=", "@", "@@", "=@=", "|", "||", "|||", "...", ":::", "+=@", "-=-@-.-",
	"<mailto:", "<mailto:>", "<https://>", "<http://[::1>", "<https://example.com/%zz>", "=?utf-8?q?=3C?=", "=?", "%", "%00",
	"redacted", "redacted@example.com", "bounce-123-redacted=aol.com@example.com", "undisclosed-recipients:;", "xxx", "xxx@example.com",
	"{{ subscriber.id }}", "00000000-0000-0000-0000-000000000000", "0", "null",
	"eyJ", b64("{"), b64("\x00\x00"), b64(`{"_@_": null}`), strings.Repeat("[", 5000), b64(strings.Repeat(`{"a":`, 1000)),
	strings.Repeat("A", 1<<20), strings.Repeat("a=", 1<<19) + "@example.com", strings.Repeat("<http://a>", 100_000),
	"\xff\xfe\xfd", "\u202emoc.elpmaxe", "a\r\nX-Listmonk-Subscriber: b",
}

// TestHostile has every built-in rule read every hostile value.
func TestHostile(t *testing.T) {
	opaque := map[string]bool{"cfbl-feedback-id": true} // and tags: they may hold anything
	for i := range builtins {
		b := &builtins[i]
		if opaque[b.name] || strings.Contains(b.from[0].name, "Tag") || strings.Contains(b.from[0].name, "Campaign-Id") {
			continue
		}
		for _, v := range hostile {
			for _, v := range append(slices.Collect(uris(v)), v) {
				m := &reading{}
				if use := strings.TrimSpace(v); m.usable(use) {
					if f := b.read(use); m.check(&f) {
						t.Errorf("%s of %s reads %.60q as %q", b.name, b.from[0], v, f)
					}
				}
				b.read(v) // nor does it panic on what is kept from it
			}
		}
	}
}

// TestGives has every built-in rule read every value: none gives a field that the table
// does not name.
func TestGives(t *testing.T) {
	values := slices.Clone(hostile)
	for _, test := range readings {
		values = append(values, test.in)
	}
	for i := range builtins {
		b := &builtins[i]
		for _, v := range values {
			for field, value := range b.read(v) {
				if value != "" && b.gives&(1<<field) == 0 {
					t.Errorf("%s of %s reads %.60q as the %s %q", b.name, b.from[0], v, fieldNames[field], value)
				}
			}
		}
	}
}

// Of a token that is cut anywhere, nothing is read but what the whole one says.
// Those that a shorter value could be as well are left out: addresses and names
// in clear, numbers, and what is opaque.
func TestCutTokens(t *testing.T) {
	clear := []string{"cfbl", "feedback-id", "list-id", "unsubscribe", "verp", "mailman", "phplist", "mailgun bounce", "mailgun variables", "mailgun tag", "mailgun message",
		"sendgrid", "postmark tag", "postal", "mautic email", "ses tags", "mailtrain", "sendy", "aol", "mautic", "mailer info", "msfbl of old", "message-id", "kumoref more behind"}
	for _, test := range readings {
		if slices.ContainsFunc(clear, func(prefix string) bool { return strings.HasPrefix(test.name, prefix) }) {
			continue
		}
		for cut := range test.in {
			for i, v := range test.read(test.in[:cut]) {
				if v != "" && v != test.want[i] {
					t.Errorf("%s: cut at %d it says %q", test.name, cut, v)
				}
			}
		}
	}
}
