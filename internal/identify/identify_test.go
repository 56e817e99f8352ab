package identify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/report"
)

// complaint is an ARF with these fields in the reported message's header; those
// that begin with "report:" stand in its report part, "outer:" in its own
// header, "text:" in its first part.
func complaint(fields ...string) []byte {
	var outer, text, part, original strings.Builder
	for _, f := range fields {
		to := &original
		for prefix, other := range map[string]*strings.Builder{"report:": &part, "outer:": &outer, "text:": &text} {
			if v, ok := strings.CutPrefix(f, prefix); ok {
				to, f = other, v
			}
		}
		to.WriteString(f + "\r\n")
	}
	return fmt.Appendf(nil, "From: fbl@example.net\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <1@example.net>\r\n%s"+
		"Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"+
		"--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n"+
		"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: Example/1\r\nVersion: 1\r\n%s\r\n"+
		"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: news@mail.example.com\r\nSubject: News\r\n%s\r\nbody\r\n--b--\r\n",
		&outer, &text, &part, &original)
}

// identify runs a config over a complaint.
func identify(t testing.TB, c Config, fields ...string) []report.Record {
	t.Helper()
	id, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r := report.Parse(complaint(fields...))
	records := r.Records(report.Envelope{})
	if len(records) == 0 {
		t.Fatal("the complaint makes no record")
	}
	id.Identify(r, records)
	return records
}

// many are n instances that name nobody.
func many(n int) (fields []string) {
	for i := range n {
		fields = append(fields, fmt.Sprintf("X-Listmonk-Subscriber: %d", i+1))
	}
	return fields
}

// by says what an identity is and where it is from, in one line.
func by(i *report.Identity) string {
	s := string(i.Status)
	values := map[string]string{"subscriber": i.Subscriber, "campaign": i.Campaign, "tenant": i.Tenant, "message_id": i.MessageID}
	for _, f := range fieldNames {
		if v := values[f]; v != "" {
			s += fmt.Sprintf(" %s=%s(%s %s)", f, v, i.By[f].Rule, i.By[f].Source)
		}
	}
	return s
}

