package realserver

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// cyrus starts a Cyrus IMAP server that ends with the test. It makes the user's
// INBOX at the first login.
func cyrus(tb testing.TB) *Server {
	tb.Helper()
	root, err := Unpacked("cyrus", "usr/lib/cyrus/bin/master")
	env := []string{LibraryPath(root), "PATH=/usr/bin:/bin"}
	return launch(tb, kind{
		family:  "cyrus",
		folder:  func(name string) string { return name },
		prepare: func(s *Server) error { return prepareCyrus(s, root, env) },
		commands: func(s *Server) []*exec.Cmd {
			master := exec.Command(filepath.Join(root, "usr/lib/cyrus/bin/master"),
				"-C", s.path("imapd.conf"), "-M", s.path("cyrus.conf"), "-p", s.path("pid"), "-D")
			master.Env = env
			return []*exec.Cmd{master}
		},
	}, err)
}

// The arguments are directory, user, sasl plugins.
const imapdConf = `
configdirectory: %[1]s/conf
defaultpartition: default
partition-default: %[1]s/spool
cyrus_user: %[2]s
servername: localhost
syslog_prefix: fblwatch-test

allowplaintext: yes
failedloginpause: 0
sasl_path: %[3]s
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: %[1]s/sasldb2
tls_server_cert: %[1]s/cert.pem
tls_server_key: %[1]s/key.pem
tls_session_timeout: 0

unixhierarchysep: yes
altnamespace: yes
virtdomains: off
autocreate_quota: 0
`

// The arguments are directory, directory of the programs, plain port, TLS port.
// With idled an IDLE reports a new message at once.
const cyrusConf = `
START {
  recover cmd="%[2]s/ctl_cyrusdb -C %[1]s/imapd.conf -r"
  idled cmd="%[2]s/idled -C %[1]s/imapd.conf"
}
SERVICES {
  imap cmd="%[2]s/imapd -C %[1]s/imapd.conf" listen="127.0.0.1:%[3]d" prefork=0
  imaps cmd="%[2]s/imapd -s -C %[1]s/imapd.conf" listen="127.0.0.1:%[4]d" prefork=0
}
EVENTS {
}
`

func prepareCyrus(s *Server, root string, env []string) error {
	plugins, _ := filepath.Glob("/usr/lib/*-linux-*/sasl2")
	unpacked, _ := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-*/sasl2"))
	plugins = append(plugins, unpacked...)
	err := errors.Join(
		s.write("imapd.conf", fmt.Appendf(nil, imapdConf, s.dir, s.owner.Username, strings.Join(plugins, ":"))),
		s.write("cyrus.conf", fmt.Appendf(nil, cyrusConf, s.dir, filepath.Join(root, "usr/lib/cyrus/bin"), s.ports[0], s.ports[1])),
		s.mkdir("spool", "conf", "conf/db", "conf/lock", "conf/proc", "conf/socket", "conf/user"),
	)
	if err != nil {
		return err
	}
	add := exec.Command(filepath.Join(root, "usr/sbin/saslpasswd2"), "-p", "-c", "-f", s.path("sasldb2"), "-u", "localhost", s.User())
	add.Env, add.Stdin = env, strings.NewReader(s.Password())
	return s.run(add)
}
