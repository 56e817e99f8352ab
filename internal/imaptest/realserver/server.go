package realserver

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
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/imaptest"
)

const (
	startMost   = 20 * time.Second // until it answers
	stopMost    = 5 * time.Second  // until SIGKILL
	signalEvery = time.Second      // between two SIGTERM: a process that is just starting may miss one
	portTrials  = 3                // trials to find free ports
)

// Server is a real IMAP server on the loopback with one user. The user's password
// works on a plain port, which offers STARTTLS, and with implicit TLS. The
// server ends with its test.
type Server struct {
	kind
	tb        testing.TB
	dir       string
	owner     *user.User // runs it
	group     *user.Group
	drop      *syscall.Credential // to become the owner; nil: this process's own user
	ca        *imaptest.CA
	ports     [2]int // plain, TLS
	programs  []*process
	keeper    *exec.Cmd // nil while stopped
	watchword io.WriteCloser

	mu       sync.Mutex
	appender *imaptest.RawConn // kept for the next Append
}

// kind is what differs between the families of servers.
type kind struct {
	family   string
	folder   func(name string) string // from one with "/" between its levels
	username string                   // of its only user; "": fbl
	lacks    []string                 // of "STARTTLS" and "TLS" (implicit)
	as       bool                     // it is run by whoever runs the test, root too
	forgets  bool                     // it keeps messages in memory
	// prepare makes the files of a server whose directory and ports are set.
	prepare func(*Server) error
	// commands are the programs to run, in this order.
	commands func(*Server) []*exec.Cmd
}

// launch starts a server and stops it at the end of the test. err says that the
// server is not installed: then launch skips the test, or fails it with CI=true.
//
// None of these servers serves messages as root. If the test runs as root, the
// server runs as nobody.
func launch(tb testing.TB, k kind, err error) *Server {
	tb.Helper()
	if err != nil {
		missing := tb.Skipf
		if os.Getenv("CI") == "true" {
			missing = tb.Fatalf
		}
		missing("skipped: no real IMAP server: %v", err)
	}
	s := &Server{kind: k, tb: tb, ca: imaptest.NewCA()}
	// Not tb.TempDir: the user nobody may not read it, and the paths of sockets
	// must stay below 108 octets.
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
		if trial == portTrials {
			tb.Fatal(err)
		}
	}
}

// roomy is the directory for the messages: memory, if there is plenty, because on
// many disks a file takes thirty times as long to make. Empty means the default.
func roomy() string {
	const shm, enough = "/dev/shm", 4 << 30 // octets
	var fs syscall.Statfs_t
	if syscall.Statfs(shm, &fs) != nil || uint64(fs.Bavail)*uint64(fs.Bsize) < enough {
		return ""
	}
	return shm
}

// setUp makes the server's files, with two ports that are free now.
func (s *Server) setUp() error {
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
		uid, err1 := strconv.ParseUint(s.owner.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(s.owner.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		s.drop = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
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
		s.write("ca.pem", s.ca.PEM()),
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

// write makes a file of the server, mkdir a directory. Both belong to its owner.
func (s *Server) write(name string, content []byte) error {
	if err := os.WriteFile(s.path(name), content, 0o644); err != nil {
		return err
	}
	return s.own(s.path(name))
}

func (s *Server) mkdir(names ...string) error {
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

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// own gives a path to the owner of the server.
func (s *Server) own(path string) error {
	if s.drop == nil {
		return nil
	}
	return os.Chown(path, int(s.drop.Uid), int(s.drop.Gid))
}

// Restart stops the server and starts it again on the same ports. All sessions
// end.
func (s *Server) Restart() {
	s.tb.Helper()
	s.stop()
	if err := s.start(); err != nil {
		s.tb.Fatal(err)
	}
}

// Name is the name of its family.
func (s *Server) Name() string { return s.family }

// Folder returns the server's own name of a folder. In name the levels are
// separated by "/".
func (s *Server) Folder(name string) string {
	if strings.EqualFold(name, "INBOX") {
		return "INBOX"
	}
	return s.folder(name)
}

// Offers reports whether the server has "STARTTLS", or "TLS" from the start.
func (s *Server) Offers(security string) bool { return !slices.Contains(s.lacks, security) }

// Forgets reports whether a restart loses all messages.
func (s *Server) Forgets() bool { return s.forgets }

// PlainAddr is the host and port without TLS. It offers STARTTLS.
func (s *Server) PlainAddr() string { return fmt.Sprintf("127.0.0.1:%d", s.ports[0]) }

// TLSAddr is the host and port of implicit TLS. The certificate is for
// localhost and 127.0.0.1.
func (s *Server) TLSAddr() string { return fmt.Sprintf("127.0.0.1:%d", s.ports[1]) }

// CA is the authority that a client must trust, CAFile the same as a PEM file.
func (s *Server) CA() *x509.CertPool { return s.ca.Pool() }
func (s *Server) CAFile() string     { return s.path("ca.pem") }

// User and Password are those of the only user.
func (s *Server) User() string     { return cmp.Or(s.username, "fbl") }
func (s *Server) Password() string { return "secret" }

// Log is the server's log so far. Cyrus writes to the log of the system.
func (s *Server) Log() string {
	text, _ := os.ReadFile(s.path("log"))
	return string(text)
}
