package sample_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// Each dialect is read as what it is, and says what it is known to say.
func TestDialects(t *testing.T) {
	const (
		person  = 1 << iota // names the recipient
		hash                // names it by a hash
		source              // has the source address
		date                // says when the message arrived
		message             // brings the reported message, or its header
	)
	all := person | source | date | message
	tests := map[string]struct {
		event, class, dialect string
		says                  int
	}{
		"rfc5965":          {"complaint", "fbl", "rfc5965", all},
		"rfc-notspam":      {"not_spam", "fbl", "rfc5965", all},
		"rfc-optout":       {"opt_out", "fbl", "rfc5965", all},
		"rfc-auth":         {"auth_failure", "auth", "rfc6591", all &^ person},
		"cfbl-arf":         {"complaint", "cfbl", "cfbl-arf", source | date},
		"yahoo":            {"complaint", "fbl", "yahoo", person | date | message},
		"yahoo-ses":        {"complaint", "fbl", "yahoo-ses", person | date | message},
		"aol":              {"complaint", "fbl", "aol", source | date | message},
		"returnpath1":      {"complaint", "fbl", "returnpath1", hash | source | date | message},
		"returnpath2":      {"complaint", "fbl", "returnpath2", hash | source | date | message},
		"base64-parts":     {"complaint", "fbl", "returnpath2", hash | source | date | message},
		"jmrp-arf2026":     {"complaint", "fbl", "jmrp-arf2026", message},
		"mailru":           {"complaint", "fbl", "rfc5965", source | date | message},
		"seznam":           {"complaint", "fbl", "rfc5965", source | date | message},
		"uol":              {"complaint", "fbl", "rfc5965", all},
		"telenor":          {"complaint", "fbl", "rfc5965", all},
		"nixspam":          {"complaint", "filter", "nixspam", all},
		"dnsblde":          {"complaint", "filter", "dnsblde", all},
		"sieve-report":     {"complaint", "fbl", "sieve-report", message},
		"opendkim":         {"auth_failure", "auth", "opendkim", source | date | message},
		"zoho":             {"complaint", "fbl", "zoho", source | date | message},
		"spamexperts":      {"complaint", "filter", "spamexperts", all},
		"spfbl":            {"complaint", "filter", "spfbl", all},
		"abusix":           {"complaint", "trap", "abusix", all},
		"spamcop-arf":      {"complaint", "service", "spamcop", all},
		"dmarc-netease":    {"auth_failure", "auth", "dmarc-netease", source | date | message},
		"dmarc-opendmarc":  {"auth_failure", "auth", "dmarc-opendmarc", source | date | message},
		"dmarc-lua":        {"auth_failure", "auth", "dmarc-lua", all},
		"dmarc-hotmail":    {"auth_failure", "auth", "dmarc-hotmail", source | date | message},
		"jmrp":             {"complaint", "fbl", "jmrp", person | source | message},
		"jmrp-itself":      {"complaint", "fbl", "jmrp", person | message},
		"jmrp-forwarded":   {"complaint", "fbl", "jmrp", person | source | message},
		"spamcop-plain":    {"complaint", "service", "spamcop-plain", source | date | message},
		"ses-json":         {"complaint", "fbl", "ses-json", person | date | message},
		"xarf":             {"complaint", "network", "xarf", source},
		"xarf-netcraft":    {"complaint", "network", "xarf-netcraft", source},
		"xarf-blocklistde": {"complaint", "network", "xarf-blocklistde", source},
		"xarf-cleanmx":     {"complaint", "network", "xarf-cleanmx", source},
		"xarf-v3mail":      {"complaint", "trap", "xarf-v3mail", all},
		"xarf-v4mail":      {"complaint", "trap", "xarf-v4mail", all},
		"dmarc-plaintext":  {"auth_failure", "auth", "dmarc-plaintext", source | date | message},
		"redirected":       {"complaint", "fbl", "redirected", message},
		"forward":          {"complaint", "service", "forward", message},
	}
	providers := map[string]string{
		"yahoo": "yahoo", "yahoo-ses": "yahoo", "aol": "aol", "jmrp-arf2026": "microsoft", "jmrp": "microsoft", "jmrp-itself": "microsoft", "jmrp-forwarded": "microsoft",
		"dmarc-hotmail": "microsoft", "mailru": "mailru", "seznam": "seznam", "uol": "uol", "telenor": "telenor", "zoho": "zoho", "abusix": "abusix", "spfbl": "spfbl",
		"spamcop-arf": "spamcop", "spamcop-plain": "spamcop", "spamexperts": "spamexperts", "nixspam": "nixspam", "dnsblde": "dnsblde", "ses-json": "amazonses",
	}
	for _, d := range sample.Dialects() {
		want, ok := tests[d.Name]
		if !ok {
			t.Errorf("%s: no test", d.Name)
			continue
		}
		t.Run(d.Name, func(t *testing.T) {
			for n := range 20 {
				c := sample.NewComplaint(7, n)
				b := d.Message(c)
				if bytes.Count(b, []byte("\r\n")) != bytes.Count(b, []byte("\n")) || bytes.ContainsAny(b, "\x00\x1b") {
					t.Errorf("line ends of %q", b)
				}
				records := report.Parse(b).Records(report.Envelope{})
				if len(records) != 1 {
					t.Fatalf("%d records of %s", len(records), b)
				}
				r := records[0]
				if r.Parse.Status != "ok" {
					t.Errorf("%s: %v in %s", r.Parse.Status, r.Parse.Warnings, b)
				}
				if string(r.Event) != want.event || string(r.Class) != want.class || r.Dialect != want.dialect {
					t.Errorf("%s, %s, %s", r.Event, r.Class, r.Dialect)
				}
				if want := providers[d.Name]; want != "" && r.Provider != want {
					t.Errorf("provider %s, not %s", r.Provider, want)
				}
				if got := r.OriginalRcptTo; want.says&person != 0 && got != c.User || want.says&(person|message) == 0 && got != "" {
					t.Errorf("recipient %q, not %s", got, c.User)
				}
				if want.says&hash != 0 && (r.Complainant != "hashed" || r.RcptHash == "") {
					t.Errorf("%s %q", r.Complainant, r.RcptHash)
				}
				if want.says&source != 0 && r.SourceIP != c.IP {
					t.Errorf("source %q, not %s", r.SourceIP, c.IP)
				}
				if want.says&date != 0 && !r.ArrivalDate.Equal(c.Arrived) {
					t.Errorf("arrived %s, not %s", r.ArrivalDate, c.Arrived)
				}
				if id := c.Campaign + "." + c.ID + "@mail.example.com"; want.says&message != 0 && (r.Original == nil || r.Original.MessageID != id || r.Original.Subject != c.Subject) {
					t.Errorf("original %+v, not of %s", r.Original, id)
				}
			}
		})
	}
	if len(tests) != len(sample.Dialects()) {
		t.Errorf("%d tests of %d dialects", len(tests), len(sample.Dialects()))
	}
}

