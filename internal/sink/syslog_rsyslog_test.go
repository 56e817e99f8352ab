package sink

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
)

var confBlock = regexp.MustCompile("(?ms)^```conf\n(.*?)^```$")

// rsyslog is a real rsyslogd with the config of docs/sinks/syslog.md.
type rsyslog struct {
	t       *testing.T
	root    string
	dir     string
	port    string
	process *osexec.Cmd
}

// startRsyslog starts rsyslogd on the loopback. driver is gtls, or ""
// without TLS.
func startRsyslog(t *testing.T, driver string, ca *imaptest.CA) *rsyslog {
	t.Helper()
	root, err := realserver.Unpacked("rsyslog", "usr/sbin/rsyslogd")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	r := &rsyslog{t: t, root: root, dir: t.TempDir(), port: strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)}
	r.keys("client", ca, "client.example.com")
	r.keys("server", ca, "127.0.0.1")
	fixture.File(t, r.path("logs-ca.pem"), ca.PEM())
	conf := confBlock.FindStringSubmatch(fixture.Read(t, filepath.Join("..", "..", "docs", "sinks", "syslog.md")))[1]
	conf = strings.NewReplacer("/var/spool/rsyslog", r.dir, "/etc/fblwatch", r.dir, "/var/log", r.dir,
		`type="imtcp" port="6514"`, `type="imtcp" address="127.0.0.1" port="`+r.port+`"`).Replace(conf)
	if driver == "" {
		conf = regexp.MustCompile(`streamDriver\S+="[^"]*"|defaultNetstreamDriver\S+="[^"]*"`).ReplaceAllString(conf, "")
	}
	fixture.File(t, r.path("rsyslog.conf"), conf)
	r.start()
	t.Cleanup(func() {
		r.stop(syscall.SIGTERM)
		if t.Failed() {
			said, _ := os.ReadFile(r.path("said"))
			t.Logf("rsyslogd said:\n%s", said)
		}
	})
	return r
}

// stopped reports whether each thread of rsyslogd is in the state T (proc(5)).
func (r *rsyslog) stopped() bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", r.process.Process.Pid))
	for _, thread := range threads {
		text, _ := os.ReadFile(thread)
		if _, state, _ := strings.Cut(string(text), ") "); !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return len(threads) > 0
}

func (r *rsyslog) path(name string) string { return filepath.Join(r.dir, name) }

