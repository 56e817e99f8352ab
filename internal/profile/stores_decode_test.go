package profile

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	ce "github.com/cloudevents/sdk-go/v2/event"
	es "github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"
	"github.com/google/go-cmp/cmp"
	slackapi "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackutilsx"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/report"
)

// decoders read a body as its receiver does, and check it against the items.
var decoders = map[string]func(t *testing.T, r Request, items []delivery.Item){
	"native": func(t *testing.T, r Request, items []delivery.Item) {
		var got []json.RawMessage
		if err := json.Unmarshal(r.Body, &got); err != nil || len(got) != len(items) {
			t.Fatal(len(got), err)
		}
		for i := range items {
			if !bytes.Equal(got[i], items[i].JSON) {
				t.Errorf("%s for %s", got[i], items[i].JSON)
			}
		}
	},
	"cloudevents": func(t *testing.T, r Request, items []delivery.Item) {
		var got []ce.Event
		body, want := r.Body, "application/cloudevents-batch+json"
		if len(items) == 1 {
			body, want = slices.Concat([]byte("["), body, []byte("]")), "application/cloudevents+json"
		}
		if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != want {
			t.Fatal(media, err)
		}
		if err := json.Unmarshal(body, &got); err != nil || len(got) != len(items) {
			t.Fatal(len(got), err)
		}
		for i := range items {
			if err := got[i].Validate(); err != nil {
				t.Error(err)
			}
			if got[i].ID() != items[i].Key() || got[i].Subject() != items[i].ID || !got[i].Time().Equal(items[i].At) || !slices.Contains(types, got[i].Type()) {
				t.Error(got[i])
			}
			same(t, "data", got[i].Data(), items[i].JSON)
		}
	},
	"elasticsearch": func(t *testing.T, r Request, items []delivery.Item) {
		lines := strings.SplitAfter(string(r.Body), "\n")
		if len(lines) != 2*len(items)+1 || lines[len(lines)-1] != "" {
			t.Fatalf("%d lines for %d items", len(lines), len(items))
		}
		for i := range items {
			var meta struct {
				Index struct {
					ID          string `json:"_id"`
					Version     int    `json:"version"`
					VersionType string `json:"version_type"`
				} `json:"index"`
			}
			if json.Unmarshal([]byte(lines[2*i]), &meta); meta.Index.ID != items[i].ID || meta.Index.Version != items[i].Revision || meta.Index.VersionType != "external" {
				t.Error(meta)
			}
			doc := jsonOf(t, []byte(lines[2*i+1])).(map[string]any)
			if list, ok := doc["extensions"].([]any); ok {
				extensions := make(map[string]any)
				for _, entry := range list {
					extensions[entry.(map[string]any)["name"].(string)] = entry.(map[string]any)["value"]
				}
				doc["extensions"] = extensions
			}
			if diff := cmp.Diff(jsonOf(t, items[i].JSON), any(doc)); diff != "" {
				t.Error(diff)
			}
		}
	},
	"splunk": func(t *testing.T, r Request, items []delivery.Item) {
		d := json.NewDecoder(bytes.NewReader(r.Body))
		d.DisallowUnknownFields()
		for i := range items {
			var got struct { // https://docs.splunk.com/Documentation/Splunk/9.1.1/Data/FormateventsforHTTPEventCollector
				Time                            json.Number
				Host, Source, SourceType, Index string
				Event                           json.RawMessage
				Fields                          map[string]any
			}
			if err := d.Decode(&got); err != nil {
				t.Fatal(err)
			}
			if want := strconv.FormatFloat(float64(items[i].At.UnixMilli())/1000, 'f', 3, 64); !items[i].At.IsZero() && got.Time.String() != want {
				t.Errorf("time %s for %s", got.Time, want)
			}
			same(t, "event", got.Event, items[i].JSON)
		}
		if _, err := d.Token(); err != io.EOF {
			t.Error("more events than items")
		}
	},
	"loki": func(t *testing.T, r Request, items []delivery.Item) {
		var got struct {
			Streams []struct {
				Stream map[string]string
				Values [][2]string
			}
		}
		d := json.NewDecoder(bytes.NewReader(r.Body))
		d.DisallowUnknownFields()
		if err := d.Decode(&got); err != nil {
			t.Fatal(err)
		}
		lines := make(map[int64]string)
		for _, s := range got.Streams {
			for name, value := range s.Stream {
				if !slices.Contains(labelValues[name], value) && !(name == "provider" && report.Known(value)) {
					t.Errorf("label %s=%q", name, value)
				}
			}
			for _, v := range s.Values {
				at, err := strconv.ParseInt(v[0], 10, 64)
				if err != nil {
					t.Error(err)
				}
				lines[at-noon.UnixNano()] = v[1]
			}
		}
		for i := range items {
			if lines[int64(i)] != string(items[i].JSON) {
				t.Errorf("line %q for %s", lines[int64(i)], items[i].JSON)
			}
		}
		if len(lines) != len(items) {
			t.Errorf("%d lines", len(lines))
		}
	},
	"clickhouse": func(t *testing.T, r Request, items []delivery.Item) {
		u, err := url.Parse("http://192.0.2.1:8123" + r.Path)
		if err != nil || u.Query().Get("query") != "INSERT INTO mail.fblwatch FORMAT JSONEachRow" || u.Path != "/" || u.Host != "192.0.2.1:8123" {
			t.Error(r.Path, err)
		}
		for i, line := range strings.Split(strings.TrimSuffix(string(r.Body), "\n"), "\n") {
			if line != string(items[i].JSON) {
				t.Errorf("line %q for %s", line, items[i].JSON)
			}
		}
	},
	"slack": func(t *testing.T, r Request, items []delivery.Item) {
		var got slackapi.WebhookMessage
		if err := json.Unmarshal(r.Body, &got); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"mrkdwn", "unfurl_links", "unfurl_media"} {
			if jsonOf(t, r.Body).(map[string]any)[key] != false {
				t.Error(key, "is not off")
			}
		}
		lines := strings.Split(got.Text, "\n")
		if want := 1 + min(len(items), slackLines); len(lines) != want && (len(items) <= slackLines || len(lines) != want+1) {
			t.Errorf("%d lines for %d items: %q", len(lines), len(items), got.Text)
		}
		// What Slack's own client escapes is escaped already.
		text := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(got.Text)
		if slackutilsx.EscapeMessage(text) != got.Text || strings.Contains(text, "://") || len(got.Text) > 40_000 {
			t.Errorf("%q", got.Text)
		}
		for _, r := range strings.ReplaceAll(got.Text, "\n", "") {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e {
				t.Errorf("control %q in %q", r, got.Text)
			}
		}
	},
}

