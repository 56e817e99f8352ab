package sink

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/profile"
)

// at opens a sink at a server on this machine.
func at(t *testing.T, url string, change ...func(*Config)) *httpSink {
	t.Helper()
	return openHTTPAt(t, nil, nil, lines{most: 1}, append([]func(*Config){func(c *Config) { c.Remote.URL = url }}, change...)...)
}

func post(ctx context.Context, s Sink, n int) (done int, err error) {
	return s.Write(ctx, delivery.Items(rows(1, 1, n)))
}

// A server that goes wrong costs neither a record nor the program's memory or time.
func TestHTTPServers(t *testing.T) {
	whole := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for _, test := range []struct {
		name   string
		answer func(conn net.Conn) // after a request's head; the connection is closed behind it
		want   string              // empty: both records arrive
	}{
		{"answers and closes", func(conn net.Conn) { io.WriteString(conn, whole) }, ""},
		{"closes", func(net.Conn) {}, "EOF"},
		{"tears its head", func(conn net.Conn) { io.WriteString(conn, whole[:17]) }, "EOF"},
		{"tears its answer", func(conn net.Conn) { io.WriteString(conn, whole[:len(whole)-1]) }, "its answer was cut"},
		{"is silent", func(conn net.Conn) { io.Copy(io.Discard, conn) }, "no whole answer within 300ms"},
		{"trickles", func(conn net.Conn) {
			for _, c := range strings.Replace(whole, "Length: 2", "Length: 1000000", 1) + strings.Repeat("x", 1000) {
				if _, err := fmt.Fprintf(conn, "%c", c); err != nil {
					return
				}
				time.Sleep(5 * time.Millisecond)
			}
		}, "no whole answer within 300ms"},
		{"never ends its head", func(conn net.Conn) {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := io.WriteString(conn, "X-A: "+strings.Repeat("x", 1000)+"\r\n"); err != nil {
					return
				}
			}
		}, "exceeded"},
		{"never ends its answer", func(conn net.Conn) {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
			for {
				if _, err := io.WriteString(conn, strings.Repeat("x", 1<<16)); err != nil {
					return
				}
			}
		}, ""},
		{"speaks no HTTP", func(conn net.Conn) { io.WriteString(conn, "220 mail.example.com ESMTP\r\n") }, "malformed HTTP"},
	} {
		t.Run(test.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					conn.Read(make([]byte, 4096))
					test.answer(conn)
					conn.Close()
				}
			}()
			s := at(t, "http://"+listener.Addr().String(), func(c *Config) { c.Remote.Timeout = 300 * time.Millisecond })
			began := time.Now()
			done, err := post(t.Context(), s, 2)
			if test.want == "" && (done != 2 || err != nil) || test.want != "" && (done != 0 || err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%d, %v, want %q", done, err, test.want)
			}
			if time.Since(began) > 10*time.Second {
				t.Errorf("it took %v", time.Since(began))
			}
			s.Close()
			listener.Close()
			<-ended
		})
	}
}

// Nobody listens, and the host has no name.
func TestHTTPNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	for url, want := range map[string]string{"http://" + listener.Addr().String() + "/x": "connection refused", "https://host.invalid/x?t=hunter2": "host.invalid"} {
		_, err := post(t.Context(), at(t, url), 1)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// Write ends with its context, and the sink works on.
func TestHTTPCancel(t *testing.T) {
	var stuck atomic.Bool
	stuck.Store(true)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if stuck.Load() {
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	s := at(t, server.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if done, err := post(ctx, s, 2); done != 0 || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
		t.Errorf("%d, %v after %v", done, err, time.Since(began))
	}
	stuck.Store(false)
	if done, err := post(t.Context(), s, 2); done != 2 || err != nil {
		t.Errorf("%d, %v", done, err)
	}
}

// One connection serves all requests, in HTTP/1.1 and HTTP/2.
func TestHTTPOneConnection(t *testing.T) {
	for _, two := range []bool{false, true} {
		var connections, requests atomic.Int32
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if two != (r.ProtoMajor == 2) {
				t.Errorf("spoke %s", r.Proto)
			}
			requests.Add(1)
			io.WriteString(w, "thanks")
		}))
		server.EnableHTTP2 = two
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		}
		server.StartTLS()
		ca := fixture.File(t, filepath.Join(t.TempDir(), "ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
		s := at(t, server.URL, func(c *Config) { c.Remote.CAFile = ca })
		if done, err := post(t.Context(), s, 50); done != 50 || err != nil {
			t.Errorf("%d, %v", done, err)
		}
		expect(t, "requests", requests.Load(), int32(50))
		expect(t, fmt.Sprintf("connections, HTTP/2 %v", two), connections.Load(), int32(1))
		s.Close()
		server.Close()
	}
}