func TestIdentify(t *testing.T) {
	digest := strings.Repeat("0f", 16)
	ref := Rule{From: "original:X-Ref", Match: `^(?P<campaign>[a-z]+)\.(?P<subscriber>\w+)$`}
	tests := []struct {
		name   string
		config Config
		fields []string
		want   string
	}{
		{"nothing", Config{}, nil, "unknown"},
		{"listmonk", Config{}, []string{"X-Listmonk-Subscriber: " + uuid1, "X-Listmonk-Campaign: " + uuid2},
			"identified subscriber=" + uuid1 + "(listmonk original:X-Listmonk-Subscriber) campaign=" + uuid2 + "(listmonk original:X-Listmonk-Campaign)"},
		{"folded token", Config{}, []string{"X-KumoRef: eyJfQF8iOiJcXF8v\r\n IiwicmVjaXBpZW50IjoidGVzdEBleGFtcGxlLmNvbSJ9"},
			"identified subscriber=test@example.com(kumoref original:X-KumoRef)"},
		{"several rules, field by field", Config{}, []string{"X-KumoRef: " + b64(`{"_@_":"\\_/","recipient":"bob@example.org"}`), "Feedback-ID: c1:t1:news:examplesend"},
			"identified subscriber=bob@example.org(kumoref original:X-KumoRef) campaign=c1(feedback-id original:Feedback-ID) tenant=t1(feedback-id original:Feedback-ID)"},
		{"partial", Config{}, []string{"CFBL-Feedback-ID: 111:222\r\n\t:333"}, "partial message_id=111:222:333(cfbl-feedback-id original:CFBL-Feedback-ID)"},
		{"presets off", Config{Presets: "none"}, []string{"CFBL-Feedback-ID: 111:222"}, "unknown"},
		{"one preset on", Config{Presets: "list-id, verp"}, []string{"CFBL-Feedback-ID: 111:222", "List-ID: <a.example.com>"}, "partial campaign=a.example.com(list-id original:List-ID)"},
		{"own rule before presets", Config{Rules: []Rule{{Name: "ours", From: "original:Feedback-ID", Match: `^(?P<subscriber>[^:]+):`}}}, []string{"Feedback-ID: s1:t1:news:examplesend"},
			"identified subscriber=s1(ours original:Feedback-ID) campaign=s1(feedback-id original:Feedback-ID) tenant=t1(feedback-id original:Feedback-ID)"},
		{"a rule without a name", Config{Rules: []Rule{ref}}, []string{"X-Ref: summer.s1"}, "identified subscriber=s1(rule 1 original:X-Ref) campaign=summer(rule 1 original:X-Ref)"},
		{"field names in any case", Config{Rules: []Rule{ref}}, []string{"x-ReF: summer.s1"}, "identified subscriber=s1(rule 1 original:X-Ref) campaign=summer(rule 1 original:X-Ref)"},

		{"a list's address, by its List-Post", Config{}, []string{"X-KumoRef: " + b64(`{"_@_":"\\_/","recipient":"list@lists.example.com"}`), "List-Post: <mailto:List@lists.example.com>"}, "unknown"},
		{"a list's address, by its List-ID", Config{}, []string{"X-KumoRef: " + b64(`{"_@_":"\\_/","recipient":"list@lists.example.com"}`), "List-ID: A list <list.lists.example.com>"},
			"partial campaign=list.lists.example.com(list-id original:List-ID)"},
		{"a list's address, and the member's", Config{}, []string{"X-KumoRef: " + b64(`{"_@_":"\\_/","recipient":"list@lists.example.com"}`), "X-BeenThere: list@lists.example.com", "Return-Path: <list-bounces+alice=example.net@lists.example.com>"},
			"identified subscriber=alice@example.net(mailman original:Return-Path) campaign=list@lists.example.com(mailman original:Return-Path)"},
		{"addresses of two presets that differ", Config{}, []string{"Return-Path: <list-bounces+alice=example.net@lists.example.com>", "X-ListMember: bob@example.org"},
			"partial campaign=list@lists.example.com(mailman original:Return-Path)"},
		{"addresses of two presets that differ, and a third between", Config{}, []string{"X-ListMember: bob@example.org", "List-Unsubscribe: <https://example.com/?email=alice@example.net>",
			"Message-ID: <0123456789abcdef012345678.0a1b2c3d4e.20260102030405.5f6a7b8c9d.01234567@mail1.example1.mcsv.net>"},
			"partial campaign=5f6a7b8c9d(message-id original:Message-ID) tenant=0123456789abcdef012345678(message-id original:Message-ID)"},
		{"addresses of two presets that agree", Config{}, []string{"Return-Path: <bounce-bob=example.org@example.com>", "X-ListMember: Bob@example.org"}, "identified subscriber=Bob@example.org(phplist original:X-ListMember)"},
		{"own rule against a preset's address", Config{Rules: []Rule{{From: "mailfrom", Decode: "verp"}}}, []string{"Return-Path: <bounce-alice=example.net@example.com>", "X-ListMember: bob@example.org"},
			"identified subscriber=alice@example.net(rule 1 original:Return-Path)"},

		{"a folded CFBL-Feedback-ID, by a rule", Config{Rules: []Rule{{From: "original:cfbl-feedback-id", Match: `^(?P<subscriber>[0-9]+)\.[0-9a-f]{6}$`}}}, []string{"CFBL-Feedback-ID: 47\r\n 11.0f0\r\n\tf0f"},
			"identified subscriber=4711(rule 1 original:cfbl-feedback-id) message_id=4711.0f0f0f(cfbl-feedback-id original:CFBL-Feedback-ID)"},

		{"equal instances", Config{Rules: []Rule{ref}}, []string{"X-Ref: summer.s1", "X-Ref: summer.s1"}, "identified subscriber=s1(rule 1 original:X-Ref) campaign=summer(rule 1 original:X-Ref)"},
		{"one instance of two matches", Config{Rules: []Rule{ref}}, []string{"X-Ref: 17", "X-Ref: summer.s1"}, "identified subscriber=s1(rule 1 original:X-Ref) campaign=summer(rule 1 original:X-Ref)"},
		{"instances that differ", Config{Rules: []Rule{ref}}, []string{"X-Ref: summer.s1", "X-Ref: summer.s2"}, "unknown"},
		{"instances that differ, and a later rule", Config{Rules: []Rule{ref}}, []string{"X-Ref: summer.s1", "X-Ref: summer.s2", "X-Listmonk-Subscriber: " + uuid1, "CFBL-Feedback-ID: 1"},
			"partial message_id=1(cfbl-feedback-id original:CFBL-Feedback-ID)"},
		{"third instance agrees with the first", Config{Rules: []Rule{ref}}, []string{"X-Ref: summer.s1", "X-Ref: summer.s2", "X-Ref: summer.s1"}, "unknown"},
		{"preset instances that differ", Config{}, []string{"X-Listmonk-Subscriber: " + uuid1, "X-Listmonk-Subscriber: " + uuid2}, "unknown"},
		{"URIs that differ", Config{}, []string{"List-Unsubscribe: <https://example.com/u?email=bob@example.org>, <mailto:unsub-eve=example.org@example.com>"}, "unknown"},
		{"URIs that agree", Config{}, []string{"List-Unsubscribe: <https://example.com/u?email=bob@example.org>,\r\n <mailto:unsub-bob=example.org@example.com>"},
			"identified subscriber=bob@example.org(list-unsubscribe original:List-Unsubscribe)"},
		{"encoded URIs", Config{}, []string{"List-Unsubscribe: =?UTF-8?Q?=3Chttps=3A//example.com/subscriber/77=3E?="}, "identified subscriber=77(list-unsubscribe original:List-Unsubscribe)"},

		{"encoded words", Config{}, []string{"X-PM-RCPT: =?utf-8?q?|bTB8MjU1fDk4NHxib2JAZXhh?=\r\n =?utf-8?q?bXBsZS5vcmc=3D|?="}, "identified subscriber=bob@example.org(postmark original:X-PM-RCPT) tenant=984(postmark original:X-PM-RCPT)"},
		{"encoded words of a token", Config{}, []string{"X-SG-EID:\r\n =?us-ascii?Q?u001=2EAAECAwQFBgcI?=\r\n =?us-ascii?Q?CQoLDA0ODxAREhM=3D?="}, "partial message_id=u001.AAECAwQFBgcICQoLDA0ODxAREhM=(sendgrid original:X-SG-EID)"},
		{"encoded words for a rule", Config{Rules: []Rule{ref}}, []string{"X-Ref: =?utf-8?b?" + b64("summer.s1") + "?="}, "identified subscriber=s1(rule 1 original:X-Ref) campaign=summer(rule 1 original:X-Ref)"},
		{"encoded words in part", Config{Rules: []Rule{ref}}, []string{"X-Ref: =?utf-8?q?summer?=.s1"}, "unknown"},
		{"encoded words of an unknown charset", Config{Rules: []Rule{ref}}, []string{"X-Ref: =?x-none?q?summer.s1?="}, "unknown"},
		{"encoded words that hide a line", Config{Rules: []Rule{{From: "original:X-Ref", Match: `^(?P<subscriber>(?s:.*))$`}}}, []string{"X-Ref: =?utf-8?q?a=0Ab?="}, "unknown"},

		{"two matches that differ", Config{Rules: []Rule{{From: "original:X-Ref", Match: `id=(?P<subscriber>\d+)`}}}, []string{"X-Ref: id=5&id=7"}, "unknown"},
		{"two matches that agree", Config{Rules: []Rule{{From: "original:X-Ref", Match: `id=(?P<subscriber>\d+)`}}}, []string{"X-Ref: id=5&id=5"}, "identified subscriber=5(rule 1 original:X-Ref)"},
		{"two matches, one of which has less to say", Config{Rules: []Rule{{From: "original:X-Ref", Match: `(?P<campaign>c\d)|(?P<subscriber>s\d)`}}}, []string{"X-Ref: c1 s2"}, "identified subscriber=s2(rule 1 original:X-Ref) campaign=c1(rule 1 original:X-Ref)"},

		{"placeholder", Config{Rules: []Rule{ref}}, []string{"X-Ref: summer.xxx"}, "partial campaign=summer(rule 1 original:X-Ref)"},
		{"placeholder in a VERP", Config{}, []string{"Return-Path: <bounce-redacted=aol.com@example.com>"}, "unknown"},
		{"a masked VERP", Config{}, []string{"Return-Path: <bounce-m***y=example.org@example.com>"}, "unknown"},
		{"the report's own hash", Config{}, []string{"report:Original-Rcpt-To: " + digest + "@example.org", "Return-Path: <bounce-" + digest + "=example.org@example.com>", "List-Unsubscribe: <https://example.com/?subscriber_id=" + digest + ">"}, "unknown"},
		{"a hash that is not the report's", Config{}, []string{"report:Original-Rcpt-To: " + digest + "@example.org", "List-Unsubscribe: <https://example.com/?subscriber_id=a" + digest[1:] + ">"},
			"identified subscriber=a" + digest[1:] + "(list-unsubscribe original:List-Unsubscribe)"},
		{"AOL's address", Config{}, []string{"report:Redacted-Address: gbtpbs4BTN@", "List-Unsubscribe: <https://example.com/?subscriber_id=gbtpbs4BTN>"}, "unknown"},
		{"a NUL", Config{Rules: []Rule{{From: "original:X-Ref", Match: `(?P<subscriber>.*)`}}}, []string{"X-Ref: a\x00b"}, "unknown"},
		{"octets that are no UTF-8", Config{}, []string{"CFBL-Feedback-ID: 3789e1 aa2\x87a48b"}, "unknown"},
		{"white space that is none of folding", Config{}, []string{"CFBL-Feedback-ID: 3789e1\vaa2"}, "unknown"},
		{"a value of 8 KiB and one", Config{Rules: []Rule{{From: "original:X-Ref", Match: `(?P<subscriber>.)`}}}, []string{"X-Ref: " + strings.Repeat("a", maxValue+1)}, "unknown"},
		{"101 instances, of which one names somebody", Config{}, append(many(100), "X-Listmonk-Subscriber: "+uuid1), "unknown"},
		{"100 instances, of which one names somebody", Config{}, append(many(99), "X-Listmonk-Subscriber: "+uuid1), "identified subscriber=" + uuid1 + "(listmonk original:X-Listmonk-Subscriber)"},
		{"a result of 512 octets and one", Config{Rules: []Rule{{From: "original:X-Ref", Match: `(?P<subscriber>.*)`}}}, []string{"X-Ref: " + strings.Repeat("a", maxFound+1)}, "unknown"},

		{"report field", Config{Rules: []Rule{{From: "report:X-Sub", Match: `(?P<subscriber>\d+)`}}}, []string{"report:X-Sub: 7"}, "identified subscriber=7(rule 1 report:X-Sub)"},
		{"outer field", Config{Rules: []Rule{{From: "outer:X-Rp-Fbl", Match: `subscriptionID=(?P<tenant>\w+)`}}}, []string{"outer:X-Rp-Fbl: type=arf; subscriptionID=acme1"}, "partial tenant=acme1(rule 1 outer:X-Rp-Fbl)"},
		{"text", Config{Rules: []Rule{{From: "text", Match: `mail (?P<message_id>\d+) was`}}}, []string{"text:The redacted mail 17 was reported."}, "partial message_id=17(rule 1 text)"},
		{"AOL's text", Config{}, []string{"report:User-Agent: AOL SComp", "text:with the message-id of a1@example.com received from"}, "unknown"}, // the second User-Agent does not count
		{"mailfrom: Return-Path", Config{}, []string{"Return-Path: <bounce-bob=example.org@example.com>"}, "identified subscriber=bob@example.org(verp original:Return-Path)"},
		{"mailfrom: Original-Mail-From", Config{}, []string{"Return-Path: <news@example.com>", "report:Original-Mail-From: <bounce-bob=example.org@example.com>"}, "identified subscriber=bob@example.org(verp report:Original-Mail-From)"},
		{"mailfrom: both, one rewritten", Config{}, []string{"Return-Path: <SRS0=4Fxs=TT=example.com=bounce-bob=example.org@example.net>", "report:Original-Mail-From: <bounce-bob=example.org@example.com>"}, "identified subscriber=bob@example.org(verp original:Return-Path)"},
		{"mailfrom: both differ", Config{}, []string{"Return-Path: <bounce-bob=example.org@example.com>", "report:Original-Mail-From: <bounce-eve=example.org@example.com>"}, "unknown"},
		{"mailfrom: null sender", Config{}, []string{"Return-Path: <>"}, "unknown"},
		{"when", Config{Rules: []Rule{{From: "original:X-Ref", Match: `(?P<subscriber>\d+)`, When: When{FromDomain: "Example.com"}}}}, []string{"X-Ref: 7"}, "identified subscriber=7(rule 1 original:X-Ref)"},
		{"when another", Config{Rules: []Rule{{From: "original:X-Ref", Match: `(?P<subscriber>\d+)`, When: When{FromDomain: "ample.com"}}}}, []string{"X-Ref: 7"}, "unknown"},
		{"decode elsewhere", Config{Rules: []Rule{{Name: "trace", From: "original:X-Trace", Decode: "kumoref"}}}, []string{"X-Trace: " + b64(`{"_@_":"\\_/","recipient":"bob@example.org"}`)}, "identified subscriber=bob@example.org(trace original:X-Trace)"},
		{"decode URIs elsewhere", Config{Rules: []Rule{{Name: "leave", From: "original:X-Leave", Decode: "list-unsubscribe"}}}, []string{"X-Leave: <https://example.com/subscriber/77>"}, "identified subscriber=77(leave original:X-Leave)"},
		{"decode a URI without brackets", Config{Rules: []Rule{{Name: "leave", From: "original:X-Leave", Decode: "list-unsubscribe"}}}, []string{"X-Leave: https://example.com/?subscriber_id=77"}, "identified subscriber=77(leave original:X-Leave)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := by(identify(t, test.config, test.fields...)[0].Identity); got != test.want {
				t.Errorf("it is\n%s, want\n%s", got, test.want)
			}
		})
	}
}

