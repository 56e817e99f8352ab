package digest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

func item(event, verdict, provider, campaign string) *delivery.Item {
	return &delivery.Item{Row: ledger.Row{Record: ledger.Record{
		ID: "00112233445566778899aabbccddeeff.1", Revision: 1, At: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), Event: event, Verdict: verdict,
		Provider: provider, Campaign: campaign, JSON: []byte(`{"suppress":{"verdict":"review","codes":["trust_off"]}}`),
	}}}
}

func TestText(t *testing.T) {
	d := Digest{Lines: 2}
	for range 3 {
		d.Add(item("complaint", "yes", "yahoo", "spring"))
	}
	for n := range 4 {
		d.Add(item("complaint", "review", fmt.Sprintf("p%d.example.com", n), "autumn"))
	}
	d.Add(item("not_spam", "no", "yahoo", "spring"))
	later := item("complaint", "yes", "yahoo", "spring")
	later.Revision, later.At = 2, later.At.Add(time.Hour)
	d.Add(later)
	decided := item("complaint", "review", "yahoo", "spring") // and a decision came
	decided.Replaced = true
	d.Add(decided)
	d.Add(&delivery.Item{Kind: delivery.KindAlarm, Row: ledger.Row{Record: ledger.Record{ID: "a1", JSON: []byte(`{"alarm":"silence"}`)}}})
	d.AddDead(ledger.DeadLetter{Row: ledger.Row{Record: ledger.Record{ID: "d1"}}, Sink: "crm", Reason: "422 no"})
	want := `Received from 2026-05-04 03:02 to 2026-05-04 04:02 UTC: 9 records, and 1 later readings and decisions.

Alarms
  a1  {"alarm":"silence"}

Dead letters
  d1  not taken by crm: 422 no
  $ fblwatch records --dead

Records to review
  00112233445566778899aabbccddeeff.1  complaint by p0.example.com, campaign autumn: trust_off
  00112233445566778899aabbccddeeff.1  complaint by p1.example.com, campaign autumn: trust_off
  and 2 more
  $ fblwatch review

Records by event and verdict
        5  complaint, verdict review
        3  complaint, verdict yes
  and 1 of others

Complaints by provider
        4  yahoo
        1  p0.example.com
  and 3 of others

Complaints by campaign
        4  autumn
        4  spring
`
	if got := d.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := d.Title(), "fblwatch: 1 alarm, 9 records, 1 dead letter, 4 records to review"; got != want {
		t.Errorf("title %q, want %q", got, want)
	}
	if d.Empty() || !new(Digest).Empty() {
		t.Error("Empty")
	}
}

// Fewer lines of each list are shown until the text fits. What is left out is counted.
func TestFit(t *testing.T) {
	var d Digest
	for n := range 20 {
		d.Add(item("complaint", "review", fmt.Sprintf("p%d.example.com", n), ""))
	}
	show := func(text string) string { return text + "!" }
	if got := d.Fit(len(d.Text())+1, show); got != d.Text()+"!" {
		t.Errorf("it fits as it is, but is\n%s", got)
	}
	for _, octets := range []int{0, 500, 1000, len(d.Text())} {
		got := d.Fit(octets, show)
		ids := strings.Count(got, "\n  0011")
		if octets > 0 && len(got) > octets || ids < 1 || strings.Count(got, "\n        1  p") != ids || !strings.Contains(got, "20 records.") {
			t.Errorf("%d octets, %d ids for %d:\n%s", len(got), ids, octets, got)
		}
		if !strings.Contains(got, fmt.Sprintf("\n  and %d more\n", 20-ids)) || !strings.Contains(got, fmt.Sprintf("\n  and %d of others\n", 20-ids)) {
			t.Errorf("%d of 20 are shown:\n%s", ids, got)
		}
	}
}

