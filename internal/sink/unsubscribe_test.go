package sink

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// listServer is a server of unsubscribe URLs that answers as the test says.
type listServer struct {
	*httptest.Server
	ca string // a file

	mu     sync.Mutex
	got    []string // the requests
	answer func(w http.ResponseWriter, r *http.Request)
}

func newListServer(t *testing.T) *listServer {
	t.Helper()
	s := &listServer{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.got = append(s.got, fmt.Sprint(r.Method, " ", r.RequestURI, " ", r.Header.Get("Content-Type"), " ", string(body)))
		for _, name := range []string{"Cookie", "Authorization", "Referer", "Origin"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s: %s", name, r.Header.Get(name))
			}
		}
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "1"})
		if s.answer != nil {
			s.answer(w, r)
		}
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	s.ca = fixture.File(t, filepath.Join(t.TempDir(), "ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	return s
}

// host is its address and port.
func (s *listServer) host() string { return strings.TrimPrefix(s.URL, "https://") }

func (s *listServer) config() Config {
	return Config{
		Name: "u", Type: TypeUnsubscribe, Unsubscribe: UnsubscribeConfig{PrivateHosts: []string{s.host()}},
		Limit: RateConfig{Rate{1000, time.Second}}, Remote: RemoteConfig{CAFile: s.ca},
	}
}

// requests are those since the last call.
func (s *listServer) requests() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() { s.got = nil }()
	return strings.Join(s.got, "\n")
}

