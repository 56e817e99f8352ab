package imaptest

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	dovecotStart = 20 * time.Second // until it answers
	dovecotStop  = 10 * time.Second // until SIGKILL
	dovecotPorts = 3                // trials to find free ports
)

// DovecotServer is a real Dovecot on the loopback, with one user whose
// password works on a plain port, which offers STARTTLS, and under implicit
// TLS. Its mailboxes are Maildirs, with "/" as the delimiter.
type DovecotServer struct {
	tb     testing.TB
	binary string
	dir    string
	owner  *syscall.Credential // who runs it; nil: this process's own user
	ca     *CA
	plain  string
	tls    string
	cmd    *exec.Cmd
	exited chan struct{} // closed when the master process is gone

	delivered int // mails that Deliver has named
	mu        sync.Mutex
	appender  *rawConn // kept for the next Append
}

// Dovecot starts a server and stops it at the test's end. Where none is
// installed the test is skipped; with CI=true it fails.
//
// Dovecot refuses to serve mail as root, so a test that runs as root has it
// run as nobody.
func Dovecot(tb testing.TB) *DovecotServer {
	tb.Helper()
	d := &DovecotServer{tb: tb, ca: NewCA()}
	var err error
	if d.binary, err = dovecotBinary(); err != nil {
		missing := tb.Skipf
		if os.Getenv("CI") == "true" {
			missing = tb.Fatalf
		}
		missing("left out what needs a real IMAP server: %v; apt-get install dovecot-imapd", err)
	}
	// Not tb.TempDir: nobody may not look into that, and the paths of
	// Dovecot's sockets must stay below 108 octets.
	if d.dir, err = os.MkdirTemp(roomy(), "dovecot-"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		d.stop()
		if tb.Failed() {
			tb.Log("Dovecot's log:\n" + d.Log())
		}
		os.RemoveAll(d.dir)
	})
	for trial := 1; ; trial++ {
		if err = d.prepare(); err == nil {
			err = d.start()
		}
		if err == nil {
			return d
		}
		if trial == dovecotPorts {
			tb.Fatal(err)
		}
	}
}

// roomy is where the Maildirs go: memory where there is plenty, for on many
// disks a file takes thirty times as long to make. Empty is the usual place.
func roomy() string {
	const shm, enough = "/dev/shm", 4 << 30 // octets
	var fs syscall.Statfs_t
	if syscall.Statfs(shm, &fs) != nil || uint64(fs.Bavail)*uint64(fs.Bsize) < enough {
		return ""
	}
	return shm
}

// dovecotBinary finds a Dovecot whose configuration is known here: 2.4 has
// other names for nearly every setting.
func dovecotBinary() (string, error) {
	path, err := exec.LookPath("dovecot")
	if err != nil {
		path = "/usr/sbin/dovecot" // not in everybody's PATH
	}
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return "", errors.New("no dovecot found")
	}
	version, _, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if !strings.HasPrefix(version, "2.3.") {
		return "", fmt.Errorf("dovecot %s found, but these tests can configure 2.3 only", version)
	}
	return path, nil
}

