package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/profile"
)

// lines is a profile whose bodies are NDJSON of most items at most, behind a first line.
type lines struct {
	most  int
	first string
	bad   string // id of an item that it cannot write
}

func (lines) Takes(*delivery.Item) string { return "" }

func (l lines) Request(items []delivery.Item) (profile.Request, int, error) {
	if items[0].ID == l.bad {
		return profile.Request{}, 0, errors.New("cannot be written")
	}
	n := min(len(items), l.most)
	for i := range n {
		if items[i].ID == l.bad {
			n = i
			break
		}
	}
	body := []byte(l.first)
	body = ndjson(body, items[:n])
	return profile.Request{Header: http.Header{"Content-Type": {"application/x-ndjson"}}, Body: body}, n, nil
}

func (lines) Sign(*profile.Request, time.Time) error { return nil }
func (lines) Judge(a profile.Answer, n int) error    { return profile.Status(a, n) }

// arrival is a request as a receiver got it.
type arrival struct {
	key, body string
	header    http.Header
	at        time.Time
	url       string
}

// ids are the records' ids in a body of lines.
func (a arrival) ids() (ids []string) {
	for line := range strings.Lines(a.body) {
		var record struct{ ID string }
		if json.Unmarshal([]byte(line), &record) == nil && record.ID != "" {
			ids = append(ids, record.ID)
		}
	}
	return ids
}

// otherEnd is that of a sink, without a network. It keeps what it got.
type otherEnd struct {
	mu     sync.Mutex
	got    []arrival
	taken  []string                                       // ids, of requests answered with 2xx
	answer func(n int, a arrival) (*http.Response, error) // of the nth request, from 1; nil: 200
}

func (r *otherEnd) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	a := arrival{request.Header.Get("Idempotency-Key"), string(body), request.Header.Clone(), time.Now(), request.URL.String()}
	r.got = append(r.got, a)
	response := status(200)
	if r.answer != nil {
		if response, err = r.answer(len(r.got), a); err != nil {
			return nil, err
		}
	}
	if response.StatusCode/100 == 2 {
		r.taken = append(r.taken, a.ids()...)
	}
	return response, nil
}

// status is an answer, with header fields as pairs.
func status(code int, fields ...string) *http.Response {
	r := &http.Response{StatusCode: code, Header: make(http.Header), Body: io.NopCloser(strings.NewReader("because"))}
	for i := 0; i < len(fields); i += 2 {
		r.Header.Set(fields[i], fields[i+1])
	}
	return r
}

// statuses answers the requests with codes in turn, then with 200.
func statuses(codes ...int) func(int, arrival) (*http.Response, error) {
	return func(n int, _ arrival) (*http.Response, error) {
		if n > len(codes) {
			return status(200), nil
		}
		return status(codes[n-1]), nil
	}
}

// store is a Stored that counts.
type store struct {
	batches map[int64]ledger.StoredBatch
	sets    int
	fails   error
}

func (s *store) Batches(context.Context, string) (all []ledger.StoredBatch, err error) {
	for _, b := range s.batches {
		all = append(all, b)
	}
	return all, s.fails
}

func (s *store) SetBatch(_ context.Context, _ string, b ledger.StoredBatch) error {
	if s.fails != nil {
		return s.fails
	}
	if s.batches == nil {
		s.batches = make(map[int64]ledger.StoredBatch)
	}
	b.Data = bytes.Clone(b.Data)
	s.batches[b.FolderID] = b
	s.sets++
	return nil
}