// keys writes a certificate and its key.
func (r *rsyslog) keys(name string, ca *imaptest.CA, host string) {
	certificate := ca.Certificate(host)
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		r.t.Fatal(err)
	}
	fixture.File(r.t, r.path(name+".pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}))
	fixture.File(r.t, r.path(name+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
}

func (r *rsyslog) start() {
	r.t.Helper()
	modules, err := filepath.Glob(filepath.Join(r.root, "usr/lib/*/rsyslog"))
	if err != nil || len(modules) != 1 {
		r.t.Fatal(modules, err)
	}
	said, err := os.OpenFile(r.path("said"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		r.t.Fatal(err)
	}
	defer said.Close()
	r.process = osexec.Command(filepath.Join(r.root, "usr/sbin/rsyslogd"), "-n", "-f", r.path("rsyslog.conf"), "-i", r.path("pid"), "-M", modules[0])
	r.process.Env = append(os.Environ(), realserver.LibraryPath(r.root))
	r.process.Stdout, r.process.Stderr = said, said
	if err := r.process.Start(); err != nil {
		r.t.Fatal(err)
	}
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+r.port)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(until) {
			r.t.Fatal("rsyslogd does not listen")
		}
	}
}

func (r *rsyslog) stop(signal syscall.Signal) {
	_ = r.process.Process.Signal(signal)
	limit := time.AfterFunc(20*time.Second, func() { _ = r.process.Process.Kill() })
	defer limit.Stop()
	_ = r.process.Wait()
}

// lines waits until rsyslogd has written n different lines, and returns all of them.
func (r *rsyslog) lines(n int) []string {
	r.t.Helper()
	for until := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		b, _ := os.ReadFile(r.path("fblwatch-records.log"))
		different := make(map[string]bool)
		lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
		for _, line := range lines {
			different[line] = true
		}
		if len(different) >= n || time.Now().After(until) {
			return lines
		}
	}
}

// sink is the sink of docs/sinks/syslog.md, for this rsyslogd.
func (r *rsyslog) config(driver string) Config {
	c := docConfigs(r.t, "syslog")[0][0]
	c.Remote.URL = "syslog+tls://127.0.0.1:" + r.port
	c.Remote.CAFile, c.Remote.CertFile, c.Remote.KeyFile = r.path("logs-ca.pem"), r.path("client.pem"), r.path("client.key")
	if driver == "" {
		c.Remote = RemoteConfig{URL: "syslog://127.0.0.1:" + r.port}
	}
	c.Remote.Timeout = 10 * time.Second
	return c
}

// drivers are without and with TLS. Not ossl: its version 8.2302 closes a socket twice, and
// its records may go elsewhere then (github.com/rsyslog/rsyslog/pull/6375).
var drivers = []string{"", "gtls"}

// element is what a row's structured data and record look like in the file.
func element(seq int) string {
	return fmt.Sprintf(`[fblwatch@32473 key="1-%d.1" id="1-%d" revision="1"] {"id":"1-%d"}`, seq, seq, seq)
}

func init() {
	contracts["rsyslog"] = contract{start: func(t *testing.T) receiver { // with TLS it takes seconds to start
		r := startRsyslog(t, "", imaptest.NewCA())
		signal := map[bool]syscall.Signal{true: syscall.SIGSTOP, false: syscall.SIGCONT}
		return receiver{
			open: func() (Sink, error) { return Open(r.config(""), Options{}) },
			written: func() []string {
				r.stop(syscall.SIGTERM) // it writes all it has
				r.start()
				ids := []string{}
				for line := range strings.Lines(fixture.Read(t, r.path("fblwatch-records.log"))) {
					ids = append(ids, idsOfLines(t, line[strings.IndexByte(line, '{'):])...)
				}
				return ids
			},
			down: func(is bool) {
				if is {
					r.stop(syscall.SIGTERM)
				} else {
					r.start()
				}
			},
			stall: func(is bool) {
				if err := r.process.Process.Signal(signal[is]); err != nil {
					t.Fatal(err)
				}
				if is { // each thread stops in its own time
					eventually(t, "rsyslogd has stopped", r.stopped)
				}
			},
		}
	}}
}

func TestSyslogRsyslog(t *testing.T) {
	for _, driver := range drivers {
		t.Run("driver "+driver, func(t *testing.T) {
			r := startRsyslog(t, driver, imaptest.NewCA())
			c := r.config(driver)
			if said, err := Probe(t.Context(), c); err != nil || said != "127.0.0.1:"+r.port+" takes a connection, and ends it when we do" {
				t.Fatalf("%q, %v", said, err)
			}
			s, err := Open(c, Options{})
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			const batches, each = 10, 500
			for i := range batches {
				if err := hand(t.Context(), s, rows(1, int64(i*each+1), each)); err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("%d records in %d batches: %v", batches*each, batches, time.Since(start))
			lines := r.lines(batches * each)
			expect(t, "lines", len(lines), batches*each)
			for i, line := range lines {
				if line != element(i+1) {
					t.Fatalf("line %d is %s", i, line)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A record that rsyslogd had not read when it stopped comes again.
func TestSyslogRestart(t *testing.T) {
	for _, driver := range drivers {
		t.Run("driver "+driver, func(t *testing.T) {
			r := startRsyslog(t, driver, imaptest.NewCA())
			s, err := Open(r.config(driver), Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			const restarts, each = 3, 50
			restarted := make(chan struct{})
			go func() {
				defer close(restarted)
				for i := range restarts {
					time.Sleep(time.Duration(50+13*i) * time.Millisecond)
					r.stop(syscall.SIGTERM)
					r.start()
				}
			}()
			sent, failures := 0, 0
			for running := true; running; {
				select {
				case <-restarted:
					running = false // one more batch
				default:
				}
				for hand(t.Context(), s, rows(1, int64(sent+1), each)) != nil {
					failures++
					time.Sleep(5 * time.Millisecond)
				}
				sent += each
			}
			lines := r.lines(sent)
			got := make(map[string]bool)
			for _, line := range lines {
				got[line] = true
			}
			missing := 0
			for seq := range sent {
				if !got[element(seq+1)] {
					missing++
				}
			}
			t.Logf("%d tries failed; %d lines for %d records", failures, len(lines), sent)
			if missing > 0 || len(got) != sent || failures == 0 {
				t.Errorf("%d records are missing; %d different lines", missing, len(got))
			}
		})
	}
}