func openList(t *testing.T, c Config, said *fixture.Log) Sink {
	t.Helper()
	s, err := Open(c, Options{Log: said.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// oneClickTo is a complaint about a message with these URLs.
func oneClickTo(urls ...string) func(*report.Record) {
	return func(r *report.Record) {
		r.Original.ListUnsubscribe, r.Original.ListUnsubscribePost = urls, "List-Unsubscribe=One-Click"
	}
}

// The request is the one of RFC 8058 section 3.2, and nothing else (section 3.1).
func TestUnsubscribe(t *testing.T) {
	server := newListServer(t)
	var said fixture.Log
	s := openList(t, server.config(), &said)
	rows := []ledger.Row{
		complaint(1, oneClickTo("mailto:u@example.com?subject=x", server.URL+"/u/%2F..;a?opaque=a%26b+c&d#part")),
		complaint(2, oneClickTo(server.URL)),
	}
	if err := hand(t.Context(), s, rows); err != nil {
		t.Fatal(err)
	}
	const form = " application/x-www-form-urlencoded List-Unsubscribe=One-Click"
	if got := server.requests(); got != "POST /u/%2F..;a?opaque=a%26b+c&d"+form+"\nPOST /"+form {
		t.Errorf("got\n%s", got)
	}
	if text := said.String(); strings.Count(text, "status=200") != 2 || !strings.Contains(text, "record=r1.1 host="+server.host()) || strings.Contains(text, "opaque") {
		t.Errorf("log\n%s", text)
	}
}

// What each status means, and how often it came.
func TestUnsubscribeAnswers(t *testing.T) {
	server := newListServer(t)
	s := openList(t, server.config(), &fixture.Log{})
	row := []ledger.Row{complaint(1, oneClickTo(server.URL+"/u?token=s3cret"))}
	for status, want := range map[int]string{
		200: "done", 202: "done", 204: "done",
		400: "dead", 404: "dead", 410: "dead", 422: "dead",
		301: "waits", 302: "waits", 307: "waits", 308: "waits", 401: "waits", 403: "waits", 405: "waits", 429: "waits", 500: "waits", 503: "waits",
	} {
		server.answer = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			if status != 204 {
				fmt.Fprint(w, "no\r\nsuch\x1b[2J person")
			}
		}
		done, err := s.Write(t.Context(), delivery.Items(row))
		var refused delivery.Refusals
		is := "waits"
		switch {
		case err == nil && done == 1:
			is = "done"
		case errors.As(err, &refused) && refused.Fit(done):
			is = "dead"
		}
		if is != want || err != nil && (!strings.Contains(err.Error(), fmt.Sprint(status)) || !strings.Contains(err.Error(), ": no such [2J person") || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%d: %s, want %s: %v", status, is, want, err)
		}
		if got := server.requests(); strings.Count(got, "\n") > 0 {
			t.Errorf("%d: more than one request:\n%s", status, got)
		}
		if n := s.(*unsubscribe).Counts()["answered "+fmt.Sprint(status)]; n != 1 {
			t.Errorf("%d: counted %d times", status, n)
		}
	}
}

// RFC 9110 section 10.2.3 gives both forms.
func TestRetryAfter(t *testing.T) {
	now := time.Date(1999, 12, 31, 23, 58, 59, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"120": 2 * time.Minute, "Fri, 31 Dec 1999 23:59:59 GMT": time.Minute, "Fri, 31 Dec 1999 23:57:59 GMT": 0,
		"": 0, "-5": 0, "soon": 0, "99999999999999999999": 0,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
	server := newListServer(t)
	server.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1200")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	err := hand(t.Context(), openList(t, server.config(), &fixture.Log{}), []ledger.Row{complaint(1, oneClickTo(server.URL))})
	if later := (*delivery.Later)(nil); !errors.As(err, &later) || later.After != 20*time.Minute {
		t.Errorf("%v", err)
	}
}

// One refusal among others leaves the others where they are; an error behind it comes
// first at the next try.
func TestUnsubscribeRefusals(t *testing.T) {
	server := newListServer(t)
	server.answer = func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/gone":
			w.WriteHeader(http.StatusGone)
		case "/down":
			w.WriteHeader(http.StatusBadGateway)
		}
	}
	s := openList(t, server.config(), &fixture.Log{})
	var rows []ledger.Row
	for i, path := range []string{"/1", "/gone", "/3", "/down", "/5"} {
		rows = append(rows, complaint(int64(i+1), oneClickTo(server.URL+path)))
	}
	items := delivery.Items(rows)
	done, err := s.Write(t.Context(), items)
	if refused := (delivery.Refusals)(nil); done != 3 || !errors.As(err, &refused) || len(refused) != 1 || refused[0] != (delivery.Refusal{First: 1, N: 1, Reason: "answered 410 Gone"}) {
		t.Errorf("%d done: %v", done, err)
	}
	if done, err := s.Write(t.Context(), items[3:]); done != 0 || err == nil || errors.As(err, new(delivery.Refusals)) {
		t.Errorf("%d done: %v", done, err)
	}
}

// No host but those named gets a request, by whatever spelling; none that is not public
// either, unless it may be.
func TestUnsubscribeHosts(t *testing.T) {
	server := newListServer(t)
	c := server.config()
	c.Unsubscribe = UnsubscribeConfig{Hosts: []string{"lists.example.com", ".News.Example.com", "lists.example.com:8443", "192.0.2.1"}}
	s := openList(t, c, &fixture.Log{}).(*unsubscribe)
	for _, text := range []string{
		"https://lists.example.com", "https://lists.example.com/u", "HTTPS://Lists.Example.COM/u", "https://lists.example.com:/u@x:1", "https://lists.example.com:443/u", "https://lists.example.com:8443/",
		"https://a.news.example.com/u", "https://a.b.news.example.com/u", "https://192.0.2.1/u", "https://lists.example.com/u?x=https://other.example.net/@a",
		"https://lists.example.com/" + strings.Repeat("a", 1974),
	} {
		if to := s.allowed(text); to.client == nil {
			t.Errorf("%s: not allowed", text)
		}
	}
	for _, text := range []string{
		"", "https://", "https:///u", "http://lists.example.com/u", "mailto:u@lists.example.com", "ftp://lists.example.com", "//lists.example.com/u", "https:lists.example.com/u",
		"https://other.example.net/", "https://lists.example.com.other.example.net/", "https://xlists.example.com/", "https://example.com/", "https://news.example.com/", "https://.news.example.com/",
		"https://a.news.example.com.other.example.net/", "https://lists.example.com./u", "https://lists.example.com:80/", "https://lists.example.com:0443/", "https://a.news.example.com:8443/",
		"https://user@lists.example.com/", "https://user:pass@lists.example.com/", "https://lists.example.com@other.example.net/", "https://lists.example.com:443@other.example.net/",
		"https://other.example.net/@lists.example.com", "https://other.example.net#@lists.example.com/", "https://other.example.net?@lists.example.com/", `https://other.example.net\@lists.example.com/`, `https://lists.example.com\@other.example.net/`,
		"https://lists%2eexample.com/", "https://lists。example。com/", "https://ｌists.example.com/", "https://lists.example.com\t/", "https://lists.example.com/a b", "https://lists.example.com/\r\nHost: x", " https://lists.example.com/", "https://lists.example.com/\x00",
		"https://192.0.2.1.example.net/", "https://3221225985/", "https://0300.0.2.1/", "https://[::ffff:192.0.2.1]/", "https://[::1]/", "https://127.0.0.1/", "https://localhost/",
		"https://lists.example.com/" + strings.Repeat("a", 1975),
	} {
		if to := s.allowed(text); to.client != nil {
			t.Errorf("%s: allowed as %s", text, to)
		}
	}

	port := server.Listener.Addr().String()
	port = port[strings.LastIndexByte(port, ':'):]
	c.Unsubscribe = UnsubscribeConfig{Hosts: []string{"127.0.0.1" + port, "localhost" + port}}
	s = openList(t, c, &fixture.Log{}).(*unsubscribe)
	for _, host := range []string{"127.0.0.1", "localhost"} {
		err := hand(t.Context(), s, []ledger.Row{complaint(1, oneClickTo("https://"+host+port+"/s3cret"))})
		if !errors.Is(err, errNotPublic) || !strings.Contains(err.Error(), "private_hosts") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", host, err)
		}
		if _, err := s.probe(t.Context()); !errors.Is(err, errNotPublic) {
			t.Errorf("%s: the probe says %v", host, err)
		}
	}
	if got := server.requests(); got != "" {
		t.Errorf("requests:\n%s", got)
	}
}

