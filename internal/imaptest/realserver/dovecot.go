package realserver

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// DovecotServer is a real Dovecot. Its mailboxes are Maildirs, with "/" as the
// delimiter.
type DovecotServer struct {
	*Server
	delivered int // messages that Deliver has named
}

// Dovecot starts a Dovecot that ends with the test.
func Dovecot(tb testing.TB, extras ...Extra) *DovecotServer {
	tb.Helper()
	binary, config, err := dovecotBinary()
	if err == nil && len(extras) > 0 && config != dovecot23 {
		err = errors.New("the extra parts of Dovecot's configuration are written for 2.3")
	}
	return &DovecotServer{Server: launch(tb, kind{
		family:  "dovecot",
		folder:  func(name string) string { return name },
		prepare: func(s *Server) error { return prepareDovecot(s, config, extras) },
		commands: func(s *Server) []*exec.Cmd {
			return []*exec.Cmd{exec.Command(binary, "-F", "-c", s.path("dovecot.conf"))}
		},
	}, err)}
}

// dovecotBinary finds a Dovecot and the configuration for its version.
func dovecotBinary() (path, config string, err error) {
	path, err = exec.LookPath("dovecot")
	if err != nil {
		path = "/usr/sbin/dovecot" // not in everybody's PATH
	}
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return "", "", errors.New("no dovecot found; scripts/setup installs it")
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

func prepareDovecot(s *Server, config string, extras []Extra) error {
	for _, extra := range extras {
		config += extra.config
		for name, text := range extra.files {
			if strings.Contains(text, "%[1]s") {
				text = fmt.Sprintf(text, s.dir)
			}
			if err := errors.Join(s.mkdir(filepath.Dir(name)), s.write(name, []byte(text))); err != nil {
				return err
			}
		}
	}
	config = fmt.Sprintf(config, s.dir, filepath.Base(s.dir), s.owner.Username, s.group.Name, s.ports[0], s.ports[1])
	return errors.Join(
		s.write("dovecot.conf", []byte(config)),
		s.write("passwd", []byte(s.User()+":{PLAIN}"+s.Password()+"\n")),
		s.mkdir("run", "mail", "mail/cur", "mail/new", "mail/tmp"),
	)
}