// A server that nobody vouches for gets nothing, and the error says which key would help.
func TestHTTPCertificate(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests.Add(1) }))
	server.Config.ErrorLog = discardStandard
	server.StartTLS()
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	dir := t.TempDir()
	ca := fixture.File(t, filepath.Join(dir, "ca.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	pin := sha256.Sum256(server.Certificate().Raw)
	for _, test := range []struct {
		name, url, want string
		change          func(r *RemoteConfig)
	}{
		{"unknown", server.URL, "in ca_file, or its own fingerprint in pin", func(*RemoteConfig) {}},
		{"its authority", server.URL, "", func(r *RemoteConfig) { r.CAFile = ca }},
		{"another name", "https://localhost:" + port, "write the host of url as the certificate has it", func(r *RemoteConfig) { r.CAFile = ca }},
		{"its pin", "https://localhost:" + port, "", func(r *RemoteConfig) { r.Pin = pin }},
		{"another pin", server.URL, "fingerprint is", func(r *RemoteConfig) { r.CAFile, r.Pin = ca, [32]byte{1} }},
	} {
		before := requests.Load()
		done, err := post(t.Context(), at(t, test.url, func(c *Config) { test.change(&c.Remote) }), 1)
		if test.want == "" && (done != 1 || err != nil) || test.want != "" && (done != 0 || err == nil || !strings.Contains(err.Error(), test.want) || requests.Load() != before) {
			t.Errorf("%s: %d, %v, want %q", test.name, done, err, test.want)
		}
	}
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	if _, err := post(t.Context(), at(t, strings.Replace(plain.URL, "http", "https", 1)), 1); err == nil || !strings.Contains(err.Error(), "the port may be one without TLS") {
		t.Errorf("TLS to a server without: %v", err)
	}
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer silent.Close()
	if _, err := post(t.Context(), at(t, silent.URL), 1); err == nil || !strings.HasSuffix(err.Error(), "; the receiver ended the connection before its answer was complete") {
		t.Errorf("no answer: %v", err)
	}
}

// A redirect keeps method and body. It leads to the same host only, not away from TLS, and
// not on for ever. Nothing is sent anywhere else.
func TestHTTPRedirects(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	var methods, bodies []string
	to := func(code int, location string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(code)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/end", func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		methods, bodies = append(methods, r.Method+" "+r.Header.Get("Authorization")), append(bodies, string(body))
	})
	for code := 301; code <= 308; code++ {
		mux.HandleFunc(fmt.Sprintf("/%d", code), to(code, "/end"))
	}
	mux.HandleFunc("/1", to(307, "/2"))
	mux.HandleFunc("/2", to(307, "3"))
	mux.HandleFunc("/3", to(307, "/end"))
	mux.HandleFunc("/0", to(307, "/1"))
	mux.HandleFunc("/round", to(308, "/round"))
	mux.HandleFunc("/other", to(307, other.URL+"/secretsecretsecretsecret?t=hunter2"))
	mux.HandleFunc("/name", to(307, strings.Replace(other.URL, "127.0.0.1", "localhost", 1)))
	mux.HandleFunc("/user", to(307, "//u:hunter2@other.example/"))
	mux.HandleFunc("/scheme", to(307, "file:///etc/passwd"))
	mux.HandleFunc("/nowhere", to(307, ""))
	mux.HandleFunc("/bad", to(307, "http://[hunter2"))
	server := httptest.NewServer(mux)
	defer server.Close()
	for path, want := range map[string]string{
		"/301": "", "/302": "", "/307": "", "/308": "", "/1": "", "/2": "",
		"/303":     "answered 303, see " + server.URL + "/end",
		"/0":       "leads on and on, at last to " + server.URL + "/end",
		"/round":   "leads on and on",
		"/other":   "answered 307 and leads to " + other.URL + "/...?...; write that url if it is right",
		"/name":    "leads to http://localhost:",
		"/user":    "leads to http://other.example/;",
		"/scheme":  "leads nowhere",
		"/nowhere": "leads nowhere",
		"/bad":     "leads nowhere",
	} {
		methods, bodies = nil, nil
		s := at(t, server.URL+path, func(c *Config) { c.HTTP.Token = "hunter2hunter2" })
		done, err := post(t.Context(), s, 1)
		if want == "" {
			if done != 1 || err != nil || fmt.Sprint(methods, bodies) != "[POST Bearer hunter2hunter2] [{\"id\":\"1-1\"}\n]" {
				t.Errorf("%s: %v, %v, %v", path, err, methods, bodies)
			}
		} else if done != 0 || err == nil || !strings.Contains(err.Error(), want) || errors.As(err, new(delivery.Refusals)) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %d, %v, want %q", path, done, err, want)
		}
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("%d requests went elsewhere", n)
	}

	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to(307, "http://"+r.Host+"/")(w, r)
	}))
	defer secure.Close()
	s := at(t, secure.URL, func(c *Config) { c.Remote.Pin = sha256.Sum256(secure.Certificate().Raw) })
	if done, err := post(t.Context(), s, 1); done != 0 || err == nil || !strings.Contains(err.Error(), "leads to http://") {
		t.Errorf("away from TLS: %d, %v", done, err)
	}
}