// Whatever a message says, a URL that is used leads to a named host by https, and says
// to the server what it said in the message.
func FuzzUnsubscribeURL(f *testing.F) {
	for _, text := range []string{
		"https://lists.example.com/u?a=b", "https://user@lists.example.com/", "https://lists.example.com:443@other.example.net/", `https://lists.example.com\@other.example.net/`,
		"https://a.news.example.com:443/%2f?%26#x", "https://[::1%25a]/", "https://lists.example.com/\xff", "https://LISTS.example.com?%zz", "https:////lists.example.com/",
	} {
		f.Add(text)
	}
	hosts, err := UnsubscribeConfig{Hosts: []string{"lists.example.com", ".news.example.com"}}.targets()
	if err != nil {
		f.Fatal(err)
	}
	s := &unsubscribe{hosts: hosts, public: http.DefaultClient}
	f.Fuzz(func(t *testing.T, text string) {
		to := s.allowed(text)
		if to.client == nil {
			return
		}
		request, err := http.NewRequest(http.MethodPost, to.String(), nil)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var wire bytes.Buffer
		if err := request.Write(&wire); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		name := strings.TrimSuffix(request.URL.Host, ":443")
		if request.URL.Scheme != "https" || name != "lists.example.com" && !strings.HasSuffix(name, ".news.example.com") || request.URL.User != nil || len(text) > maxUnsubscribeURL {
			t.Fatalf("%q leads to %s", text, request.URL)
		}
		if lines := strings.Split(wire.String(), "\r\n"); !strings.HasPrefix(lines[0], "POST /") || !strings.HasSuffix(lines[0], " HTTP/1.1") || strings.Count(lines[0], " ") != 2 {
			t.Fatalf("%q is %q", text, lines[0])
		}
		_, said, _ := strings.Cut(text, "//")
		said, _, _ = strings.Cut(said, "#")
		if at := strings.IndexAny(said, "/?"); at >= 0 {
			said = said[at:]
		} else {
			said = ""
		}
		if asks := request.URL.RequestURI(); asks != said && asks != "/"+said {
			t.Fatalf("%q asks for %q", text, asks)
		}
	})
}