func TestDue(t *testing.T) {
	at := func(text string) time.Time {
		parsed, err := time.Parse("2006-01-02 15:04", text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	var seven Clock
	if err := seven.UnmarshalText([]byte("07:00")); err != nil {
		t.Fatal(err)
	}
	day, week, hour := Every{24 * time.Hour, seven}, Every{7 * 24 * time.Hour, seven}, Every{time.Hour, 0}
	for _, test := range []struct {
		every           Every
		sent, now, want string
	}{
		{day, "2026-12-01 07:00", "2026-12-01 07:00", "2026-12-02 07:00"},
		{day, "2026-12-01 07:00", "2026-12-02 06:59", "2026-12-02 07:00"},
		{day, "2026-12-01 07:00", "2026-12-02 07:00", "2026-12-02 07:00"},  // now
		{day, "2026-12-01 07:00", "2026-12-09 12:00", "2026-12-09 07:00"},  // the machine was off
		{day, "2026-12-01 07:31", "2026-12-02 07:30", "2026-12-02 07:00"},  // a sweep at half past seven
		{week, "2026-12-01 07:00", "2026-12-01 07:00", "2026-12-07 07:00"}, // a Monday
		{hour, "2026-12-01 07:10", "2026-12-01 07:20", "2026-12-01 08:00"},
	} {
		if got := test.every.Due(at(test.sent), at(test.now)); !got.Equal(at(test.want)) {
			t.Errorf("%+v, sent %s: due %v at %s, want %s", test.every, test.sent, got, test.now, test.want)
		}
	}
	if now := at("2026-12-01 07:10"); day.Due(time.Time{}, now).After(now) {
		t.Error("the first one is not due at once")
	}
	for _, wrong := range []string{"", "7", "24:00", "07:60", "07:00:00", "7 am"} {
		if new(Clock).UnmarshalText([]byte(wrong)) == nil {
			t.Errorf("%q is a time of the day", wrong)
		}
	}
}

// A receiver that repeats the address of a record does not bring it into a digest.
func TestDeadWithoutAddress(t *testing.T) {
	for reason, want := range map[string]string{
		"422 no": "422 no",
		`422 Unprocessable Entity: {"error": "reader@example.com is blocked"}`:                "422 Unprocessable Entity: ...",
		`422: {"error": "reader\u0040example.com"}`:                                           "422: ...",
		"answered 550 5.1.1 <reader@example.com>: Recipient address rejected":                 "answered 550 5.1.1 ...",
		`550 5.1.1 "a reader"@example.com unknown`:                                            "550 5.1.1 ...",
		"400 no such address reader%40example.com, nor bounce+reader=example.com@example.com": "400 no such address ...",
		"reader@example.com": "...",
	} {
		var d Digest
		d.AddDead(ledger.DeadLetter{Row: ledger.Row{Record: ledger.Record{ID: "d1"}}, Sink: "crm", Reason: reason})
		if got, _ := strings.CutPrefix(d.Dead.Shown[0].Text, "not taken by crm: "); got != want {
			t.Errorf("%q is %q, want %q", reason, got, want)
		}
	}
}

// FuzzDigest: no value breaks out of its line, or out of its cell.
func FuzzDigest(f *testing.F) {
	f.Add("a", "b", "c", "d", `{"suppress":{"codes":["x\n"]}}`)
	f.Add("</td><script>alert(1)</script>", "\r\n\r\nx", "\u202e\x1b[31m", "https://evil.example.com/", `{`)
	f.Fuzz(func(t *testing.T, event, provider, campaign, id, json string) {
		var d Digest
		record := item(event, "review", provider, campaign)
		record.ID, record.JSON = id, []byte(json)
		d.Add(record)
		d.Add(&delivery.Item{Kind: delivery.KindAlarm, Row: record.Row})
		d.AddDead(ledger.DeadLetter{Row: record.Row, Sink: provider, Reason: campaign})
		lines := 2 + 3 + 4 + 4 + 3 // span, alarms, dead letters, review, verdicts
		if event == "complaint" || event == "opt_out" {
			lines += 3
			if campaign != "" {
				lines += 3
			}
		}
		text := d.Text()
		if got := strings.Count(text, "\n") + 1; got != lines {
			t.Fatalf("%d lines, want %d:\n%q", got, lines, text)
		}
		if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r == '\u202e' }); i >= 0 {
			t.Fatalf("%q", text[i:])
		}
		if strings.Contains(text, "://") {
			t.Fatalf("a link in %q", text)
		}
		page, err := d.HTML()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(page, "://") {
			t.Fatalf("a link in %q", page)
		}
		for z := html.NewTokenizer(strings.NewReader(page)); z.Next() != html.ErrorToken; {
			token := z.Token()
			if token.Type == html.TextToken || token.Type == html.DoctypeToken {
				continue
			}
			switch token.Data {
			case "html", "head", "meta", "title", "body", "p", "h3", "table", "tr", "td", "code":
			default:
				t.Fatalf("<%s> in %q", token.Data, page)
			}
			if len(token.Attr) > 0 && token.Data != "meta" {
				t.Fatalf("attributes of <%s> in %q", token.Data, page)
			}
		}
		if title := d.Title(); title != "fblwatch: 1 alarm, 1 record, 1 dead letter, 1 record to review" {
			t.Fatalf("title %q", title)
		}
	})
}