var (
	types       = []string{"com.fblwatch.complaint", "com.fblwatch.not_spam", "com.fblwatch.opt_out", "com.fblwatch.auth_failure", "com.fblwatch.unparsed", "com.fblwatch.record", "com.fblwatch.alarm"}
	labelValues = map[string][]string{
		"job": {"fblwatch"}, "env": {"test"}, "kind": {"record", "alarm"},
		"event":    {"complaint", "not_spam", "opt_out", "auth_failure", "unparsed", "other"},
		"class":    {"fbl", "cfbl", "trap", "service", "filter", "network", "auth", "other"},
		"verdict":  {"yes", "no", "review", "other"},
		"provider": {"other"},
	}
)

// hostile are values that try to get out of where they are put.
var hostile = []string{
	`","_id":"x"}`, "\n{\"index\":{\"_index\":\"other\"}}\n", `}]}`, `\`, `\"`, "\u2028\u2029\u0085", "<!channel> <https://attacker.example.com|click> &amp; *b* `c`",
	"https://attacker.example.com/", "\u202egpj.exe", "a\r\nX-Injected: 1", "'; DROP TABLE a --", "\xff\xfe", "\x00", "$(id)", "{{.}}", "../../_all", "?query=DROP", strings.Repeat("é", 1000),
}