// A report that names two recipients has each of them read by a rule for rcpt,
// and the rest once.
func TestIdentifyRecipients(t *testing.T) {
	c := Config{Rules: []Rule{{From: "rcpt", Match: `^u(?P<subscriber>\d+)@`}}}
	records := identify(t, c, "report:Original-Rcpt-To: u1@example.org", "report:Original-Rcpt-To: u2@example.org", "report:Original-Rcpt-To: bob@example.org", "List-ID: <a.example.com>")
	want := []string{
		"identified subscriber=1(rule 1 rcpt) campaign=a.example.com(list-id original:List-ID)",
		"identified subscriber=2(rule 1 rcpt) campaign=a.example.com(list-id original:List-ID)",
		"partial campaign=a.example.com(list-id original:List-ID)",
	}
	for i := range records {
		if got := by(records[i].Identity); got != want[i] {
			t.Errorf("record %d is %s, want %s", i+1, got, want[i])
		}
	}
	if records[0].Identity == records[1].Identity {
		t.Error("two records share an identity")
	}
}

func TestVerify(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	key := []byte("0123456789abcdef0123")
	fixture.File(t, file, append(slices.Clone(key), '\n'))
	sign := func(v string) string {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(v))
		return hex.EncodeToString(mac.Sum(nil))
	}
	behind := Rule{From: "original:X-Ref", Match: `^(?P<campaign>\w+)\.(?P<subscriber>\w+)-(?P<hmac>\S+)$`, Verify: &Verify{HMAC: "sha256", KeyFile: file}}
	before := Rule{From: "original:X-Ref", Match: `^(?P<hmac>[^-]+)-(?P<campaign>\w+)\.(?P<subscriber>\w+)$`, Verify: behind.Verify}
	for _, test := range []struct {
		name, value string
		rule        Rule
		verified    bool
	}{
		{"behind", "c1.s1-" + sign("c1.s1"), behind, true},
		{"before", sign("c1.s1") + "-c1.s1", before, true},
		{"cut to 16 octets", "c1.s1-" + sign("c1.s1")[:32], behind, true},
		{"cut to 15 octets", "c1.s1-" + sign("c1.s1")[:30], behind, false},
		{"empty", "c1.s1-=", behind, false},
		{"another subscriber", "c1.s2-" + sign("c1.s1"), behind, false},
		{"another delimiter", "c1.s1-" + sign("c1-s1"), behind, false},
		{"no digest", "c1.s1-zz", behind, false},
		{"longer", "c1.s1-" + sign("c1.s1") + "00", behind, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			id, err := New(Config{Presets: "none", Rules: []Rule{test.rule}})
			if err != nil {
				t.Fatal(err)
			}
			r := report.Parse(complaint("X-Ref: " + test.value))
			records := r.Records(report.Envelope{})
			want := report.Unidentified
			if test.verified {
				want = report.Identified
			}
			if got := id.Identify(r, records); got != test.verified || records[0].Identity.Status != want {
				t.Errorf("verified is %v and the status %s, want %v and %s", got, records[0].Identity.Status, test.verified, want)
			}
		})
	}
	if id, _ := New(Config{}); id.Identify(report.Parse(complaint("X-Listmonk-Subscriber: "+uuid1)), make([]report.Record, 1)) {
		t.Error("a preset's subscriber counts as verified")
	}
}

