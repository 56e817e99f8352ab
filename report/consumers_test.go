package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// arf is a report with more fields, and fields of the original.
func arf(fields, original string) []byte {
	return []byte("From: Loop <fbl@fbl.example.net>\nDate: Mon, 06 Jul 2026 10:00:00 +0000\nMessage-ID: <c1@fbl.example.net>\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\n" +
		"Feedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\n" + fields + "--b\nContent-Type: message/rfc822\n\nFrom: news@news.example.com\nMessage-ID: <o@news.example.com>\n" + original + "\nx\n--b--\n")
}

// TestNoEmptyKey: no key of a record is empty, as some programs refuse a whole
// file for one.
func TestNoEmptyKey(t *testing.T) {
	for name, message := range map[string][]byte{
		"a line that is no field":  arf("https://fbl.example.com/s/1\n", ""),
		"in quoted-printable":      bytes.Replace(arf("no field=20here\n", ""), []byte("feedback-report\n\nF"), []byte("feedback-report\nContent-Transfer-Encoding: quoted-printable\n\nF"), 1),
		"JSON with an empty name":  []byte("From: a@example.com\nContent-Type: application/json\n\n" + `{"xarf_version":"4","type":"spam","":"x","note":{"":"y"}}`),
		"SES with an empty name":   []byte("From: no-reply@sns.amazonaws.com\n\n" + `{"":["x"],"eventType":"Complaint","complaint":{}}`),
		"a field of the same name": arf("_lines: one\nand a line\n", ""),
	} {
		for _, rec := range Parse(message).Records(envelope) {
			line := rec.AppendJSON(nil)
			if bytes.Contains(line, []byte(`"":`)) || rec.Extensions["_lines"] == nil {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
	// What older versions wrote is read.
	var old Record
	if err := json.Unmarshal([]byte(`{"schema":1,"id":"a.1","extensions":{"":["a line"],"x":["y"]},"parse":{"status":"ok"}}`), &old); err != nil || old.Extensions[""][0] != "a line" {
		t.Errorf("%v %+v", err, old)
	}
}

// TestNoNUL: no text of a record has a NUL, wherever it stood, and a warning says so.
func TestNoNUL(t *testing.T) {
	for name, message := range map[string][]byte{
		"a field":              arf("X-Note: a\x00b\n", ""),
		"a field of a key":     arf("Reported-URI: http://x.example/\x00\n", ""),
		"a field's own text":   bytes.Replace(arf("", ""), []byte("X/1"), []byte("X\x00/1"), 1),
		"a mail from":          arf("Original-Mail-From: a\x00b@example.com\n", ""),
		"a recipient":          arf("Original-Rcpt-To: \"a\x00b\"@example.com\n", ""),
		"a reporting MTA":      arf("Reporting-MTA: dns; a\x00b\n", ""),
		"DKIM's":               arf("DKIM-Selector: a\x00b\n", ""),
		"an encoded word":      arf("", "Subject: =?utf-8?q?a=00b?=\n"),
		"another charset":      arf("", "Subject: =?utf-16be?B?AGEAAABi?=\n"),
		"an encoded From":      bytes.Replace(arf("", ""), []byte("From: Loop <fbl@fbl.example.net>"), []byte("From: =?utf-8?B?YQBi?="), 1),
		"a list":               arf("", "List-Unsubscribe: <mailto:a\x00b@example.com>\n"),
		"a line":               arf("a\x00 line\n", ""),
		"JSON":                 []byte("From: a@example.com\nContent-Type: application/json\n\n" + `{"xarf_version":"4","type":"spam","note":"a\u0000b"}`),
		"a name in JSON":       []byte("From: a@example.com\nContent-Type: application/json\n\n" + `{"xarf_version":"4","type":"spam","no\u0000te":"b"}`),
		"what is in base64":    []byte("From: a@example.com\nContent-Type: application/json\nContent-Transfer-Encoding: base64\n\n" + base64Lines("{\"xarf_version\":\"4\",\"type\":\"spam\",\"note\":\"a\x00b\"}")),
		"an outer Message-ID":  bytes.Replace(arf("", ""), []byte("<c1@"), []byte("<c\x001@"), 1),
		"a report in the text": []byte("From: abuse@example.com\nSubject: x\nAuto-Submitted: auto-generated\n\nFeedback-Type: abuse\nUser-Agent: X\x00/1\nVersion: 1\nSource-IP: 192.0.2.1\n\n"),
	} {
		records := Parse(message).Records(envelope)
		if len(records) == 0 {
			t.Errorf("%s: no record", name)
		}
		for _, rec := range records {
			checkNoNUL(t, name, &rec)
			if !slices.Contains(rec.Parse.Warnings, nulText) {
				t.Errorf("%s: warnings %q", name, rec.Parse.Warnings)
			}
		}
	}
	if plain := Parse(arf("X-Note: \\u0000 and %00\n", "")).Records(envelope)[0]; slices.Contains(plain.Parse.Warnings, nulText) || plain.Extensions["x-note"][0] != `\u0000 and %00` {
		t.Errorf("%+v", plain)
	}
	// What comes later is no better.
	rec := Parse(arf("", "")).Records(Envelope{Mailbox: &Mailbox{Folder: "a\x00b"}})[0]
	rec.Identify(Identity{Status: "identified", Subscriber: "4\x007"})
	rec.Supersedes = []string{"x\x00"}
	checkNoNUL(t, "identity", &rec)
	late := Unfetched(Envelope{Mailbox: &Mailbox{Folder: "F"}}, "BAD \x00")
	checkNoNUL(t, "a reason", &late)
}

func checkNoNUL(t *testing.T, name string, rec *Record) {
	line := rec.AppendJSON(nil)
	var back any
	if err := json.Unmarshal(line, &back); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if strings.Contains(fmt.Sprint(back), "\x00") || !bytes.Contains(line, []byte("\ufffd")) || !bytes.Contains(line, []byte(nulText)) {
		t.Errorf("%s: %s", name, line)
	}
}

// TestMaxLine: no record is longer, and what it lacks is counted.
func TestMaxLine(t *testing.T) {
	many := func(n int, field string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, field, i)
		}
		return b.String()
	}
	body := strings.Repeat("y", 900)
	for name, c := range map[string]struct {
		message []byte
		left    int // values that are left out, where that can be told by hand; -1: some
	}{
		"it just fits":           {arf(many(500, "X-%d: "+body+"\n"), ""), 0},
		"many fields":            {arf(many(3000, "X-%d: "+body+"\n"), ""), -1},
		"many of one name":       {arf(many(3000, "X-Note: %d "+body+"\n"), ""), -1},
		"one huge field":         {arf("X-Note: "+strings.Repeat("z", 2_700_000)+"\nX-Next: 1\n", ""), 1},
		"one huge field of ours": {arf("Authentication-Results: "+strings.Repeat("z", 2_700_000)+"\nReported-Domain: example.com\n", ""), 1},
		"one huge single field":  {arf("DKIM-Canonicalized-Body: "+strings.Repeat("z", 2_700_000)+"\nReported-Domain: example.com\n", ""), 1},
		"lines that are none":    {arf(many(3000, "%d "+body+"\n"), ""), -1},
		"escapes":                {arf("X-Note: "+strings.Repeat("\x01", 200_000)+"\n", ""), 1},
		"quotes":                 {arf(many(400, "X-%d: "+strings.Repeat(`"`, 900)+strings.Repeat("\x7f", 400)+"\n"), ""), -1},
		"a huge subject":         {arf("", "Subject: "+strings.Repeat("s", 990_000)+"\n"), 1},
		"many recipients":        {arf(many(40, "Original-Rcpt-To: r%d@example.com\n")+many(2000, "X-%d: "+body+"\n"), ""), -1},
		"long names":             {arf(many(9000, "X-"+strings.Repeat("n", 100)+"-%d: 1\n"), ""), -1},
	} {
		all := Parse(c.message)
		records := all.Records(envelope)
		if len(records) == 0 {
			t.Errorf("%s: no record", name)
		}
		for _, rec := range records {
			line := rec.AppendJSON(nil)
			if len(line) > MaxLine {
				t.Errorf("%s: %d octets", name, len(line))
			}
			limit := 1_000_000
			if len(records) > 16 {
				limit = 32 << 20 / 40 // the share of each of many
			}
			warned := regexp.MustCompile(fmt.Sprintf(`record: longer than %d octets, (\d+) values left out`, limit)).FindStringSubmatch(strings.Join(rec.Parse.Warnings, "\n"))
			if (warned == nil) != (c.left == 0) || (rec.Parse.Status == "partial") != (c.left != 0) {
				t.Errorf("%s: %s %q", name, rec.Parse.Status, rec.Parse.Warnings)
				continue
			}
			if c.left == 0 {
				continue
			}
			had, has := 0, 0
			for _, values := range all.Extensions {
				had += len(values)
			}
			for _, values := range rec.Extensions {
				has += len(values)
			}
			want := c.left
			if want < 0 {
				want = had - has
			}
			if want == 0 || warned[1] != fmt.Sprint(want) {
				t.Errorf("%s: %s left out, want %d", name, warned[1], want)
			}
			if rec.FeedbackType != all.FeedbackType || rec.Event != Complaint {
				t.Errorf("%s: %q %s", name, rec.FeedbackType, rec.Event)
			}
		}
	}
	// Records grow after they were made.
	rec := Parse(arf("X-Note: 1\n", "")).Records(envelope)[0]
	rec.Extensions = map[string][]string{"a": {strings.Repeat("a", 600_000), strings.Repeat("b", 600_000), "c"}}
	line := rec.AppendJSON([]byte("before "))
	if len(line) > MaxLine+7 || !bytes.Contains(line, []byte("1 values left out")) || !bytes.Contains(line, []byte(`"c"]`)) || !bytes.HasPrefix(line, []byte("before {")) {
		t.Errorf("%d octets: %.300s", len(line), line)
	}
}

// TestManyNames: a warning says that a list of the original is not all there.
func TestManyNames(t *testing.T) {
	for name, member := range map[string]string{"To": "\"n\" <user%d@example.net>", "List-Unsubscribe": "<https://news.example.com/%d>"} {
		for _, n := range []int{1000, 1001, 3000} {
			var members []string
			for i := range n {
				members = append(members, fmt.Sprintf(member, i))
			}
			r := Parse(arf("", name+": "+strings.Join(members, ",\n ")+"\n"))
			rec := r.Records(envelope)[0]
			if kept := max(len(rec.Original.To), len(rec.Original.ListUnsubscribe)); kept != 1000 {
				t.Fatalf("%s: %d kept of %d", name, kept, n)
			}
			if warned := slices.Contains(rec.Parse.Warnings, "original: more than 1000 in "+name); warned != (n > 1000) || (rec.Parse.Status == "ok") == warned {
				t.Errorf("%s: %d: %s %q", name, n, rec.Parse.Status, rec.Parse.Warnings)
			}
		}
	}
}

// TestCutMessage: a message that was not read to where it says something is partial.
func TestCutMessage(t *testing.T) {
	const limit = 8 << 20
	long := arf("X-Note: "+strings.Repeat("z", limit)+"\nOriginal-Rcpt-To: user@example.net\n", "")
	body := arf("Original-Rcpt-To: user@example.net\n", "\n"+strings.Repeat("text\n", limit/5))
	text := bytes.Replace(arf("Original-Rcpt-To: user@example.net\n", ""), []byte("--b\n"), []byte("--b\n\n"+strings.Repeat("text\n", limit/5)+"\n--b\n"), 1)
	for name, c := range map[string]struct {
		message []byte
		partial bool
	}{
		"in the report part":  {long, true},
		"ahead of it":         {text, true},
		"in the original":     {body, false}, // its header is there
		"a report in no time": {append(arf("", ""), make([]byte, limit)...), false},
	} {
		r := ParsePrefix(c.message[:limit], int64(len(c.message)))
		for _, rec := range r.Records(envelope) {
			cut := slices.ContainsFunc(rec.Parse.Warnings, func(w string) bool {
				return strings.HasPrefix(w, "message: cut at 8388608 octets")
			})
			if cut != c.partial || c.partial && rec.Parse.Status == "ok" || !c.partial && rec.Parse.Status != "ok" {
				t.Errorf("%s: %s %q", name, rec.Parse.Status, rec.Parse.Warnings)
			}
		}
		if len(r.Records(envelope)) == 0 {
			t.Errorf("%s: no record, %s", name, r.Kind)
		}
	}
}

// TestTimes: milliseconds at most, and no arrival later than a day after the receipt.
func TestTimes(t *testing.T) {
	received := time.Date(2026, 7, 6, 10, 0, 7, 123456789, time.FixedZone("CEST", 7200))
	e := Envelope{ReceivedAt: received, ProcessedAt: received.Add(987654321)}
	rec := Parse(arf("Arrival-Date: 2026-07-06T07:59:59.987654321Z\n", "Date: 2026-07-06T07:58:00.123456+02:00\n")).Records(e)[0]
	rec.Suppress.DecidedAt = received
	line := string(rec.AppendJSON(nil))
	for _, want := range []string{`"received_at":"2026-07-06T08:00:07.123Z"`, `"processed_at":"2026-07-06T08:00:08.111Z"`, `"arrival_date":"2026-07-06T07:59:59.987Z"`,
		`"arrival_date_raw":"2026-07-06T07:59:59.987654321Z"`, `"date":"2026-07-06T05:58:00.123Z"`, `"decided_at":"2026-07-06T08:00:07.123Z"`, `"reported_at":"2026-07-06T10:00:00Z"`} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	if regexp.MustCompile(`T\d\d:\d\d:\d\d\.\d{4,}Z"`).MatchString(strings.ReplaceAll(line, rec.ArrivalDateRaw, "")) {
		t.Errorf("more than milliseconds: %s", line)
	}
	for raw, kept := range map[string]bool{
		"Mon, 06 Jul 2026 09:00:00 +0000": true,
		"Tue, 07 Jul 2026 08:00:00 +0000": true,  // less than a day after
		"Tue, 07 Jul 2026 08:00:08 +0000": false, // more
		"Mon, 06 Jul 2300 09:00:00 +0000": false,
		"Fri, 31 Dec 9999 23:59:59 +0000": false,
		"Thu, 01 Jan 1970 00:00:00 +0000": true,
	} {
		for name, e := range map[string]Envelope{"INTERNALDATE": {ReceivedAt: received}, "our clock": {ProcessedAt: received}} {
			for _, field := range []string{"Arrival-Date: ", "Received-Date: "} {
				rec := Parse(arf(field+raw+"\n", "")).Records(e)[0]
				if rec.ArrivalDate.IsZero() == kept || rec.ArrivalDateRaw != raw || (rec.Parse.Status == "ok") != kept || kept == slices.Contains(rec.Parse.Warnings, "arrival-date: more than a day after the receipt") {
					t.Errorf("%s, %s: %s %q %+v", name, raw, rec.ArrivalDate, rec.ArrivalDateRaw, rec.Parse)
				}
			}
		}
	}
	// Without any receipt, what no table holds is left out; elsewhere too.
	far := bytes.Replace(arf("Arrival-Date: Mon, 06 Jul 2300 09:00:00 +0000\n", "Date: Mon, 06 Jul 2300 09:00:00 +0000\n"), []byte("Date: Mon, 06 Jul 2026"), []byte("Date: Mon, 06 Jul 2300"), 1)
	if rec := Parse(far).Records(Envelope{})[0]; !rec.ArrivalDate.IsZero() || !rec.ReportedAt.IsZero() || !rec.Original.Date.IsZero() || len(rec.Parse.Warnings) != 3 {
		t.Errorf("%s", rec.AppendJSON(nil))
	}
	// The receipt is not what the message's own header says, if that is later than now.
	lying := append([]byte("Received: from a by b; Mon, 06 Jul 2200 09:00:00 +0000\n"), arf("Arrival-Date: Mon, 06 Jul 2200 09:00:00 +0000\n", "")...)
	if rec := Parse(lying).Records(Envelope{ProcessedAt: received})[0]; !rec.ArrivalDate.IsZero() {
		t.Errorf("%s", rec.AppendJSON(nil))
	}
}

// What has no NUL is looked through without a copy of anything.
func TestNoCopies(t *testing.T) {
	r := Parse([]byte(limitHead + "X-One: a\n--b--\n"))
	if n := testing.AllocsPerRun(10, r.withoutNUL); n != 0 {
		t.Errorf("%g allocations", n)
	}
}
