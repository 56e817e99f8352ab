package report

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEvent(t *testing.T) {
	for in, want := range map[string]Event{
		"abuse": Complaint, "fraud": Complaint, "virus": Complaint, "other": Complaint, "spam": Complaint, "x-unheard": Complaint,
		"not-spam": NotSpam, "Not_Spam": NotSpam, "not spam": NotSpam, "NOTSPAM": NotSpam,
		// RFC 5965 section 3.1 lets comments stand around the token.
		"abuse (a user pressed a button)": Complaint, "not-spam (he did not)": NotSpam, "(c) not-spam": NotSpam, "not-spam; charset=utf-8": NotSpam,
		`"not-spam"`: NotSpam, "<opt-out>": OptOut, "(only a comment)": Unparsed, "other (not-spam)": Complaint, "not-spam (a (b) c)": NotSpam,
		"opt-out": OptOut, "opt-out-list": OptOut,
		"auth-failure": AuthFailed, "AuthFailure": AuthFailed,
		"\u00a0not-spam\u00a0": NotSpam, "\u00a0": Unparsed,
		"": Unparsed, "-": Unparsed,
	} {
		if got := eventOf(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// TestReportedAt: the reporter's Date counts only where a Received bears it out.
func TestReportedAt(t *testing.T) {
	date := time.Date(2026, 7, 6, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct{ date, received, want time.Time }{
		{date, date.Add(47 * time.Hour), date},
		{date, date.Add(-49 * time.Hour), date.Add(-49 * time.Hour)},
		{date, time.Time{}, date},
		{time.Time{}, date, date},
		{time.Time{}, time.Time{}, time.Time{}},
	} {
		r := Report{Outer: Outer{Date: c.date, Received: c.received}}
		if got := r.reportedAt(); !got.Equal(c.want) {
			t.Errorf("%v %v: %v, want %v", c.date, c.received, got, c.want)
		}
	}
}

// TestUnfetched: the id depends on the mailbox, and on nothing else.
func TestUnfetched(t *testing.T) {
	m := Mailbox{Account: "a", Folder: "FBL", UID: 7, UIDValidity: 1}
	r := Unfetched(Envelope{Mailbox: &m}, "the connection ended each time")
	// hashlib.sha256(b"1:a" b"3:FBL" b"1:1" b"1:7").hexdigest()[:32]
	if want := "u975dd2aded55c7fbbff69f77c9b4a7ca.0"; r.ID != want {
		t.Errorf("%s, want %s", r.ID, want)
	}
	m.UIDValidity = 1 << 41 // more than RFC 9051 allows
	if wide := Unfetched(Envelope{Mailbox: &m}, "x"); !strings.Contains(string(wide.AppendJSON(nil)), `"uidvalidity":2199023255552`) {
		t.Errorf("%s", wide.AppendJSON(nil))
	}
	m.UID = 8
	if other := Unfetched(Envelope{Mailbox: &m}, "x"); other.ID == r.ID || other.Event != Unparsed || other.Parse.Status != "failed" || other.Suppress.Verdict != SuppressNo {
		t.Errorf("%+v", other)
	}
}

// TestRecordKeys: the order of the keys is the one of the table, and a key
// whose value is unknown is absent. Marshalling a value or a pointer is the same.
func TestRecordKeys(t *testing.T) {
	full := Record{
		Schema: 1, ID: "i.1", Revision: 2, ReportID: "i", Fingerprint: "f", Supersedes: []string{"i.0"},
		Event: Complaint, Class: "fbl", Provider: "p", Feed: "f", Dialect: "d",
		Extensions: map[string][]string{"b": {"2"}, "a": {"1", ""}},
		Identity:   &Identity{Status: "partial", Subscriber: "s", By: map[string]Rule{"subscriber": {"r", "s"}}},
		Derived:    map[string]string{"source_ip": "x"},
		Source:     &Source{ReverseDNS: "r", Country: "c", ASN: 64496, ASName: "n"},
		Parse:      ParseStatus{Status: "ok"},
	}
	want := `{"schema":1,"id":"i.1","revision":2,"report_id":"i","fingerprint":"f","supersedes":["i.0"],"event":"complaint","class":"fbl",` +
		`"provider":"p","feed":"f","dialect":"d","extensions":{"a":["1",""],"b":["2"]},` +
		`"identity":{"status":"partial","subscriber":"s","by":{"subscriber":{"rule":"r","source":"s"}}},"derived":{"source_ip":"x"},` +
		`"source":{"reverse_dns":"r","country":"c","asn":64496,"as_name":"n"},"parse":{"status":"ok"}}`
	if got := string(full.AppendJSON(nil)); got != want {
		t.Error(cmp.Diff(want, got))
	}
	byValue, _ := json.Marshal(full)
	byPointer, _ := json.Marshal(&full)
	if string(byValue) != want || string(byPointer) != want {
		t.Errorf("%s\n%s", byValue, byPointer)
	}
	var back Record
	if err := json.Unmarshal([]byte(want), &back); err != nil || !cmp.Equal(full, back) {
		t.Error(err, cmp.Diff(full, back))
	}
}

func TestInert(t *testing.T) {
	in := "\x00\x1b\x7f\u0080\u009f\u2028\u2029\u202e\u2066\u200f\u061c\"\\ é<\xff" // the last is not UTF-8
	want := "\"\ufffd" + `\u001b\u007f\u0080\u009f\u2028\u2029\u202e\u2066\u200f\u061c\"\\ é<\ufffd"`
	if got := string(appended(in)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var back string
	if err := json.Unmarshal([]byte(want), &back); err != nil || back != strings.ReplaceAll(strings.ToValidUTF8(in, "\ufffd"), "\x00", "\ufffd") {
		t.Errorf("%v %q", err, back)
	}
}

// TestInertEight: looking at eight octets at a time tells the same as one by one.
func TestInertEight(t *testing.T) {
	for c := range 256 {
		for at := range 16 {
			for _, around := range []string{"\x20", "!", "#", "[", "]", "~", "\x00", "\x7f", "\xff"} {
				s := strings.Repeat(around, at) + string([]byte{byte(c)}) + strings.Repeat(around, 19-at)
				want := 0
				for want < len(s) && literal[s[want]] {
					want++
				}
				if got := inert(s); got != want {
					t.Fatalf("%q: %d, want %d", s, got, want)
				}
			}
		}
	}
}
