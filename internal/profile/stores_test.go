package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/report"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 123e6, time.UTC)

// stores are the profiles to stores and people, with a config of each.
func stores(t testing.TB) map[string]Profile {
	t.Helper()
	all := make(map[string]Profile)
	for _, o := range []Options{
		{Profile: "native"},
		{Profile: "cloudevents", Source: "https://fbl.example.com/"},
		{Profile: "elasticsearch", Index: "fblwatch"},
		{Profile: "splunk", Index: "mail"},
		{Profile: "loki", Labels: map[string]string{"env": "test"}},
		{Profile: "clickhouse", Table: "mail.fblwatch"},
		{Profile: "slack"},
	} {
		all[o.Profile] = newStore(t, o)
	}
	return all
}

func newStore(t testing.TB, o Options) Profile {
	t.Helper()
	p, err := New(o)
	if err != nil {
		t.Fatal(o.Profile, err)
	}
	if l, ok := p.(loki); ok {
		l.now = func() time.Time { return noon }
		return l
	}
	return p
}

// stored is a record as a ledger has it.
func stored(r report.Record) delivery.Item {
	return delivery.Item{Row: ledger.Row{Record: process.LedgerRecord(&r, r.AppendJSON(nil))}}
}

// chosen is a record whose text a sender chose.
func chosen(id, text string) report.Record {
	return report.Record{
		Schema: report.Schema, ID: id, Revision: 1, Event: report.Complaint, Class: report.ClassFBL, Provider: "yahoo", Feed: "cfl",
		Dialect: "rfc5965", ReceivedAt: noon, FeedbackType: text, OriginalRcptTo: "user@example.com", Complainant: report.Named, Recipients: 1,
		Extensions: map[string][]string{"x-foo": {text, "1"}, "x-foo.bar": {text}, "__proto__": {"a"}, "@timestamp": {"b"}, "_id": {"c"}},
		Original:   &report.Original{Subject: text, From: text, To: []string{text}},
		Identity:   &report.Identity{Status: report.Identified, Subscriber: text, Campaign: text},
		Suppress:   &report.Suppress{Verdict: report.SuppressYes, Reasons: []string{text}},
		Mailbox:    &report.Mailbox{Account: "yahoo", Folder: text, UID: 7, UIDValidity: 3},
		Parse:      report.ParseStatus{Status: report.ParseOK},
	}
}

func allChosen(n int, text string) (items []delivery.Item) {
	for i := range n {
		items = append(items, stored(chosen(fmt.Sprintf("0123456789abcdef%016x.1", i), text)))
	}
	return items
}

// small is an item whose JSON a golden can hold.
func small(id string, revision int, json string) delivery.Item {
	return delivery.Item{Row: ledger.Row{Record: ledger.Record{ID: id, Revision: revision, At: noon, JSON: []byte(json),
		Event: "complaint", Class: "fbl", Provider: "yahoo", Feed: "cfl", Verdict: "yes", Campaign: "c<1>"}}}
}

const (
	smallA = `{"schema":1,"id":"a.1","extensions":{"x.y":["1","}\\\""],"_id":[]},"parse":{"status":"ok"}}`
	smallB = `{"schema":1,"id":"b.1","parse":{"status":"ok"}}`
)

// request is all of items in one Request.
func request(t testing.TB, p Profile, items []delivery.Item) Request {
	t.Helper()
	r, n, err := p.Request(items)
	if err != nil || n != len(items) {
		t.Fatal(n, err)
	}
	return r
}

// jsonOf is JSON as any, with numbers as they are written.
func jsonOf(t testing.TB, b []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %q", err, b)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("more than one value in %q", b)
	}
	return v
}

func same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if diff := cmp.Diff(jsonOf(t, want), jsonOf(t, got)); diff != "" {
		t.Errorf("%s: -want +got\n%s", what, diff)
	}
}