func TestStoresHoldWhatSendersWrite(t *testing.T) {
	for name, p := range stores(t) {
		for _, text := range hostile {
			for _, n := range []int{1, 2, slackLines + 2} {
				items := allChosen(n, text)
				items[0].Replay, items[0].Provider, items[0].Event, items[0].Class, items[0].Verdict = 2, text, text, text, text
				decoders[name](t, request(t, p, items), items)
			}
		}
		alarm := delivery.Item{Kind: delivery.KindAlarm}
		alarm.ID, alarm.Revision, alarm.At, alarm.JSON = "silence:<yahoo>", 1, noon, []byte(`{"alarm":"silence"}`)
		decoders[name](t, request(t, p, []delivery.Item{alarm, allChosen(1, "a")[0]}), []delivery.Item{alarm, allChosen(1, "a")[0]})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestElasticsearchClient: Elastic's own client writes the same action lines for the same
// items, and reads the same from an answer.
func TestElasticsearchClient(t *testing.T) {
	const answer = `{"took":1,"errors":true,"items":[{"index":{"_index":"fblwatch","_id":"a.1","status":201,"_version":2}},` +
		`{"index":{"_index":"fblwatch","_id":"b.1","status":400,"error":{"type":"document_parsing_exception","reason":"no","caused_by":{"type":"illegal_argument_exception","reason":"why"}}}}]}`
	var body []byte
	client, err := es.NewClient(es.Config{Addresses: []string{"http://127.0.0.1:9"}, Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
		body, _ = io.ReadAll(r.Body)
		return &http.Response{StatusCode: 200, Header: http.Header{"X-Elastic-Product": {"Elasticsearch"}}, Body: io.NopCloser(strings.NewReader(answer))}, nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: client, Index: "fblwatch", NumWorkers: 1})
	if err != nil {
		t.Fatal(err)
	}
	items := []delivery.Item{small("a.1", 2, smallB), small("b.1", 1, smallB)}
	var failed []string
	for i := range items {
		version := int64(items[i].Revision)
		err := indexer.Add(t.Context(), esutil.BulkIndexerItem{Action: "index", DocumentID: items[i].ID, Version: &version, VersionType: "external", Body: bytes.NewReader(items[i].JSON),
			OnFailure: func(_ context.Context, item esutil.BulkIndexerItem, r esutil.BulkIndexerResponseItem, err error) {
				failed = append(failed, item.DocumentID+" "+r.Error.Type+" "+r.Error.Reason+" "+r.Error.Cause.Reason)
			}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := indexer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := stores(t)["elasticsearch"]
	theirs, ours := bytes.Split(body, []byte("\n")), bytes.Split(request(t, p, items).Body, []byte("\n"))
	if len(theirs) != len(ours) {
		t.Fatalf("%q\n%q", theirs, ours)
	}
	for i := range theirs[:len(theirs)-1] {
		same(t, "line", ours[i], theirs[i])
	}
	refused := p.Judge(Answer{Status: 200, Body: []byte(answer)}, 2)
	want := delivery.Refusals{{First: 1, N: 1, Reason: "400 document_parsing_exception no why"}}
	if diff := cmp.Diff(error(want), refused); diff != "" || len(failed) != 1 || failed[0] != "b.1 document_parsing_exception no why" {
		t.Errorf("%s client: %q", diff, failed)
	}
}

// FuzzStores: whatever a sender writes, the receiver's decoder finds these items.
func FuzzStores(f *testing.F) {
	for _, text := range hostile {
		f.Add(text, text, uint8(2))
	}
	all := stores(f)
	f.Fuzz(func(t *testing.T, text, name string, n uint8) {
		var items []delivery.Item
		for i := range int(n)%30 + 1 {
			r := chosen("0123456789abcdef0123456789abcdef."+strconv.Itoa(i), text)
			r.Extensions[name], r.Provider = []string{text, name}, name
			items = append(items, stored(r))
		}
		for profile, p := range all {
			r, n, err := p.Request(items)
			if err != nil {
				t.Fatal(profile, err)
			}
			decoders[profile](t, r, items[:n])
		}
	})
}

// FuzzMembers: the scanner finds what encoding/json finds in every object that it reads.
func FuzzMembers(f *testing.F) {
	f.Add([]byte(smallA))
	f.Add([]byte(` { "a" : [ 1 , {"b":"\\\""} ] , "c":-1e5,"d":null, "e":{} } `))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		type member struct{ name, value string }
		var got, want []member
		whole := members(b, func(name []byte, start, end int) { got = append(got, member{string(name), string(b[start:end])}) })
		if !json.Valid(b) || len(bytes.TrimLeft(b, " \t\r\n")) == 0 || bytes.TrimLeft(b, " \t\r\n")[0] != '{' {
			return
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.Token()
		for d.More() {
			before := d.InputOffset()
			if _, err := d.Token(); err != nil {
				t.Fatal(err)
			}
			name := strings.TrimLeft(string(b[before:d.InputOffset()]), " \t\r\n,")
			var value json.RawMessage
			if err := d.Decode(&value); err != nil {
				t.Fatal(err)
			}
			want = append(want, member{name, string(value)})
		}
		if !whole || !slices.Equal(got, want) {
			t.Errorf("%v %q, want %q in %q", whole, got, want, b)
		}
	})
}

func BenchmarkProfiles(b *testing.B) {
	items := allChosen(500, "Spring sale: 20% off everything, user@example.com")
	size := 0
	for i := range items {
		size += len(items[i].JSON)
	}
	for name, p := range stores(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				for sent := 0; sent < len(items); {
					_, n, err := p.Request(items[sent:])
					if err != nil {
						b.Fatal(err)
					}
					sent += n
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(items)), "ns/item")
		})
	}
}