func TestValidate(t *testing.T) {
	ok := Rule{From: "text", Match: `(?P<tenant>a)`}
	signed := func(match string, v Verify) Rule { return Rule{From: "text", Match: match, Verify: &v} }
	for name, test := range map[string]struct {
		config Config
		want   string
	}{
		"fine":            {Config{Presets: "auto", Rules: []Rule{ok}}, ""},
		"unknown preset":  {Config{Presets: "listmonk,sendmail"}, `presets: has a name that is none of auto, none, listmonk, mautic,`},
		"source":          {Config{Rules: []Rule{ok, {From: "original", Match: ok.Match}}}, `rule 2: from is none of original:NAME, `},
		"source's name":   {Config{Rules: []Rule{{From: "original:X Ref", Match: ok.Match}}}, `rule 1: from is none of`},
		"named rcpt":      {Config{Rules: []Rule{{From: "rcpt:a", Match: ok.Match}}}, `rule 1: from is none of`},
		"neither":         {Config{Rules: []Rule{{Name: "ours", From: "text"}}}, "rule 1: match: a rule has either match or decode"},
		"both":            {Config{Rules: []Rule{{From: "text", Match: ok.Match, Decode: "verp"}}}, "rule 1: match: a rule has either match or decode"},
		"decoder":         {Config{Rules: []Rule{{From: "text", Decode: "rot13"}}}, `rule 1: decode is none of aol, cfbl-feedback-id, feedback-id, kumoref, `},
		"decoder of many": {Config{Rules: []Rule{{From: "text", Decode: "mailgun"}}}, `rule 1: decode is none of aol, `},
		"expression":      {Config{Rules: []Rule{{Name: "ours", From: "text", Match: "("}}}, "rule 1: match: missing closing )"},
		"group":           {Config{Rules: []Rule{{From: "text", Match: `(?P<user>a)`}}}, `rule 1: match: a named group is none of subscriber, campaign, tenant, message_id`},
		"no group":        {Config{Rules: []Rule{{From: "text", Match: `(a)`}}}, `rule 1: match: it has no named group: subscriber, campaign, tenant, message_id`},
		"group twice":     {Config{Rules: []Rule{{From: "text", Match: `(?P<tenant>a)|(?P<tenant>b)`}}}, `rule 1: match: the group "tenant" occurs twice`},
		"hmac unasked":    {Config{Rules: []Rule{{From: "text", Match: `(?P<tenant>a)(?P<hmac>b)`}}}, `rule 1: match: the group hmac needs verify, which names the key`},
		"from_domain":     {Config{Rules: []Rule{{From: "text", Match: ok.Match, When: When{FromDomain: "*.example.com"}}}}, "rule 1: when: from_domain is not a domain; write it without a wildcard: domains below it match too"},
		"hmac missing":    {Config{Rules: []Rule{signed(`(?P<tenant>a)`, Verify{"sha256", "k"})}}, "rule 1: match: it has no group hmac for verify"},
		"hmac between":    {Config{Rules: []Rule{signed(`(?P<tenant>a)(?P<hmac>b)(?P<subscriber>a)`, Verify{"sha256", "k"})}}, "rule 1: match: the group hmac is between the others"},
		"hmac kind":       {Config{Rules: []Rule{signed(`(?P<tenant>a)(?P<hmac>b)`, Verify{"md5", "k"})}}, `rule 1: verify: hmac must be sha256`},
		"hmac key":        {Config{Rules: []Rule{signed(`(?P<tenant>a)(?P<hmac>b)`, Verify{"sha256", ""})}}, "rule 1: verify: key_file is missing"},
		"verify, twice":   {Config{Rules: []Rule{named("ours", signed(`(?P<tenant>a)(?P<hmac>b)`, Verify{"sha256", "k"})), named("ours", ok)}}, "rule 1: name: a rule with verify needs a name that no other rule and no preset has"},
		"verify, preset":  {Config{Rules: []Rule{ok, named("verp", signed(`(?P<tenant>a)(?P<hmac>b)`, Verify{"sha256", "k"}))}}, "rule 2: name: a rule with verify needs a name that"},
		"verify, second":  {Config{Rules: []Rule{signed(`(?P<tenant>a)(?P<hmac>b)`, Verify{"sha256", "k"}), named("rule 1", ok)}}, "rule 1: name: a rule with verify needs a name that"},
		"twice":           {Config{Rules: []Rule{named("ours", ok), named("ours", ok), signed(`(?P<tenant>a)(?P<hmac>b)`, Verify{"sha256", "k"})}}, ""},
		"verify a preset": {Config{Rules: []Rule{{From: "text", Decode: "verp", Verify: &Verify{"sha256", "k"}}}}, "rule 1: verify: needs match"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.config.Validate()
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
				t.Errorf("the error is %v, want %s", err, test.want)
			}
		})
	}
	short := filepath.Join(t.TempDir(), "key")
	fixture.File(t, short, "short\n\n\n\n\n\n\n\n\n\n\n\n\n")
	for _, file := range []string{short, filepath.Join(t.TempDir(), "none")} {
		if _, err := New(Config{Rules: []Rule{signed(`(?P<tenant>a)(?P<hmac>b)`, Verify{"sha256", file})}}); err == nil || !strings.HasPrefix(err.Error(), "identify: rule 1: verify: ") {
			t.Errorf("with the key file %s the error is %v", file, err)
		}
	}
}

func named(name string, r Rule) Rule {
	r.Name = name
	return r
}

// Every preset that the documentation of Config promises is there.
func TestPresetNames(t *testing.T) {
	names := maps.Collect(func(yield func(string, bool) bool) {
		for _, name := range presetNames() {
			if !yield(name, true) {
				return
			}
		}
	})
	for _, name := range []string{"listmonk", "mautic", "postal", "mailman", "sendy", "mailtrain", "phplist"} {
		if !names[name] {
			t.Errorf("there is no preset %s", name)
		}
	}
}