// openHTTPAt opens a sink of a profile at a receiver.
func openHTTPAt(t *testing.T, r http.RoundTripper, stored Stored, p profile.Profile, change ...func(*Config)) *httpSink {
	t.Helper()
	c := Config{Name: "test", Type: TypeHTTP, Remote: RemoteConfig{URL: "https://example.com/in"}}
	for _, f := range change {
		f(&c)
	}
	s, err := newHTTP(c, Options{Log: discard, Stored: stored}, p)
	if err != nil {
		t.Fatal(err)
	}
	if r != nil {
		s.client.transport = r
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Requests are stored once before the first is sent, and go in order. Each has its own
// key; a second Write of the same items has the same octets and keys.
func TestHTTPStoresOnce(t *testing.T) {
	r, stored := &otherEnd{}, &store{}
	r.answer = func(n int, _ arrival) (*http.Response, error) {
		if stored.sets == 0 {
			t.Error("sent before it was stored")
		}
		return status(204), nil
	}
	s := openHTTPAt(t, r, stored, lines{most: 3})
	items := delivery.Items(rows(1, 1, 8))
	for range 2 {
		if done, err := s.Write(t.Context(), items); done != 8 || err != nil {
			t.Fatal(done, err)
		}
	}
	expect(t, "requests", len(r.got), 6)
	expect(t, "stores", stored.sets, 2)
	expect(t, "last", stored.batches[1].Last, int64(8))
	keys := make(map[string]bool)
	for i, a := range r.got[:3] {
		keys[a.key] = true
		if again := r.got[i+3]; again.key != a.key || again.body != a.body || a.key == "" {
			t.Errorf("request %d came again as %s %q, was %s %q", i, again.key, again.body, a.key, a.body)
		}
	}
	expect(t, "keys", len(keys), 3)
	expect(t, "taken", strings.Join(r.taken[:8], " "), "1-1 1-2 1-3 1-4 1-5 1-6 1-7 1-8")

	single := openHTTPAt(t, r, nil, lines{most: 1})
	if _, err := single.Write(t.Context(), items[:1]); err != nil {
		t.Fatal(err)
	}
	expect(t, "key of a single record", r.got[6].key, "1-1.1")
}

// A Write that fails at a request has the items before it done. The rest goes out again
// with the same octets under the same keys, from the store, also after a restart by a
// program that would write them otherwise.
func TestHTTPGoesOn(t *testing.T) {
	for _, restart := range []bool{false, true} {
		r, stored := &otherEnd{answer: statuses(200, 503)}, &store{}
		s := openHTTPAt(t, r, stored, lines{most: 2})
		items := delivery.Items(rows(1, 1, 7))
		done, err := s.Write(t.Context(), items[:6])
		if done != 2 || err == nil || errors.As(err, new(delivery.Refusals)) {
			t.Fatal(done, err)
		}
		from := 2
		if restart {
			s = openHTTPAt(t, r, stored, lines{most: 100, first: "# a new version\n"})
			from = 0 // the acknowledgement was lost, too
		}
		if done, err := s.Write(t.Context(), items[from:]); done != 7-from || err != nil {
			t.Fatal(done, err)
		}
		second := r.got[2:]
		if restart {
			if a := second[0]; a.key != r.got[0].key || a.body != r.got[0].body {
				t.Errorf("came again as %+v", a)
			}
			second = second[1:]
		}
		if a := second[0]; a.key != r.got[1].key || a.body != r.got[1].body {
			t.Errorf("came again as %+v", a)
		}
		if got := second[1].ids(); !slices.Equal(got, []string{"1-5", "1-6"}) || strings.Contains(second[1].body, "#") {
			t.Errorf("then %v", got)
		}
		if last := second[2]; restart != strings.HasPrefix(last.body, "#") || !slices.Equal(last.ids(), []string{"1-7"}) {
			t.Errorf("the new record came as %+v", last)
		}
		expect(t, "stores", stored.sets, 2)
	}
}

// A record that a person wants sent again leaves what is stored for the records behind the
// cursor as it is: they come with the same octets under the same keys.
func TestHTTPResendsBeside(t *testing.T) {
	for _, restart := range []bool{false, true} {
		r, stored := &otherEnd{answer: statuses(503, 200, 503)}, &store{}
		s := openHTTPAt(t, r, stored, lines{most: 100})
		items := delivery.Items(rows(1, 51, 8))
		if _, err := s.Write(t.Context(), items[:4]); err == nil {
			t.Fatal("no error")
		}
		for _, fails := range []bool{false, true, false} {
			again := delivery.Items(rows(1, 7, 1))
			again[0].Replay = 1
			if done, err := s.Write(t.Context(), again); (done == 0) != fails || (err != nil) != fails {
				t.Fatal(done, err)
			}
		}
		if restart {
			s = openHTTPAt(t, r, stored, lines{most: 100})
		}
		if done, err := s.Write(t.Context(), items); done != 8 || err != nil {
			t.Fatal(done, err)
		}
		if a := r.got[4]; a.key != r.got[0].key || a.body != r.got[0].body {
			t.Errorf("restart %v: came as %+v, then as %+v", restart, r.got[0], a)
		}
		for _, a := range r.got[1:4] {
			expect(t, "key", a.key, "1-7.1#1")
		}
	}
}

// A URL may be a secret: nothing of it is stored, and what is stored is sent there again.
func TestHTTPStoresNoURL(t *testing.T) {
	for _, path := range []string{"/services/T0/b3BlbnNlc2FtZQ?token=b3BlbnNlc2FtZQ", "/{provider}/b3BlbnNlc2FtZQ"} {
		r, stored := &otherEnd{answer: statuses(503)}, &store{}
		here := func(c *Config) { c.Remote.URL = "https://example.com" + path }
		items := delivery.Items(rows(1, 1, 2))
		for i := range items {
			items[i].Provider = "yahoo"
			items[i].JSON = fmt.Appendf(nil, `{"id":%q,"provider":"yahoo"}`, items[i].ID)
		}
		if _, err := openHTTPAt(t, r, stored, lines{most: 100}, here).Write(t.Context(), items); err == nil {
			t.Fatal("no error")
		}
		data, err := s2.Decode(nil, stored.batches[1].Data)
		if err != nil || bytes.Contains(data, []byte("b3BlbnNlc2FtZQ")) {
			t.Errorf("stored: %q, %v", data, err)
		}
		if _, err := openHTTPAt(t, r, stored, lines{most: 100}, here).Write(t.Context(), items); err != nil {
			t.Error(err)
		}
		if len(r.got) != 2 || r.got[1].url != r.got[0].url || !strings.Contains(r.got[1].url, "b3BlbnNlc2FtZQ") {
			t.Errorf("sent to %+v", r.got)
		}
	}
}

// What is stored is not used for other items, after a change of the config, or if it is
// damaged. It is then written anew.
func TestHTTPDiscards(t *testing.T) {
	all := delivery.Items(rows(1, 1, 6))
	for name, change := range map[string]func(*store, *Config) []delivery.Item{
		"fewer items":         func(*store, *Config) []delivery.Item { return all[:3] },
		"other items":         func(*store, *Config) []delivery.Item { return all[1:] },
		"another one between": func(*store, *Config) []delivery.Item { return slices.Delete(slices.Clone(all), 1, 2) },
		"a replay": func(*store, *Config) []delivery.Item {
			again := slices.Clone(all)
			for i := range again {
				again[i].Replay = 1
			}
			return again
		},
		"another URL": func(_ *store, c *Config) []delivery.Item {
			c.Remote.URL = "https://example.com/other"
			return all
		},
		"another profile": func(_ *store, c *Config) []delivery.Item {
			c.Profile.Headers = map[string]secret{"X-Other": "1"}
			return all
		},
		"damaged": func(s *store, _ *Config) []delivery.Item {
			b := s.batches[1]
			b.Data = b.Data[:len(b.Data)/2]
			s.batches[1] = b
			return all
		},
		"empty": func(s *store, _ *Config) []delivery.Item {
			s.batches[1] = ledger.StoredBatch{FolderID: 1, Last: 4, Data: []byte{0}}
			return all
		},
	} {
		r, stored := &otherEnd{answer: statuses(500)}, &store{}
		if _, err := openHTTPAt(t, r, stored, lines{most: 4}).Write(t.Context(), all[:4]); err == nil {
			t.Fatal("no error")
		}
		var items []delivery.Item
		next := openHTTPAt(t, r, stored, lines{most: 100, first: "# new\n"}, func(c *Config) { items = change(stored, c) })
		if done, err := next.Write(t.Context(), items); done != len(items) || err != nil {
			t.Fatal(name, done, err)
		}
		if len(r.got) != 2 || !strings.HasPrefix(r.got[1].body, "# new\n") || r.got[1].key == r.got[0].key {
			t.Errorf("%s: %+v", name, r.got[1:])
		}
		var want []string
		for _, item := range items {
			want = append(want, item.ID)
		}
		if !slices.Equal(r.taken, want) {
			t.Errorf("%s: %v, want %v", name, r.taken, want)
		}
	}
}

// Nothing is sent that could not be stored.
func TestHTTPStoreFails(t *testing.T) {
	r, stored := &otherEnd{}, &store{fails: errors.New("disk full")}
	s := openHTTPAt(t, r, stored, lines{most: 4})
	for range 2 {
		if done, err := s.Write(t.Context(), delivery.Items(rows(1, 1, 2))); done != 0 || !errors.Is(err, stored.fails) {
			t.Fatal(done, err)
		}
	}
	expect(t, "requests", len(r.got), 0)
	stored.fails = nil
	if done, err := s.Write(t.Context(), delivery.Items(rows(1, 1, 2))); done != 2 || err != nil {
		t.Fatal(done, err)
	}
}

// A batch that is refused ends the Write: the Pump sends smaller ones. A refused request
// of one item does not, and neither does an item that cannot be written.
func TestHTTPRefusals(t *testing.T) {
	for _, test := range []struct {
		name    string
		most    int
		bad     string
		codes   []int
		done    int
		refused string // First+N
		fails   bool
	}{
		{"a batch", 3, "", []int{200, 413}, 6, "[{3 3}]", false},
		{"the last", 3, "", []int{200, 200, 200, 422}, 10, "[{9 1}]", false},
		{"single ones", 1, "", []int{200, 400, 200, 422}, 10, "[{1 1} {3 1}]", false},
		{"single ones, then a failure", 1, "", []int{200, 400, 500}, 2, "[{1 1}]", false},
		{"single ones, then a batch", 3, "1-1", []int{400}, 4, "[{0 1} {1 3}]", false},
		{"what cannot be written", 3, "1-5", nil, 10, "[{4 1}]", false},
		{"a failure", 3, "", []int{200, 401}, 3, "[]", true},
	} {
		r := &otherEnd{answer: statuses(test.codes...)}
		s := openHTTPAt(t, r, nil, lines{most: test.most, bad: test.bad})
		done, err := s.Write(t.Context(), delivery.Items(rows(1, 1, 10)))
		var refused delivery.Refusals
		errors.As(err, &refused)
		got := []string{}
		for _, one := range refused {
			got = append(got, fmt.Sprintf("{%d %d}", one.First, one.N))
			if one.Reason == "" || strings.Contains(one.Reason, "\n") {
				t.Errorf("%s: reason %q", test.name, one.Reason)
			}
		}
		if done != test.done || fmt.Sprint(got) != test.refused || test.fails != (err != nil && refused == nil) || refused != nil && !refused.Fit(done) {
			t.Errorf("%s: %d done, %v, want %d, %s", test.name, done, err, test.done, test.refused)
		}
	}
}

// Every status but 2xx and the three that refuse is the sink's fault. The error says where,
// what and what to do; Retry-After says when.
func TestHTTPFails(t *testing.T) {
	for _, test := range []struct {
		code  int
		after string
		later time.Duration
		want  string
	}{
		{401, "", 0, "https://example.com/in: answered 401 Unauthorized: because; check token"},
		{403, "", 0, "check token"},
		{404, "", 0, "https://example.com/in: answered 404 Not Found: because; check the path of url"},
		{405, "", 0, "check the path of url"},
		{409, "", 0, "409"},
		{408, "120", 2 * time.Minute, "408"},
		{429, "7", 7 * time.Second, "429"},
		{500, "", 0, "500"},
		{502, "-5", 0, "502"},
		{503, "Wed, 21 Oct 2099 07:28:00 GMT", time.Until(time.Date(2099, 10, 21, 7, 28, 0, 0, time.UTC)), "503"},
		{503, "Wed, 21 Oct 2015 07:28:00 GMT", 0, "503"},
		{503, "soon", 0, "503"},
		{100, "", 0, "100"},
		{304, "", 0, "304"},
		{307, "", 0, "leads nowhere"},
	} {
		r := &otherEnd{answer: func(int, arrival) (*http.Response, error) { return status(test.code, "Retry-After", test.after), nil }}
		s := openHTTPAt(t, r, nil, lines{most: 3}, func(c *Config) { c.HTTP.Token = "hunter22" })
		done, err := s.Write(t.Context(), delivery.Items(rows(1, 1, 2)))
		if done != 0 || err == nil || errors.As(err, new(delivery.Refusals)) || IsPermanent(err) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%d: %d, %v", test.code, done, err)
		}
		later := &delivery.Later{}
		errors.As(err, &later)
		if d := later.After - test.later; d < -time.Minute || d > time.Minute || test.later < time.Hour && d != 0 {
			t.Errorf("%d, Retry-After %s: later by %v, want %v", test.code, test.after, later.After, test.later)
		}
	}
}

// The URL's path may name values of the record. One request is for consecutive records of
// one path; a record without a value is left out with the reason.
func TestHTTPPlace(t *testing.T) {
	var paths []string
	r := &otherEnd{}
	s := openHTTPAt(t, roundTrip(func(request *http.Request) (*http.Response, error) {
		paths = append(paths, request.URL.String())
		return r.RoundTrip(request)
	}), nil, lines{most: 100}, func(c *Config) { c.Remote.URL = "https://example.com/{tenant}/in?key=hunter2" })
	var items []delivery.Item
	for i, tenant := range []string{"a", "a", "b/c", "a", "..", ""} {
		item := delivery.Items(rows(1, int64(i)+1, 1))[0]
		item.JSON = fmt.Appendf(nil, `{"id":%q,"identity":{"status":"identified","tenant":%q}}`, item.ID, tenant)
		if skip := s.Takes(&item); (skip == "") != (i < 4) {
			t.Errorf("%q: skip %q", tenant, skip)
		} else if skip == "" {
			items = append(items, item)
		}
	}
	if done, err := s.Write(t.Context(), items); done != 4 || err != nil {
		t.Fatal(done, err)
	}
	want := []string{"https://example.com/a/in?key=hunter2", "https://example.com/b%2Fc/in?key=hunter2", "https://example.com/a/in?key=hunter2"}
	if !slices.Equal(paths, want) || len(r.got[0].ids()) != 2 {
		t.Errorf("sent to %v, the first of %v", paths, r.got[0].ids())
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestHTTPConfig(t *testing.T) {
	good := func(change func(c *Config)) Config {
		c := Config{Name: "h", Type: TypeHTTP, Remote: RemoteConfig{URL: "https://example.com/in"}, Profile: profile.Options{Profile: "kumomta"}}
		change(&c)
		return c
	}
	for _, test := range []struct {
		config Config
		want   string
	}{
		{good(func(c *Config) {}), ""},
		{good(func(c *Config) { c.HTTP.TokenFile = "f" }), ""},
		{good(func(c *Config) { c.Remote.URL = "https://example.com/{tenant}?p={provider}" }), ""},
		{good(func(c *Config) { c.Profile.Headers = map[string]secret{"Authorization": "Splunk x"} }), ""},
		{good(func(c *Config) { c.Remote.URL = "" }), "url is missing"},
		{good(func(c *Config) { c.Remote.URL = "ftp://example.com" }), "url begins with none of http://, https://"},
		{good(func(c *Config) { c.Remote.URL = "https://{tenant}.example.com/" }), "url is not of the form"},
		{good(func(c *Config) { c.Remote.URL = "https://example.com/{tennant}" }), "url names a key that no record has"},
		{good(func(c *Config) { c.Remote.URL = "https://example.com/{tenant" }), "url holds a brace"},
		{good(func(c *Config) { c.Remote.URL = "https://example.com/a/../b" }), "url has a segment of dots"},
		{good(func(c *Config) { c.HTTP.Token, c.HTTP.TokenFile = "hunter2", "f" }), "token_file is given beside token"},
		{good(func(c *Config) { c.HTTP.Token, c.Remote.User, c.Remote.Password = "hunter2", "u", "p" }), "token is given beside user"},
		{good(func(c *Config) { c.Profile.Headers = map[string]secret{"content-type": "hunter2"} }), "headers.content-type is set by the sink itself"},
		{good(func(c *Config) { c.Profile.Headers = map[string]secret{"webhook-id": "hunter2"} }), "headers.webhook-id is set by the sink itself"},
		{good(func(c *Config) { c.Profile.Headers = map[string]secret{"Bad Name": "hunter2"} }), "headers holds what is no header field"},
		{good(func(c *Config) { c.Profile.Headers, c.HTTP.Token = map[string]secret{"authorization": "hunter2"}, "t" }), "headers.Authorization is given beside"},
		{good(func(c *Config) { c.Profile.Profile = "hunter" }), "profile is none of"},
		{good(func(c *Config) { c.Profile.By = "message" }), "by is no key of the profile kumomta"},
		{good(func(c *Config) { c.File.Path = "f" }), "path is no key of the type http"},
	} {
		err := test.config.Validate()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%+v: %v, want %q", test.config.Remote.URL, err, test.want)
		}
		if err != nil {
			continue
		}
		s, err := Open(test.config, Options{})
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
}