// What is no one-click URL of ours is left out, with the reason.
func TestUnsubscribeTakes(t *testing.T) {
	c := Config{Name: "u", Type: TypeUnsubscribe, Unsubscribe: UnsubscribeConfig{Hosts: []string{"lists.example.com"}}}
	s := openList(t, c, &fixture.Log{}).(Chooser)
	const good = "https://lists.example.com/u"
	for _, test := range []struct {
		set  func(*report.Record)
		want string
	}{
		{oneClickTo(good), ""},
		{oneClickTo("https://other.example.net/u", good), ""},
		{oneClickTo("mailto:u@lists.example.com"), skipNoHost},
		{oneClickTo(), skipNoHost},
		{func(r *report.Record) { r.Original = nil }, skipNoOneClick},
		{func(r *report.Record) { r.Original.ListUnsubscribe = []string{good} }, skipNoOneClick},
		{func(r *report.Record) {
			oneClickTo(good)(r)
			r.Original.ListUnsubscribePost = " list-unsubscribe=one-click "
		}, ""}, // a literal of ABNF has no case (RFC 5234 section 2.3)
		{func(r *report.Record) {
			oneClickTo(good)(r)
			r.Original.ListUnsubscribePost = "List-Unsubscribe=One-Click&a=b"
		}, skipNoOneClick},
	} {
		items := delivery.Items([]ledger.Row{complaint(1, test.set)})
		if got := s.Takes(&items[0]); got != test.want {
			t.Errorf("%s: %q, want %q", items[0].JSON, got, test.want)
		}
	}
}

// An answer without end, and one that does not come, end.
func TestUnsubscribeBounds(t *testing.T) {
	server := newListServer(t)
	server.answer = func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil && r.URL.Path == "/endless" {
			if _, err := w.Write(bytes.Repeat([]byte("a"), 1<<16)); err != nil {
				return
			}
		}
		if r.URL.Path == "/silent" {
			<-r.Context().Done()
		}
	}
	c := server.config()
	c.Remote.Timeout = 300 * time.Millisecond
	s := openList(t, c, &fixture.Log{})
	if err := hand(t.Context(), s, []ledger.Row{complaint(1, oneClickTo(server.URL+"/endless"))}); err != nil {
		t.Error(err)
	}
	err := hand(t.Context(), s, []ledger.Row{complaint(1, oneClickTo(server.URL+"/silent"))})
	if err == nil || strings.Contains(err.Error(), "silent") {
		t.Errorf("no answer: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := hand(ended, s, []ledger.Row{complaint(1, oneClickTo(server.URL))}); !errors.Is(err, context.Canceled) {
		t.Errorf("on an ended context: %v", err)
	}
}

func TestUnsubscribeProbe(t *testing.T) {
	server := newListServer(t)
	c := server.config()
	c.Unsubscribe.Hosts = []string{".news.example.com"}
	if said, err := Probe(t.Context(), c); err != nil || said != "127.0.0.1 answers with a certificate" {
		t.Errorf("%q, %v", said, err)
	}
	c.Unsubscribe.PrivateHosts = nil
	if said, err := Probe(t.Context(), c); err != nil || said != "not tried: below .news.example.com no host is named" {
		t.Errorf("%q, %v", said, err)
	}
	c = server.config()
	c.Remote.CAFile = ""
	if _, err := Probe(t.Context(), c); err == nil {
		t.Error("a certificate of an unknown authority is taken")
	}
	if got := server.requests(); got != "" {
		t.Errorf("a probe is a request: %s", got)
	}
}

