package imaptest

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
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
	dovecotStop  = 5 * time.Second  // until SIGKILL
	dovecotPorts = 3                // trials to find free ports
)

// DovecotServer is a real Dovecot on the loopback, with one user whose
// password works on a plain port, which offers STARTTLS, and under implicit
// TLS. Its mailboxes are Maildirs, with "/" as the delimiter.
type DovecotServer struct {
	tb     testing.TB
	binary string
	config string // for Sprintf
	extras []Extra
	dir    string
	owner  *syscall.Credential // who runs it; nil: this process's own user
	ca     *CA
	plain  string
	tls    string
	keeper *exec.Cmd      // nil while stopped
	stdin  io.WriteCloser // of the keeper

	mu        sync.Mutex
	delivered int      // mails that Deliver has named
	appender  *rawConn // kept for the next Append
}

// Dovecot starts a server and stops it at the test's end. Where none is
// installed the test is skipped; with CI=true it fails.
//
// Dovecot refuses to serve mail as root, so a test that runs as root has it
// run as nobody.
func Dovecot(tb testing.TB, extras ...Extra) *DovecotServer {
	tb.Helper()
	d := &DovecotServer{tb: tb, ca: NewCA(), extras: extras}
	var err error
	d.binary, d.config, err = dovecotBinary()
	if err == nil && len(extras) > 0 && d.config != dovecot23 {
		err = errors.New("the extra parts of Dovecot's configuration are written for 2.3")
	}
	if err != nil {
		missing := tb.Skipf
		if os.Getenv("CI") == "true" {
			missing = tb.Fatalf
		}
		missing("left out what needs a real IMAP server: %v", err)
	}
	// Not tb.TempDir: nobody may not look into that, and the paths of
	// Dovecot's sockets must stay below 108 octets.
	if d.dir, err = os.MkdirTemp(roomy(), "dovecot-"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		d.stop()
		if tb.Failed() {
			log := d.Log()
			tb.Log("Dovecot's log ends:\n" + log[max(0, len(log)-16<<10):])
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

// dovecotBinary finds a Dovecot and the configuration for its version.
func dovecotBinary() (path, config string, err error) {
	path, err = exec.LookPath("dovecot")
	if err != nil {
		path = "/usr/sbin/dovecot" // not in everybody's PATH
	}
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return "", "", errors.New("no dovecot found; apt-get install dovecot-imapd")
	}
	version, _, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	switch {
	case strings.HasPrefix(version, "2.3."):
		return path, dovecot23, nil
	case strings.HasPrefix(version, "2.4."):
		return path, dovecot24, nil
	}
	return "", "", fmt.Errorf("dovecot %s found, but these tests can configure 2.3 and 2.4 only", version)
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
	config := d.config
	for _, extra := range d.extras {
		config += extra.config
		for name, text := range extra.files {
			if strings.Contains(text, "%[1]s") {
				text = fmt.Sprintf(text, d.dir)
			}
			path := filepath.Join(d.dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				return err
			}
		}
	}
	config = fmt.Sprintf(config, d.dir, filepath.Base(d.dir), owner.Username, group.Name, ports[0], ports[1])
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

// keeper runs Dovecot and ends it with all its children when it is told to, or
// when the test process dies; then nobody else would, or remove the files.
const keeper = `
trap : TERM
"$1" -F -c "$2/dovecot.conf" &
read order || order=died
kill -TERM 0
wait
if [ $order = died ]; then rm -rf "$2"; fi
`

// start runs Dovecot and waits until it answers.
func (d *DovecotServer) start() error {
	log, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer log.Close()
	before := len(d.Log())
	cmd := exec.Command("sh", "-c", keeper, "sh", d.binary, d.dir)
	// A process group of its own holds nothing but Dovecot and its keeper.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: d.owner}
	cmd.Stdout, cmd.Stderr = log, log
	if d.stdin, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	d.keeper = cmd
	for deadline := time.Now().Add(dovecotStart); ; time.Sleep(10 * time.Millisecond) {
		if err = d.greeted(); err == nil {
			return nil
		}
		if text := d.Log()[before:]; strings.Contains(text, "Fatal: ") || time.Now().After(deadline) {
			d.stop()
			return fmt.Errorf("imaptest: dovecot does not answer: %w\n%s", err, text)
		}
	}
}

// greeted is nil if this very server greets: another test's may have taken the
// port. Its greeting ends in the directory's name.
func (d *DovecotServer) greeted() error {
	conn, err := net.DialTimeout("tcp", d.plain, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasSuffix(line, " "+filepath.Base(d.dir)+"\r\n") {
		err = fmt.Errorf("another server is on %s", d.plain)
	}
	return err
}

// stop ends Dovecot and waits until the last of its processes is gone.
func (d *DovecotServer) stop() {
	d.mu.Lock()
	if d.appender != nil {
		d.appender.Close()
		d.appender = nil
	}
	d.mu.Unlock()
	if d.keeper == nil {
		return
	}
	io.WriteString(d.stdin, "stop\n")
	group := -d.keeper.Process.Pid
	kill := time.AfterFunc(dovecotStop, func() {
		d.tb.Log("Dovecot's processes had to be killed")
		syscall.Kill(group, syscall.SIGKILL)
	})
	d.keeper.Wait()
	for deadline := time.Now().Add(dovecotStop); syscall.Kill(group, 0) == nil && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
	}
	kill.Stop()
	d.keeper = nil
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
