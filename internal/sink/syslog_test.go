package sink

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	gosyslog "github.com/leodido/go-syslog/v4"
	"github.com/leodido/go-syslog/v4/octetcounting"
	"github.com/leodido/go-syslog/v4/rfc5424"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// syslogServer is one whose connections a function serves.
type syslogServer struct {
	net.Listener
	serving sync.WaitGroup

	mu   sync.Mutex
	read bytes.Buffer // of all connections
}

// listenSyslog starts a syslogServer that ends with the test. certificates: it speaks TLS.
func listenSyslog(t *testing.T, serve func(r *syslogServer, conn net.Conn), certificates ...tls.Certificate) *syslogServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if certificates != nil {
		listener = tls.NewListener(listener, &tls.Config{Certificates: certificates})
	}
	r := &syslogServer{Listener: listener}
	r.serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.serving.Go(func() {
				defer conn.Close()
				serve(r, conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		r.serving.Wait()
	})
	return r
}

// keep reads to the end.
func (r *syslogServer) keep(conn net.Conn) {
	b, _ := io.ReadAll(conn)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read.Write(b)
}

// messages are what came, as another's parser reads it.
func (r *syslogServer) messages(t *testing.T) (messages []*rfc5424.SyslogMessage) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.read.Len() == 0 {
		return nil
	}
	octetcounting.NewParser(gosyslog.WithListener(func(result *gosyslog.Result) {
		if result.Error != nil {
			t.Fatal(result.Error)
		}
		messages = append(messages, result.Message.(*rfc5424.SyslogMessage))
	})).Parse(bytes.NewReader(r.read.Bytes()))
	return messages
}

