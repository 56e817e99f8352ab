package trust

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// believedRow is one of providers.md, "Whom trust believes".
type believedRow struct{ feed, from, agent, signed, believed, why string }

func believedRows(t *testing.T) (rows []believedRow) {
	t.Helper()
	page, err := os.ReadFile("../../providers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(page), "\n## Whom trust believes\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.SplitSeq(section, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 6 {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if strings.Contains(cells[1], "@") {
			rows = append(rows, believedRow{cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]})
		}
	}
	return rows
}

// reportBy is a report about a message of ours.
func reportBy(from, agent string) string {
	if agent == "a notification" {
		return crlfs("From: " + from + "\nTo: fbl@example.com\nSubject: AWS Notification Message\nDate: " + time.Now().UTC().Format(time.RFC1123Z) +
			"\nMessage-ID: <1@sns.amazonaws.com>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\n" +
			`{"notificationType":"Complaint","complaint":{"complainedRecipients":[{"emailAddress":"reader@example.org"}],"timestamp":"2026-06-01T10:00:00.000Z","feedbackId":"1","complaintFeedbackType":"abuse"},` +
			`"mail":{"timestamp":"2026-06-01T09:00:00.000Z","messageId":"1","source":"news@example.com","sourceIp":"192.0.2.7","destination":["reader@example.org"]}}` + "\n")
	}
	return strings.Replace(complaint(from, oursOriginal), "User-Agent: Test/1.0", "User-Agent: "+agent, 1)
}

// TestWhomTrustBelieves: what the page says of a provider holds for a report of
// it, and for one from the next address.
func TestWhomTrustBelieves(t *testing.T) {
	rows := believedRows(t)
	if len(rows) < 40 {
		t.Fatalf("only %d rows", len(rows))
	}
	for _, row := range rows {
		local, domain, _ := strings.Cut(row.from, "@")
		for _, test := range []struct {
			from string
			want bool
		}{
			{row.from, row.believed != "no"},
			{local + "2@" + domain, row.believed == "by domain"},
		} {
			message := reportBy(test.from, row.agent)
			if strings.HasSuffix(row.feed, ", dmarc") {
				message = strings.Replace(message, "Feedback-Type: abuse", "Feedback-Type: auth-failure", 1)
			}
			if found := report.Providers(nil).Of(report.Parse([]byte(message))); test.from == row.from && found.Name+", "+found.Feed != row.feed {
				t.Errorf("%+v: is of %s, %s", row, found.Name, found.Feed)
			}
			got := checkBuiltin(t, message, row.signed)
			if got.Trusted != test.want || !got.Trusted && got.Code != report.CodeReporterUnknown && got.Auth == pass {
				t.Errorf("%+v: from %s: %+v", row, test.from, got)
			}
		}
		if row.believed == "no" && row.why == "" || row.believed != "no" && row.believed != "by domain" && row.believed != "by address" {
			t.Errorf("%+v: does not say why", row)
		}
	}
}

// checkBuiltin signs and checks a message by the built-in table.
func checkBuiltin(t *testing.T, message, signed string) report.Reporter {
	t.Helper()
	key := keyOf(t, reporter) // one for all of them: to make one takes its time
	keyring.Lock()
	if keyring.keys[signed] == nil {
		keyring.keys[signed] = key
	}
	keyring.Unlock()
	message = sign(t, message, signed, allFields)
	c, err := New(config, publish(t, signed), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := report.Parse([]byte(message))
	records := r.Records(report.Envelope{})
	if len(records) != 1 {
		t.Fatalf("%d records of %s", len(records), message)
	}
	c.Check(t.Context(), []byte(message), r, records, time.Time{}, false)
	return *records[0].Reporter
}

// TestParentOfReporter: a parent signs for a domain of trust.reporters; what is no
// parent, or gives mailboxes away, does not.
func TestParentOfReporter(t *testing.T) {
	for _, test := range []struct {
		reporter, from, signed string
		want                   bool
	}{
		{"arf.isp.example.org", "fbl@arf.isp.example.org", "arf.isp.example.org", true},
		{"arf.isp.example.org", "fbl@arf.isp.example.org", "isp.example.org", true},
		{"arf.isp.example.org", "fbl@a.arf.isp.example.org", "isp.example.org", true},
		{"ARF.isp.example.org.", "fbl@arf.ISP.example.org", "Example.org", true},
		{"arf.isp.example.org", "fbl@isp.example.org", "isp.example.org", false},
		{"arf.isp.example.org", "fbl@isp.example.org", "arf.isp.example.org", true},
		{"arf.isp.example.org", "fbl@xarf.isp.example.org", "isp.example.org", false},
		{"arf.isp.example.org", "fbl@arf.isp.example.org", "other.example.org", false},
		{"arf.example.co.uk", "fbl@arf.example.co.uk", "example.co.uk", true},
		{"example.co.uk", "fbl@example.co.uk", "co.uk", false},
		{"fbl@arf.example.co.uk", "fbl@arf.example.co.uk", "example.co.uk", true},
		{"fbl@arf.example.co.uk", "other@arf.example.co.uk", "example.co.uk", false},
		{"fbl@example.co.uk", "fbl@example.co.uk", "co.uk", false},
		{"fbl.gmx.net", "x@fbl.gmx.net", "fbl.gmx.net", true},
		{"fbl.gmx.net", "x@fbl.gmx.net", "gmx.net", false},
		{"a.fbl.gmx.net", "x@a.fbl.gmx.net", "fbl.gmx.net", false},
	} {
		c := &Checker{config: Config{Reporters: []string{test.reporter}}}
		if got := c.known(canonical(test.signed), test.from); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
	conf := config
	conf.Reporters = []string{"arf.isp.example.org"}
	message := sign(t, complaint("fbl@arf.isp.example.org", oursOriginal), "isp.example.org", allFields)
	if got := check(t, conf, publish(t, "isp.example.org"), message, true, time.Time{}, false); !got.Trusted {
		t.Errorf("%+v", got)
	}
}