// Messages differ by number and seed, and by nothing else.
func TestDialectsAreStable(t *testing.T) {
	for _, d := range sample.Dialects() {
		var ids []string
		for _, at := range []struct {
			seed uint64
			n    int
		}{{1, 0}, {1, 1}, {2, 0}, {1, 0}} {
			ids = append(ids, report.Parse(d.Message(sample.NewComplaint(at.seed, at.n))).ID)
		}
		if ids[0] != ids[3] {
			t.Errorf("%s: two messages of one number and seed", d.Name)
		}
		if slices.Sort(ids); len(slices.Compact(ids)) != 3 {
			t.Errorf("%s: equal messages of different numbers or seeds", d.Name)
		}
	}
}

// Nobody is in a made-up message but example.com's people and the reporters.
func TestDialectsNameNobody(t *testing.T) {
	for _, d := range sample.Dialects() {
		records := report.Parse(d.Message(sample.NewComplaint(1, 3))).Records(report.Envelope{ProcessedAt: time.Unix(0, 0)})
		for _, r := range records {
			if r.OriginalRcptTo != "" && !strings.HasSuffix(r.OriginalRcptTo, "@example.com") {
				t.Errorf("%s: %s", d.Name, r.OriginalRcptTo)
			}
			if r.SourceIP != "" && !strings.HasPrefix(r.SourceIP, "192.0.2.") {
				t.Errorf("%s: %s", d.Name, r.SourceIP)
			}
		}
	}
}