// prepare writes the configuration with two ports that are free now.
func (d *DovecotServer) prepare() error {
	var ports [2]int
	for i := range ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer ln.Close()
		ports[i] = ln.Addr().(*net.TCPAddr).Port
	}
	d.plain = fmt.Sprintf("127.0.0.1:%d", ports[0])
	d.tls = fmt.Sprintf("127.0.0.1:%d", ports[1])

	owner, err := user.Current()
	if err == nil && owner.Uid == "0" {
		owner, err = user.Lookup("nobody")
	}
	if err != nil {
		return err
	}
	group, err := user.LookupGroupId(owner.Gid)
	if err != nil {
		return err
	}
	uid, gid := atoi(owner.Uid), atoi(owner.Gid)
	if os.Getuid() == 0 {
		d.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	cert := d.ca.Certificate("localhost", "127.0.0.1")
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return err
	}
	config := fmt.Sprintf(dovecotConfig, d.dir, owner.Username, group.Name, ports[0], ports[1])
	for name, content := range map[string][]byte{
		"dovecot.conf": []byte(config),
		"passwd":       []byte(d.User() + ":{PLAIN}" + d.Password() + "\n"),
		"ca.pem":       pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.ca.cert.Raw}),
		"cert.pem":     pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]}),
		"key.pem":      pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		"log":          nil,
	} {
		if err := os.WriteFile(filepath.Join(d.dir, name), content, 0o644); err != nil {
			return err
		}
	}
	for _, name := range []string{"run", "mail", "mail/cur", "mail/new", "mail/tmp"} {
		if err := os.MkdirAll(filepath.Join(d.dir, name), 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{".", "log", "run", "mail", "mail/cur", "mail/new", "mail/tmp"} {
		if err := d.own(filepath.Join(d.dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// own gives a path to whoever runs Dovecot.
func (d *DovecotServer) own(path string) error {
	if d.owner == nil {
		return nil
	}
	return os.Chown(path, int(d.owner.Uid), int(d.owner.Gid))
}

// start runs the master process and waits until it answers.
func (d *DovecotServer) start() error {
	d.cmd = exec.Command(d.binary, "-F", "-c", filepath.Join(d.dir, "dovecot.conf"))
	// A process group of its own, so that stop can tell when all are gone.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: d.owner}
	out, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer out.Close()
	d.cmd.Stdout, d.cmd.Stderr = out, out
	if err := d.cmd.Start(); err != nil {
		return err
	}
	d.exited = make(chan struct{})
	go func() {
		d.cmd.Wait()
		close(d.exited)
	}()
	deadline := time.After(dovecotStart)
	for {
		if err = greeted(d.plain); err == nil {
			return nil
		}
		select {
		case <-d.exited:
			return errors.New("imaptest: dovecot ended at once:\n" + d.Log())
		case <-deadline:
			d.stop()
			return fmt.Errorf("imaptest: dovecot does not answer: %w\n%s", err, d.Log())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// greeted is nil if an IMAP server greets at addr.
func greeted(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "* OK ") {
		err = errors.New("greeted with " + line)
	}
	return err
}

// stop ends the master and waits until the last of its processes is gone.
func (d *DovecotServer) stop() {
	d.mu.Lock()
	if d.appender != nil {
		d.appender.Close()
		d.appender = nil
	}
	d.mu.Unlock()
	if d.exited == nil {
		return
	}
	group := -d.cmd.Process.Pid
	syscall.Kill(group, syscall.SIGTERM)
	for deadline := time.Now().Add(dovecotStop); ; time.Sleep(5 * time.Millisecond) {
		if syscall.Kill(group, 0) == syscall.ESRCH {
			break
		}
		if time.Now().After(deadline) {
			syscall.Kill(group, syscall.SIGKILL)
			d.tb.Error("Dovecot had to be killed")
			break
		}
	}
	<-d.exited
	d.exited = nil
}

// Restart stops the server, which ends all sessions, and starts it again on
// the same ports.
func (d *DovecotServer) Restart() {
	d.tb.Helper()
	d.stop()
	if err := d.start(); err != nil {
		d.tb.Fatal(err)
	}
}

// PlainAddr is the host and port without TLS, with STARTTLS.
func (d *DovecotServer) PlainAddr() string { return d.plain }

// TLSAddr is the host and port of implicit TLS. The certificate is for
// localhost and 127.0.0.1.
func (d *DovecotServer) TLSAddr() string { return d.tls }

// CA is what a client must trust, CAFile the same as a PEM file.
func (d *DovecotServer) CA() *x509.CertPool { return d.ca.Pool() }
func (d *DovecotServer) CAFile() string     { return filepath.Join(d.dir, "ca.pem") }

// User and Password are those of the only user.
func (d *DovecotServer) User() string     { return "fbl" }
func (d *DovecotServer) Password() string { return "secret" }

// Log is what Dovecot has logged so far.
func (d *DovecotServer) Log() string {
	text, _ := os.ReadFile(filepath.Join(d.dir, "log"))
	return string(text)
}