// TestStoreBodies: each body is what the receiver's documentation shows, written by hand.
func TestStoreBodies(t *testing.T) {
	items := []delivery.Item{small("a.1", 2, smallA), small("b.1", 1, smallB)}
	items[1].Provider, items[1].Replay = "attacker.example.com", 3
	for name, want := range map[string]Request{
		"native": {Body: []byte(`[` + smallA + `,` + smallB + `]`), Header: contentType("application/json")},
		"cloudevents": {Header: contentType("application/cloudevents-batch+json"), Body: []byte(`[` +
			`{"specversion":"1.0","id":"a.1.2","source":"https://fbl.example.com/","type":"com.fblwatch.complaint","subject":"a.1","time":"2026-01-31T12:00:00.123Z","datacontenttype":"application/json","data":` + smallA + `},` +
			`{"specversion":"1.0","id":"b.1.1#3","source":"https://fbl.example.com/","type":"com.fblwatch.complaint","subject":"b.1","time":"2026-01-31T12:00:00.123Z","datacontenttype":"application/json","data":` + smallB + `}]`)},
		"elasticsearch": {Path: "/fblwatch/_bulk?filter_path=items.*.status,items.*.error", Header: contentType("application/x-ndjson"), Body: []byte(
			`{"index":{"_id":"a.1","version":2,"version_type":"external"}}` + "\n" +
				`{"schema":1,"id":"a.1","extensions":[{"name":"x.y","value":["1","}\\\""]},{"name":"_id","value":[]}],"parse":{"status":"ok"}}` + "\n" +
				`{"index":{"_id":"b.1","version":1,"version_type":"external"}}` + "\n" + smallB + "\n")},
		"splunk": {Path: "/services/collector/event", Header: contentType("application/json"), Body: []byte(
			`{"source":"fblwatch","sourcetype":"fblwatch:record","index":"mail","time":1769860800.123,"event":` + smallA + "}\n" +
				`{"source":"fblwatch","sourcetype":"fblwatch:record","index":"mail","time":1769860800.123,"event":` + smallB + "}\n")},
		"clickhouse": {Header: contentType("application/x-ndjson"), Body: []byte(smallA + "\n" + smallB + "\n"),
			Path: "/?async_insert=0&date_time_input_format=best_effort&input_format_skip_unknown_fields=1" +
				// printf 'a.1.2\nb.1.1#3\n' | sha256sum | cut -c-32
				"&insert_deduplication_token=de51802580e36d0cf83b9cd41d8e619c&query=INSERT+INTO+mail.fblwatch+FORMAT+JSONEachRow"},
		"loki": {Path: "/loki/api/v1/push", Header: contentType("application/json"), Body: []byte(`{"streams":[` +
			`{"stream":{"class":"fbl","env":"test","event":"complaint","job":"fblwatch","kind":"record","provider":"yahoo","verdict":"yes"},"values":[["1769860800123000000",` + string(quote(smallA)) + `]]},` +
			`{"stream":{"class":"fbl","env":"test","event":"complaint","job":"fblwatch","kind":"record","provider":"other","verdict":"yes"},"values":[["1769860800123000001",` + string(quote(smallB)) + `]]}]}` + "\n")},
		"slack": {Header: contentType("application/json"), Body: []byte(`{"text":"fblwatch: 2 records: 2 complaint; verdicts: 2 yes` +
			`\ncomplaint, verdict yes, yahoo/cfl, campaign c\u0026lt;1\u0026gt;, a.1` +
			`\ncomplaint, verdict yes, attacker.example.com/cfl, campaign c\u0026lt;1\u0026gt;, b.1","mrkdwn":false,"unfurl_links":false,"unfurl_media":false}`)},
	} {
		got := request(t, stores(t)[name], items)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s\n%s", name, diff, got.Body)
		}
		if again := request(t, stores(t)[name], items); !reflect.DeepEqual(got, again) {
			t.Errorf("%s: another request for the same items", name)
		}
	}
}