// open opens a sink that sends to the server.
func (r *syslogServer) open(t *testing.T, scheme string, keys SyslogConfig, remote RemoteConfig) Sink {
	t.Helper()
	remote.URL = scheme + "://" + r.Addr().String()
	s, err := Open(Config{Name: "s", Type: TypeSyslog, Remote: remote, Syslog: keys}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func (r *syslogServer) ndjson(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, m := range r.messages(t) {
		b.WriteString(*m.Message + "\n")
	}
	return b.String()
}

func init() {
	contracts["syslog"] = contract{start: func(t *testing.T) receiver {
		var mu sync.Mutex
		isDown, stalled := false, (chan struct{})(nil)
		s := listenSyslog(t, func(s *syslogServer, conn net.Conn) {
			mu.Lock()
			down, wait := isDown, stalled
			mu.Unlock()
			if wait != nil {
				<-wait
			}
			if !down {
				s.keep(conn)
			}
		})
		return receiver{
			open: func() (Sink, error) {
				return Open(Config{Name: "x", Type: TypeSyslog, Remote: RemoteConfig{URL: "syslog://" + s.Addr().String()}}, Options{})
			},
			written: func() []string { return idsOfLines(t, s.ndjson(t)) },
			down: func(is bool) {
				mu.Lock()
				defer mu.Unlock()
				isDown = is
			},
			stall: func(is bool) {
				mu.Lock()
				defer mu.Unlock()
				if is {
					stalled = make(chan struct{})
				} else {
					close(stalled)
					stalled = nil
				}
			},
		}
	}}
}

func TestSyslogMessage(t *testing.T) {
	r := listenSyslog(t, (*syslogServer).keep)
	s := r.open(t, "syslog", SyslogConfig{Facility: "mail", Severity: "warning", SDID: "fblwatch@32473"}, RemoteConfig{})
	hostile := `a"b]c\d` + "\n<13>1 - - - - - -\x00é"
	item := delivery.Item{Row: ledger.Row{
		Folder: ledger.Folder{Account: "yahoo"}, Replay: 2,
		Record: ledger.Record{
			ID: "0a.1", Revision: 3, At: time.Date(2026, 3, 2, 10, 0, 0, 120e6, time.FixedZone("", 3600)), JSON: []byte(`{"id":"0a.1"}`),
			Event: "complaint", Class: "fbl", Provider: hostile, Verdict: "yes",
		},
	}}
	alarm := delivery.Item{Kind: delivery.KindAlarm, Row: ledger.Row{Record: ledger.Record{ID: "a", JSON: []byte(`{}`)}}}
	if _, err := s.Write(t.Context(), []delivery.Item{item, alarm}); err != nil {
		t.Fatal(err)
	}
	messages := r.messages(t)
	expect(t, "messages", len(messages), 2)
	m := messages[0]
	expect(t, "facility", int(*m.Facility), 2)
	expect(t, "severity", int(*m.Severity), 4)
	expect(t, "time", m.Timestamp.Format(time.RFC3339Nano), "2026-03-02T09:00:00.12Z")
	expect(t, "application", *m.Appname, "fblwatch")
	expect(t, "MSGID", *m.MsgID, "complaint")
	expect(t, "MSG", *m.Message, `{"id":"0a.1"}`)
	want := map[string]string{
		"key": "0a.1.3#2", "id": "0a.1", "revision": "3", "event": "complaint", "class": "fbl", "verdict": "yes", "account": "yahoo",
		"provider": `a"b]c\d <13>1 - - - - - - é`,
	}
	element := (*m.StructuredData)["fblwatch@32473"]
	expect(t, "parameters", len(element), len(want))
	for name, value := range want {
		expect(t, name, element[name], value)
	}
	expect(t, "MSGID of an alarm", *messages[1].MsgID, "alarm")
	if messages[1].Timestamp != nil || messages[1].ProcID != nil {
		t.Errorf("%+v", messages[1])
	}
}

// A message that the receiver would cut is refused; the others arrive.
func TestSyslogTooLarge(t *testing.T) {
	r := listenSyslog(t, (*syslogServer).keep)
	s := r.open(t, "syslog", SyslogConfig{MaxOctets: 2048}, RemoteConfig{})
	items := delivery.Items(rows(1, 1, 4))
	form := s.(*syslog).form
	filled := func(i, octets int) {
		head := len(form.append(nil, &items[i]))
		items[i].JSON = []byte(`{"id":"` + strings.Repeat("x", octets-head) + string(items[i].JSON[7:]))
	}
	filled(1, 2048)
	filled(2, 2049)
	done, err := s.Write(t.Context(), items)
	var refused delivery.Refusals
	if !errors.As(err, &refused) || done != 4 || len(refused) != 1 || refused[0].First != 2 || refused[0].N != 1 || refused[0].Reason != "a message of 2049 octets; max_octets is 2048" {
		t.Errorf("%d, %v", done, err)
	}
	expect(t, "messages", len(r.messages(t)), 3)
}

// Records count only if the receiver has read them.
func TestSyslogEnds(t *testing.T) {
	ca := imaptest.NewCA()
	caFile := fixture.File(t, t.TempDir()+"/ca.pem", ca.PEM())
	certificate := ca.Certificate("127.0.0.1")
	ends := map[string]struct {
		serve func(conn net.Conn)
		want  error // nil: another one
	}{
		"at once":        {func(net.Conn) {}, nil},
		"in the middle":  {func(conn net.Conn) { io.CopyN(io.Discard, conn, 10_000) }, nil},
		"while it waits": {func(conn net.Conn) { time.Sleep(50 * time.Millisecond) }, nil},
		"never":          {func(conn net.Conn) { io.Copy(io.Discard, conn); time.Sleep(400 * time.Millisecond) }, errStays},
		"talking":        {func(conn net.Conn) { io.Copy(conn, zeros{}) }, errSays},
	}
	for name, end := range ends {
		for _, scheme := range []string{"syslog", "syslog+tls"} {
			t.Run(name+" "+scheme, func(t *testing.T) {
				remote := RemoteConfig{Timeout: 200 * time.Millisecond}
				var certificates []tls.Certificate
				if scheme == "syslog+tls" {
					certificates = []tls.Certificate{certificate}
					remote.CAFile = caFile
				}
				r := listenSyslog(t, func(_ *syslogServer, conn net.Conn) {
					if secure, ok := conn.(*tls.Conn); ok && secure.Handshake() != nil {
						return
					}
					end.serve(conn)
				}, certificates...)
				s := r.open(t, scheme, SyslogConfig{}, remote)
				for _, n := range []int{1, 500} {
					if n == 1 && (name == "in the middle" || scheme == "syslog+tls") {
						continue // it reads as much, be it into a buffer of TLS
					}
					err := hand(t.Context(), s, rows(1, 1, n))
					if err == nil || errors.As(err, new(delivery.Refusals)) || IsPermanent(err) {
						t.Fatalf("%d records: %v", n, err)
					}
					if end.want != nil && !errors.Is(err, end.want) {
						t.Errorf("%d records: %v, want %v", n, err, end.want)
					}
				}
			})
		}
	}
}

// zeros never ends.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// A receiver that ends TCP but not TLS, as syslog-ng did, has read everything.
func TestSyslogWithoutCloseNotify(t *testing.T) {
	ca := imaptest.NewCA()
	r := listenSyslog(t, func(r *syslogServer, conn net.Conn) {
		r.keep(conn)
		conn.(*tls.Conn).NetConn().Close()
	}, ca.Certificate("127.0.0.1"))
	s := r.open(t, "syslog+tls", SyslogConfig{}, RemoteConfig{CAFile: fixture.File(t, t.TempDir()+"/ca.pem", ca.PEM())})
	if err := hand(t.Context(), s, rows(1, 1, 3)); err != nil {
		t.Fatal(err)
	}
	expect(t, "records", r.ndjson(t), text(rows(1, 1, 3)...))
}

// Certificates count: of the server, and ours.
func TestSyslogCertificate(t *testing.T) {
	ca := imaptest.NewCA()
	r := listenSyslog(t, (*syslogServer).keep, ca.Certificate("logs.example.com"))
	caFile := fixture.File(t, t.TempDir()+"/ca.pem", ca.PEM())
	for name, remote := range map[string]RemoteConfig{"another name": {CAFile: caFile}, "unknown": {}} {
		s := r.open(t, "syslog+tls", SyslogConfig{}, remote)
		if err := hand(t.Context(), s, rows(1, 1, 1)); !errors.As(err, new(*tls.CertificateVerificationError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	expect(t, "messages", len(r.messages(t)), 0)
}

func TestSyslogCancel(t *testing.T) {
	ending := make(chan struct{})
	r := listenSyslog(t, func(_ *syslogServer, conn net.Conn) { <-ending })
	defer close(ending)
	s := r.open(t, "syslog", SyslogConfig{}, RemoteConfig{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := hand(ctx, s, rows(1, 1, 500)); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

func TestSyslogConfig(t *testing.T) {
	const url = "syslog+tls://logs.example.com"
	for _, test := range []struct {
		remote RemoteConfig
		keys   SyslogConfig
		want   string
	}{
		{RemoteConfig{URL: url}, SyslogConfig{}, ""},
		{RemoteConfig{URL: url + ":6514", Pin: imapclient.Pin{1}}, SyslogConfig{SDID: "a@32473", MaxOctets: 2048}, ""},
		{RemoteConfig{URL: "syslog://127.0.0.1:514"}, SyslogConfig{Facility: "kern", Severity: "debug"}, ""},
		{RemoteConfig{URL: "syslog://logs.example.com:514", Insecure: true}, SyslogConfig{}, ""},
		{RemoteConfig{URL: "syslog://logs.example.com:514"}, SyslogConfig{}, "url is without encryption"},
		{RemoteConfig{URL: "syslog://127.0.0.1"}, SyslogConfig{}, "url names no port"},
		{RemoteConfig{URL: "https://logs.example.com"}, SyslogConfig{}, "url begins with none of syslog://, syslog+tls://"},
		{RemoteConfig{URL: url + "/x"}, SyslogConfig{}, "url has more than a host and a port"},
		{RemoteConfig{URL: url, User: "u", Password: "p"}, SyslogConfig{}, "user is no key"},
		{RemoteConfig{URL: url}, SyslogConfig{Facility: "local8"}, "facility is none of kern, user, mail"},
		{RemoteConfig{URL: url}, SyslogConfig{Severity: "warn"}, "severity is none of emerg, alert"},
		{RemoteConfig{URL: url}, SyslogConfig{SDID: "fblwatch"}, "sd_id is not NAME@NUMBER"},
		{RemoteConfig{URL: url}, SyslogConfig{SDID: "a b@1"}, "sd_id is not NAME@NUMBER"},
		{RemoteConfig{URL: url}, SyslogConfig{SDID: `a"@1`}, "sd_id is not NAME@NUMBER"},
		{RemoteConfig{URL: url}, SyslogConfig{SDID: "a@b@1"}, "sd_id is not NAME@NUMBER"},
		{RemoteConfig{URL: url}, SyslogConfig{SDID: strings.Repeat("a", 31) + "@1"}, "sd_id is not NAME@NUMBER"},
		{RemoteConfig{URL: url}, SyslogConfig{MaxOctets: 2047}, "max_octets is below 2048"},
	} {
		err := Config{Name: "s", Type: TypeSyslog, Remote: test.remote, Syslog: test.keys}.Validate()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%+v %+v: %v, want %q", test.remote, test.keys, err, test.want)
		}
	}
}