// The proof is in each request, and no error shows it although the server repeats it.
func TestHTTPAuth(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "no %s, %s, %s", r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"), r.URL)
	}))
	defer echo.Close()
	for _, test := range []struct {
		url    string
		change func(c *Config)
		want   string
	}{
		{"/a", func(c *Config) {}, "no , , /a; check what proof the receiver wants"},
		{"/a", func(c *Config) { c.HTTP.Token = "hunter2" }, "no Bearer <secret>, , /a; check token"},
		{"/a", func(c *Config) { c.Remote.User, c.Remote.Password = "user", "hunter2" }, "no Basic <secret>, , /a; check user and password"},
		{"/a", func(c *Config) { c.Profile.Headers = map[string]secret{"X-API-Key": "hunter2"} }, "no , <secret>, /a; check headers"},
		{"/a?t=hunter2&x=1", func(c *Config) {}, "no , , /a?<secret>; check"},
		{"/hooks/abcdefghijklmnopqrhunter2", func(c *Config) {}, "no , , /hooks/<secret>; check"},
	} {
		_, err := post(t.Context(), at(t, echo.URL+test.url, test.change), 1)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") ||
			strings.Contains(err.Error(), base64.StdEncoding.EncodeToString([]byte("user:hunter2"))) {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
	if _, err := post(t.Context(), at(t, echo.URL, func(c *Config) { c.HTTP.TokenFile = "/none/such" }), 1); err == nil || !strings.Contains(err.Error(), "token: open /none/such") {
		t.Errorf("no file: %v", err)
	}
	// What is stored holds no secret.
	stored := &store{}
	s := openHTTPAt(t, &otherEnd{}, stored, lines{most: 1}, func(c *Config) {
		c.HTTP.Token, c.Profile.Headers, c.Remote.URL = "hunter2", map[string]secret{"X-Key": "hunter2"}, "https://example.com/in"
	})
	if _, err := post(t.Context(), s, 2); err != nil {
		t.Fatal(err)
	}
	if data, err := s2.Decode(nil, stored.batches[1].Data); err != nil || strings.Contains(string(data), "hunter2") || !strings.Contains(string(data), `{"id":"1-2"}`) {
		t.Errorf("stored %q, %v", data, err)
	}
}

// The path of a profile's request is below that of the URL, and cannot change the host.
func TestHTTPTarget(t *testing.T) {
	for _, test := range []struct{ url, path, want string }{
		{"https://example.com", "", "https://example.com"},
		{"https://example.com/a/?x=1", "", "https://example.com/a/?x=1"},
		{"https://example.com", "/b", "https://example.com/b"},
		{"https://example.com/a/", "/b%2Fc?y=2", "https://example.com/a/b%2Fc?y=2"},
		{"https://example.com/a%2Fb?x=1", "/c?y=2", "https://example.com/a%2Fb/c?x=1&y=2"},
		{"https://example.com/a", "?y=2", "https://example.com/a?y=2"},
		{"https://example.com", "@elsewhere.example/", ""},
		{"https://example.com", ".elsewhere.example/", ""},
		{"https://example.com", ":8443/", ""},
		{"https://example.com", "b", ""},
		{"https://example.com", "/%zz", ""},
	} {
		s := openHTTPAt(t, nil, nil, lines{}, func(c *Config) { c.Remote.URL = test.url })
		place, _ := s.place.Of(&delivery.Item{})
		got, err := s.client.target(place, test.path)
		if test.want == "" && err == nil || test.want != "" && (err != nil || got.String() != test.want) {
			t.Errorf("%s and %s: %v, %v", test.url, test.path, got, err)
		}
	}
}

// prober is a profile with probes of its own.
type prober struct {
	lines
	probes []profile.Probe
}

func (p prober) Probes() []profile.Probe { return p.probes }

func TestHTTPProbe(t *testing.T) {
	code := 200
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		w.WriteHeader(code)
	}))
	defer server.Close()
	c := Config{Name: "test", Type: TypeHTTP, Remote: RemoteConfig{URL: server.URL + "/in"}, HTTP: HTTPConfig{Token: "t"}}
	for _, test := range []struct {
		code int
		want string // of the error
	}{{200, ""}, {204, ""}, {400, ""}, {404, ""}, {405, ""}, {401, "check token"}, {403, "check token"}, {407, "proxy"}, {500, "500"}, {503, "503"}, {307, "leads nowhere"}} {
		code, asked = test.code, nil
		said, err := probeWith(t.Context(), c, lines{})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) || err == nil && said != fmt.Sprintf("%s/in: answered HEAD with %d %s", server.URL, code, http.StatusText(code)) {
			t.Errorf("%d: %s, %v", test.code, said, err)
		}
		expect(t, "asked", fmt.Sprint(asked), "[HEAD /in Bearer t]")
	}
	judge := func(want int, said string) func(profile.Answer) (string, error) {
		return func(a profile.Answer) (string, error) {
			if a.Status != want {
				return "", errors.New("not well")
			}
			return said, nil
		}
	}
	code, asked = 200, nil
	probes := []profile.Probe{
		{Request: profile.Request{Method: "GET", Path: "/health"}, Judge: judge(200, "it is well")},
		{Request: profile.Request{Path: "/hook", Body: []byte("{}")}, Judge: judge(200, "")},
		{Request: profile.Request{Path: "/hook"}, Judge: judge(403, "")},
		{Request: profile.Request{Path: "/never"}, Judge: judge(200, "")},
	}
	said, err := probeWith(t.Context(), c, prober{probes: probes[:2]})
	if want := server.URL + "/in: it is well"; said != want || err != nil {
		t.Errorf("%s, %v", said, err)
	}
	_, err = probeWith(t.Context(), c, prober{probes: probes})
	if err == nil || err.Error() != server.URL+"/in: not well" {
		t.Errorf("%v", err)
	}
	expect(t, "asked", strings.Join(asked, ", "), "GET /in/health Bearer t, POST /in/hook Bearer t, GET /in/health Bearer t, POST /in/hook Bearer t, POST /in/hook Bearer t")
}

var discardStandard = log.New(io.Discard, "", 0)
