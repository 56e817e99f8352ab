package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpusMail reads the published message of that number.
func corpusMessage(t *testing.T, id string) []byte {
	files, _ := filepath.Glob(filepath.Join(corpusFolder(t), id+"-*.eml"))
	if len(files) != 1 {
		t.Fatalf("%s: %d messages", id, len(files))
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// speakers is who speaks in each published ARF message: event, class, provider,
// feed, dialect, and what in the message says so.
var speakers = []struct{ want, ids, because string }{
	{"complaint fbl yahoo cfl yahoo", "002 077 215 239 241 258", "User-Agent Yahoo!-Mail-Feedback, From feedback@arf.mail.yahoo.com"},
	{"complaint fbl yahoo cfl yahoo", "251", "the same User-Agent; no outer header is there that could name SES"},
	{"complaint fbl yahoo cfl yahoo-ses", "005", "the same User-Agent, From is at email-abuse.amazonses.com, signed by arf.mail.yahoo.com"},
	{"complaint fbl aol scomp aol", "216 224 228 229 230 231 233 238 240 254 256", "User-Agent AOL SComp, From scomp@aol.net"},
	{"complaint fbl aol scomp aol", "001 018 019", "User-Agent SMP-FBL with AOL's wording and its two Redacted-Address; all names are made up"},

	{"complaint fbl validity unknown returnpath1", "006 007", "User-Agent ReturnPathFBL/1.0; no Source, and the domain of From is made up"},
	{"complaint fbl validity terra returnpath1", "012", "From at feedback.terra.com"},
	{"complaint fbl validity bluetie returnpath1", "059", "From at feedback.bluetie.com"},
	{"complaint fbl validity comcast returnpath1", "061", "From at the alias comcastfbl.senderscore.net"},
	{"complaint fbl validity cox returnpath1", "063 064", "From at fbl.cox.net"},
	{"complaint fbl validity fastmail returnpath1", "065", "From at fbl.fastmail.com"},
	{"complaint fbl validity fastmail returnpath1", "259", "no User-Agent, but Abuse-Type and feedbackloop@ at fbl.fastmail.fm: Return Path of 2013"},
	{"complaint fbl validity opensrs returnpath1", "067 068", "From at fbl.hostedemail.com, which is OpenSRS"},
	{"complaint fbl validity rackspace returnpath1", "069", "From at fbl.apps.rackspace.com"},
	{"complaint fbl validity roadrunner returnpath1", "071", "From at feedback.postmaster.rr.com"},
	{"complaint fbl validity synacor returnpath1", "073 074", "From at fbl.synacor.com"},
	{"complaint fbl validity usanet returnpath1", "075 076", "From at fbl.usa.net"},
	{"complaint fbl validity rackspace returnpath2", "013", "User-Agent ReturnPathFBL/2.0, Source: Rackspace"},
	{"complaint fbl validity comcast returnpath2", "252", "User-Agent ReturnPathFBL/2.0, Source: Comcast; no outer header"},

	{"complaint fbl microsoft jmrp jmrp-arf2026", "313", "User-Agent JMRP/1.0; staff@hotmail.com alone would not say which of its three"},
	{"auth_failure auth microsoft dmarc dmarc-hotmail", "253", "User-Agent XMR, type auth-failure, through Google Groups"},
	{"auth_failure auth netease dmarc dmarc-netease", "010 274", "User-Agent NtesDmarcReporter"},
	{"auth_failure auth example.com dmarc dmarc-lua", "009", "User-Agent Lua, a program that anybody runs; From is made up"},
	{"auth_failure auth domain.de dmarc dmarc-lua", "273", "the same, From is the domain's own"},
	{"auth_failure auth example.net dmarc dmarc-opendmarc", "011", "User-Agent OpenDMARC-Filter, a program that anybody runs"},
	{"auth_failure auth receiver.example unknown rfc6591", "249", "the RFC's own example: type auth-failure, an unheard User-Agent"},
	{"auth_failure auth receiver.example unknown rfc6591", "319", "the same"},

	{"complaint trap abusix traps abusix", "008", "User-Agent abusix-py, the hop's comment is (trap)"},
	{"complaint filter spamexperts filter spamexperts", "081 082 083", "User-Agent SpamExperts, an outgoing filter"},
	{"complaint filter spfbl filter spfbl", "282", "User-Agent SPFBL, passed on by a ticket system whose From says nothing"},
	{"complaint fbl zoho fbl zoho", "079 080", "User-Agent Zoho Mail"},
	{"complaint fbl example.org sieve sieve-report", "326", "Auto-Submitted: auto-generated (report) is Dovecot's"},
	{"complaint cfbl mailbox.example cfbl cfbl-arf", "323", "the original asks for it by CFBL-Address"},
	{"complaint cfbl mailbox.example cfbl cfbl-arf", "324", "the third part is a CFBL-Feedback-ID"},

	{"complaint fbl example.com unknown rfc5965", "003 212 214 245 246 250 271 272 317 318", "the RFC's own examples: SomeGenerator, abusedesk@example.com"},
	{"complaint fbl isp.example unknown rfc5965", "312", "a made-up loop"},
	{"complaint fbl unknown unknown rfc5965", "336", "no outer header at all"},
	{"opt_out fbl example.com unknown rfc5965", "213 223 226", "type opt-out"},
	{"not_spam fbl example.com unknown rfc5965", "321", "type not-spam"},
}

func TestCorpusSpeakers(t *testing.T) {
	folder := corpusFolder(t)
	said := make(map[string]bool)
	for _, row := range speakers {
		for id := range strings.FieldsSeq(row.ids) {
			if said[id] {
				t.Errorf("%s is there twice", id)
			}
			said[id] = true
			for _, r := range Parse(corpusMessage(t, id)).Records(Envelope{}) {
				if got := strings.Join([]string{string(r.Event), string(r.Class), r.Provider, r.Feed, r.Dialect}, " "); got != row.want {
					t.Errorf("%s: %s, want %s: %s", id, got, row.want, row.because)
				}
			}
		}
	}
	for _, message := range corpusReadings(t, folder) {
		if strings.HasPrefix(message.Kind, "arf-") && !said[message.ID] {
			t.Errorf("%s is not in the table", message.ID)
		}
	}
}