func TestUnsubscribeConfig(t *testing.T) {
	of := func(hosts ...string) Config {
		return Config{Name: "u", Type: TypeUnsubscribe, Unsubscribe: UnsubscribeConfig{Hosts: hosts}}
	}
	with := func(set func(*RemoteConfig)) Config {
		c := of("lists.example.com")
		set(&c.Remote)
		return c
	}
	const form = " is not of the form"
	for _, test := range []struct {
		config Config
		want   string
	}{
		{of("lists.example.com", ".example.com", "lists.example.com:8443", "localhost", "192.0.2.1:443", "[2001:db8::1]:443"), ""},
		{of(), "hosts is missing"},
		{of("a.example.com", ""), "hosts[1]" + form}, {of("*.example.com"), "hosts[0]" + form}, {of("https://lists.example.com"), "hosts[0]" + form},
		{of("lists.example.com/u"), "hosts[0]" + form}, {of("lists.example.com:0"), "hosts[0]" + form}, {of("lists.example.com:65536"), "hosts[0]" + form},
		{of("."), "hosts[0]" + form}, {of(".com"), "hosts[0]" + form}, {of(".co.uk"), "hosts[0]" + form}, {of("..example.com"), "hosts[0]" + form}, {of("u@lists.example.com"), "hosts[0]" + form},
		{Config{Name: "u", Type: TypeUnsubscribe, Unsubscribe: UnsubscribeConfig{Hosts: []string{"a.example.com"}, PrivateHosts: []string{"b example"}}}, "private_hosts[0]" + form},
		{with(func(r *RemoteConfig) { r.URL = "https://lists.example.com" }), "url is no key of the type unsubscribe"},
		{with(func(r *RemoteConfig) { r.User = "u" }), "user is no key of the type unsubscribe"},
		{with(func(r *RemoteConfig) { r.Timeout = -1 }), "timeout is not"},
	} {
		err := test.config.Validate()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%+v: %v, want %q", test.config, err, test.want)
		}
	}
}

// The page's sinks reach a server of theirs.
func TestUnsubscribeDocs(t *testing.T) {
	for _, list := range docConfigs(t, "unsubscribe") {
		for _, c := range list {
			server := newListServer(t)
			s, err := Open(Config{Name: c.Name, Type: c.Type, Unsubscribe: c.Unsubscribe, Limit: c.Limit}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			u := s.(*unsubscribe)
			for _, named := range append(c.Unsubscribe.Hosts, c.Unsubscribe.PrivateHosts...) {
				if u.allowed("https://"+named+"/u").client == nil {
					t.Errorf("%s is not allowed", named)
				}
			}
			c.Unsubscribe.PrivateHosts, c.Remote.CAFile = append(c.Unsubscribe.PrivateHosts, server.host()), server.ca
			if err := hand(t.Context(), openList(t, c, &fixture.Log{}), []ledger.Row{complaint(1, oneClickTo(server.URL))}); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"2/s": {2, time.Second}, "30/m": {30, time.Minute}, "100/h": {100, time.Hour}, "999999/d": {999999, 24 * time.Hour},
		"": {}, "2": {}, "0/s": {}, "-1/s": {}, "2/w": {}, "2 /s": {}, "1000000/s": {}, "2/ss": {}, "1.5/s": {},
	} {
		var r Rate
		if err := r.UnmarshalText([]byte(text)); r != want || (err == nil) != (want != Rate{}) {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := Rate{N: 4, Per: time.Second}.pace(Rate{})
		for range 9 {
			if err := p.wait(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		expect(t, "nine at four a second", time.Since(start), 2*time.Second)
		p = Rate{}.pace(Rate{N: 1, Per: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := errors.Join(p.wait(ctx), p.wait(ctx)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		expect(t, "a wait ends", time.Since(start), 2*time.Second+time.Minute)
	})
}
