package imaptest

import (
	"cmp"
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
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	realStart = 20 * time.Second // until it answers
	realStop  = 5 * time.Second  // until SIGKILL
	realAgain = time.Second      // between two SIGTERM: a process that is just starting may miss one
	realPorts = 3                // trials to find free ports
)

// RealServer is a real IMAP server on the loopback, with one user whose
// password works on a plain port, which offers STARTTLS, and under implicit
// TLS. It ends with its test.
type RealServer struct {
	kind
	tb        testing.TB
	dir       string
	owner     *user.User // who runs it
	group     *user.Group
	drop      *syscall.Credential // to become the owner; nil: this process's own user
	ca        *CA
	ports     [2]int // plain, TLS
	programs  []*process
	keeper    *exec.Cmd // nil while stopped
	watchword io.WriteCloser

	mu       sync.Mutex
	appender *rawConn // kept for the next Append
}

// kind is what one family's servers have of their own.
type kind struct {
	family   string
	folder   func(name string) string // from one with "/" between its levels
	username string                   // of its only user; "": fbl
	lacks    []string                 // of "STARTTLS" and "TLS" (implicit)
	as       bool                     // it is run by whoever runs the test, root too
	forgets  bool                     // it keeps messages in memory
	// prepare makes the files of a server whose directory and ports are set.
	prepare func(*RealServer) error
	// commands are the programs to run, in this order.
	commands func(*RealServer) []*exec.Cmd
}

// startReal starts a server and stops it at the test's end. Where it is not
// installed, which is what err says, the test is skipped; with CI=true it fails.
//
// None of them serves message as root, so a test that runs as root has it run as
// nobody.
func startReal(tb testing.TB, k kind, err error) *RealServer {
	tb.Helper()
	if err != nil {
		missing := tb.Skipf
		if os.Getenv("CI") == "true" {
			missing = tb.Fatalf
		}
		missing("left out what needs a real IMAP server: %v", err)
	}
	s := &RealServer{kind: k, tb: tb, ca: NewCA()}
	// Not tb.TempDir: nobody may not look into that, and the paths of
	// sockets must stay below 108 octets.
	if s.dir, err = os.MkdirTemp(roomy(), k.family+"-"); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		s.stop()
		if tb.Failed() {
			log := s.Log()
			tb.Logf("the log of %s ends:\n%s", s.family, log[max(0, len(log)-16<<10):])
		}
		os.RemoveAll(s.dir)
	})
	for trial := 1; ; trial++ {
		if err = s.setUp(); err == nil {
			err = s.start()
		}
		if err == nil {
			return s
		}
		if trial == realPorts {
			tb.Fatal(err)
		}
	}
}

// roomy is where the messages go: memory where there is plenty, for on many disks
// a file takes thirty times as long to make. Empty is the usual place.
func roomy() string {
	const shm, enough = "/dev/shm", 4 << 30 // octets
	var fs syscall.Statfs_t
	if syscall.Statfs(shm, &fs) != nil || uint64(fs.Bavail)*uint64(fs.Bsize) < enough {
		return ""
	}
	return shm
}

// setUp makes the server's files, with two ports that are free now.
func (s *RealServer) setUp() error {
	for i := range s.ports {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer ln.Close()
		s.ports[i] = ln.Addr().(*net.TCPAddr).Port
	}
	var err error
	s.owner, err = user.Current()
	if err == nil && s.owner.Uid == "0" && !s.as {
		s.owner, err = user.Lookup("nobody")
	}
	if err != nil {
		return err
	}
	if s.group, err = user.LookupGroupId(s.owner.Gid); err != nil {
		return err
	}
	if os.Getuid() == 0 && !s.as {
		s.drop = &syscall.Credential{Uid: uint32(atoi(s.owner.Uid)), Gid: uint32(atoi(s.owner.Gid))}
	}
	cert := s.ca.Certificate("localhost", "127.0.0.1")
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return err
	}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	err = errors.Join(
		s.mkdir("."),
		s.write("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.ca.cert.Raw})),
		s.write("cert.pem", certPEM),
		s.write("key.pem", keyPEM),
		s.write("both.pem", append(certPEM, keyPEM...)),
		s.write("log", nil),
	)
	if err != nil {
		return err
	}
	return s.prepare(s)
}

// write makes a file of the server, mkdir a directory; both are its owner's.
func (s *RealServer) write(name string, content []byte) error {
	if err := os.WriteFile(s.path(name), content, 0o644); err != nil {
		return err
	}
	return s.own(s.path(name))
}

func (s *RealServer) mkdir(names ...string) error {
	for _, name := range names {
		if err := os.MkdirAll(s.path(name), 0o755); err != nil {
			return err
		}
		if err := s.own(s.path(name)); err != nil {
			return err
		}
	}
	return nil
}

func (s *RealServer) path(name string) string { return filepath.Join(s.dir, name) }

// own gives a path to whoever runs the server.
func (s *RealServer) own(path string) error {
	if s.drop == nil {
		return nil
	}
	return os.Chown(path, int(s.drop.Uid), int(s.drop.Gid))
}

// Restart stops the server, which ends all sessions, and starts it again on
// the same ports.
func (s *RealServer) Restart() {
	s.tb.Helper()
	s.stop()
	if err := s.start(); err != nil {
		s.tb.Fatal(err)
	}
}

// Family is the name of the server's family.
func (s *RealServer) Family() string { return s.family }

// Folder is how the server calls a folder: name has "/" between its levels.
func (s *RealServer) Folder(name string) string {
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	return s.folder(name)
}

// Offers reports whether the server has "STARTTLS", or "TLS" from the start.
func (s *RealServer) Offers(security string) bool { return !slices.Contains(s.lacks, security) }

// Forgets reports whether a restart loses all messages.
func (s *RealServer) Forgets() bool { return s.forgets }

// PlainAddr is the host and port without TLS, with STARTTLS.
func (s *RealServer) PlainAddr() string { return fmt.Sprintf("127.0.0.1:%d", s.ports[0]) }

// TLSAddr is the host and port of implicit TLS. The certificate is for
// localhost and 127.0.0.1.
func (s *RealServer) TLSAddr() string { return fmt.Sprintf("127.0.0.1:%d", s.ports[1]) }

// CA is what a client must trust, CAFile the same as a PEM file.
func (s *RealServer) CA() *x509.CertPool { return s.ca.Pool() }
func (s *RealServer) CAFile() string     { return s.path("ca.pem") }

// User and Password are those of the only user.
func (s *RealServer) User() string     { return cmp.Or(s.username, "fbl") }
func (s *RealServer) Password() string { return "secret" }

// Log is what the server has logged so far; Cyrus logs to the system's log.
func (s *RealServer) Log() string {
	text, _ := os.ReadFile(s.path("log"))
	return string(text)
}