// TestStoreBodiesAreBounded: a body has at most 1 MiB, or one item.
func TestStoreBodiesAreBounded(t *testing.T) {
	items := allChosen(400, strings.Repeat(`"<`, 500))
	items = append(items, allChosen(1, strings.Repeat("a", 200_000))...)
	items = append(items, allChosen(2, "b")...)
	for name, p := range stores(t) {
		sent, requests := 0, 0
		for sent < len(items) {
			r, n, err := p.Request(items[sent:])
			if err != nil || n < 1 || n > len(items)-sent || n > 1 && len(r.Body) > maxBody {
				t.Fatalf("%s: %d octets for %d items: %v", name, len(r.Body), n, err)
			}
			sent += n
			requests++
		}
		size := 0
		for i := range items {
			size += len(items[i].JSON)
		}
		if most := 5 + 3*size/maxBody; requests > most {
			t.Errorf("%s: %d requests for %d octets", name, requests, size)
		}
	}
}

// TestStoresSign: profiles for receivers of the user's own sign as Standard Webhooks says.
func TestStoresSign(t *testing.T) {
	const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	verifier, err := standardwebhooks.NewWebhook(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"native", "cloudevents"} {
		o := Options{Profile: name, SigningKey: key, Secret: func() ([]byte, error) { return []byte(key), nil }}
		p := newStore(t, o)
		r := request(t, p, allChosen(2, "a"))
		r.Header.Set(IdempotencyKey, "a.1.1")
		if err := p.Sign(&r, time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := verifier.Verify(r.Body, r.Header); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestStoresRefuseKeys: what would get into a path or a query is checked.
func TestStoresRefuseKeys(t *testing.T) {
	for _, o := range []Options{
		{Profile: "native", Index: "a"},
		{Profile: "elasticsearch"},
		{Profile: "elasticsearch", Index: "A"},
		{Profile: "elasticsearch", Index: "a/_delete_by_query"},
		{Profile: "elasticsearch", Index: "a?b"},
		{Profile: "elasticsearch", Index: ".."},
		{Profile: "elasticsearch", Index: "a\n"},
		{Profile: "clickhouse"},
		{Profile: "clickhouse", Table: "a; DROP TABLE b"},
		{Profile: "clickhouse", Table: "a.b.c"},
		{Profile: "clickhouse", Table: "a`"},
		{Profile: "clickhouse", Table: "a\n"},
		{Profile: "clickhouse", Table: "a", Source: "b"},
		{Profile: "loki", Labels: map[string]string{"a-b": "c"}},
		{Profile: "loki", Labels: map[string]string{"provider": "c"}},
		{Profile: "loki", Labels: map[string]string{"a": ""}},
		{Profile: "cloudevents", Source: "a b%zz"},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}

// TestStoresJudge: answers as the receivers document them, or as they were seen.
func TestStoresJudge(t *testing.T) {
	const wait = -1
	for _, c := range []struct {
		profile string
		status  int
		header  string // of ClickHouse
		body    string
		n       int
		refused any // []int: these items; nil: none; wait: all wait
	}{
		{"native", 204, "", "", 3, nil},
		{"native", 422, "", "", 3, []int{0, 1, 2}},
		{"native", 401, "", "", 3, wait},
		{"cloudevents", 202, "", "", 1, nil},
		{"cloudevents", 415, "", "", 1, wait},
		// https://docs.splunk.com/Documentation/Splunk/9.1.1/Data/TroubleshootHTTPEventCollector
		{"splunk", 200, "", `{"text":"Success","code":0}`, 2, nil},
		{"splunk", 200, "", `{"text":"Success","code":0,"ackId":1}`, 2, nil},
		{"splunk", 403, "", `{"text":"Token disabled","code":1}`, 2, wait},
		{"splunk", 403, "", `{"text":"Invalid token","code":4}`, 2, wait},
		{"splunk", 400, "", `{"text":"No data","code":5}`, 2, []int{0, 1}},
		{"splunk", 400, "", `{"text":"Invalid data format","code":6,"invalid-event-number":1}`, 3, []int{0, 1, 2}},
		{"splunk", 400, "", `{"text":"Incorrect index","code":7,"invalid-event-number":1}`, 3, wait},
		{"splunk", 400, "", `{"text":"Data channel is missing","code":10}`, 3, wait},
		{"splunk", 503, "", `{"text":"Server is busy","code":9,"invalid-event-number":10}`, 20, wait},
		{"splunk", 400, "", `<html>`, 2, wait},
		{"splunk", 200, "", `<html>Sign in</html>`, 2, wait},
		{"splunk", 413, "", `{"text":"The request was too large","code":27}`, 2, []int{0, 1}},
		// grafana/loki 65e30f8, pkg/validation/validate.go and pkg/ingester/stream.go
		{"loki", 204, "", "", 2, nil},
		{"loki", 400, "", "max entry size '262144' bytes exceeded for stream '{job=\"fblwatch\"}' while adding an entry with length '300000' bytes", 2, []int{0, 1}},
		{"loki", 400, "", "entry for stream '{job=\"fblwatch\"}' has timestamp too old: 2026-01-01T00:00:00Z, oldest acceptable timestamp is: 2026-01-24T12:00:00Z", 2, wait},
		{"loki", 400, "", "entry with timestamp 2026-01-31 10:00:00 +0000 UTC ignored, reason: 'entry too far behind, entry timestamp is: 2026-01-31T10:00:00Z, oldest acceptable timestamp is: 2026-01-31T11:00:00Z',\nuser 'fake', total ignored: 1 out of 2 for stream: {job=\"fblwatch\"}", 2, wait},
		{"loki", 400, "", "missing required labels 'team' for user 'fake' for stream '{}' (policy: '')", 2, wait},
		{"loki", 429, "", "ingestion rate limit exceeded for user fake", 2, wait},
		{"loki", 401, "", "no org id", 2, wait},
		// ClickHouse src/Server/HTTP/exceptionCodeToHTTPStatus.cpp
		{"clickhouse", 200, "", "", 2, nil},
		{"clickhouse", 200, "241", "Code: 241. DB::Exception: Memory limit exceeded", 2, wait},
		{"clickhouse", 400, "117", "Code: 117. DB::Exception: Unknown field", 2, []int{0, 1}},
		{"clickhouse", 400, "27", "Code: 27. DB::ParsingException: Cannot parse input", 2, []int{0, 1}},
		{"clickhouse", 400, "62", "Code: 62. DB::Exception: Syntax error", 2, wait},
		{"clickhouse", 404, "60", "Code: 60. DB::Exception: Table mail.fblwatch does not exist", 2, wait},
		{"clickhouse", 400, "", "", 2, wait},
		{"clickhouse", 413, "", "", 2, []int{0, 1}}, // of a proxy
		{"clickhouse", 500, "252", "Code: 252. DB::Exception: Too many parts", 2, wait},
		// https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks
		{"slack", 200, "", "ok", 2, nil},
		{"slack", 400, "", "msg_too_long", 2, []int{0, 1}},
		{"slack", 400, "", "invalid_payload", 2, []int{0, 1}},
		{"slack", 400, "", "user_not_found", 2, wait},
		{"slack", 400, "", "invalid_token", 2, wait},
		{"slack", 404, "", "no_service", 2, wait},
		{"slack", 410, "", "channel_is_archived", 2, wait},
		// Elasticsearch's documentation of _bulk; OpenSearch 2.19.6 as it was seen
		{"elasticsearch", 200, "", `{"items":[{"index":{"status":201}},{"index":{"status":200}}]}`, 2, nil},
		{"elasticsearch", 200, "", `{"items":[{"index":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"[a.1]: version conflict, current version [1] is higher or equal to the one provided [1]"}}},{"index":{"status":201}}]}`, 2, nil},
		{"elasticsearch", 200, "", `{"items":[{"index":{"status":201}},{"index":{"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse field [source_ip] of type [ip]","caused_by":{"type":"illegal_argument_exception","reason":"'x' is not an IP string literal."}}}},{"index":{"status":201}}]}`, 3, []int{1}},
		{"elasticsearch", 200, "", `{"items":[{"index":{"status":400,"error":{"type":"document_parsing_exception","reason":"a"}}},{"index":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"b"}}}]}`, 2, wait},
		{"elasticsearch", 200, "", `{"items":[{"index":{"status":503,"error":{"type":"unavailable_shards_exception","reason":"b"}}}]}`, 1, wait},
		{"elasticsearch", 200, "", `{"items":[{"index":{"status":400,"error":{"type":"illegal_argument_exception","reason":"pipeline with id [x] does not exist"}}}]}`, 1, wait},
		{"elasticsearch", 200, "", `{"items":[{"index":{"status":404,"error":{"type":"index_not_found_exception","reason":"no such index"}}}]}`, 1, wait},
		{"elasticsearch", 200, "", `{"items":[{"index":{"status":403,"error":{"type":"cluster_block_exception","reason":"blocked by: [FORBIDDEN/8/index write (api)];"}}}]}`, 1, wait},
		{"elasticsearch", 200, "", `{"items":[{"index":{"status":201}}]}`, 2, wait}, // not an answer to this request
		{"elasticsearch", 200, "", `{"items":[{},{}]}`, 2, wait},
		{"elasticsearch", 200, "", `<html>`, 2, wait},
		{"elasticsearch", 400, "", `{"error":{"type":"illegal_argument_exception","reason":"explicit index in bulk is not allowed"},"status":400}`, 2, wait},
		{"elasticsearch", 413, "", ``, 2, []int{0, 1}},
	} {
		a := Answer{Status: c.status, Header: http.Header{}, Body: []byte(c.body)}
		if c.header != "" {
			a.Header.Set("X-ClickHouse-Exception-Code", c.header)
		}
		err := stores(t)[c.profile].Judge(a, c.n)
		var got any
		var refusals delivery.Refusals
		if errors.As(err, &refusals) {
			var refused []int
			for _, r := range refusals {
				for i := range r.N {
					refused = append(refused, r.First+i)
				}
				if r.Reason == "" || strings.ContainsAny(r.Reason, "\n\x00") {
					t.Errorf("%s %d: the reason %q", c.profile, c.status, r.Reason)
				}
			}
			got = refused
		} else if err != nil {
			got = wait
		}
		if !reflect.DeepEqual(got, c.refused) {
			t.Errorf("%s %d %s: %v (%v), want %v", c.profile, c.status, c.body, got, err, c.refused)
		}
	}
}

// TestStoresProbe: what check says of answers to a request that changes nothing.
func TestStoresProbe(t *testing.T) {
	for _, c := range []struct {
		profile string
		status  int
		body    string
		said    string // "": an error
	}{
		{"elasticsearch", 200, `{"version":{"distribution":"opensearch","number":"2.19.6"}}`, "opensearch 2.19.6"},
		{"elasticsearch", 200, `{"version":{"number":"9.1.0","build_flavor":"default"},"tagline":"You Know, for Search"}`, "Elasticsearch 9.1.0"},
		{"elasticsearch", 200, `<html>`, ""},
		{"elasticsearch", 401, ``, ""},
		{"elasticsearch", 403, ``, "it knows the user; whether the user may write is unknown"},
		{"clickhouse", 200, "1\n", "it has the table"},
		{"clickhouse", 200, "0\n", ""},
		{"clickhouse", 200, "Ok.\n", ""},
		{"clickhouse", 403, "Code: 516", ""},
		{"splunk", 200, `{"text":"HEC is healthy","code":17}`, "HEC is there; whether it takes the token is unknown"},
		{"splunk", 503, `{"text":"HEC is unhealthy, queues are full","code":18}`, ""},
		{"loki", 405, "", "its push API answered GET with 405"},
		{"loki", 401, "no org id", ""},
		{"loki", 502, "", ""},
	} {
		probes := stores(t)[c.profile].(Prober).Probes()
		if len(probes) != 1 || probes[0].Request.Method != http.MethodGet || probes[0].Request.Body != nil {
			t.Fatalf("%s: %+v", c.profile, probes)
		}
		said, err := probes[0].Judge(Answer{Status: c.status, Header: http.Header{}, Body: []byte(c.body)})
		if said != c.said || (err == nil) != (c.said != "") {
			t.Errorf("%s %d %s: %q, %v", c.profile, c.status, c.body, said, err)
		}
	}
}
