package realserver

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Others are the servers that scripts/servers installs, in the versions that it
// names. docs/servers.md says what works with them.
var Others = []Family{
	{"maddy", maddy},
	{"greenmail", greenmail},
	{"pymap", pymap},
	{"twisted", twisted},
	{"hoodiecrow", hoodiecrow},
	{"imap4d", imap4d},
}

// otherServer starts a server that scripts/servers has installed in the directory
// FBLWATCH_SERVERS. If it has not, the test is skipped.
func otherServer(tb testing.TB, k kind) *Server {
	tb.Helper()
	if _, err := os.Stat(installed(k.family, "ready")); err != nil {
		tb.Skipf("skipped: scripts/servers has not installed %s (%v)", k.family, err)
	}
	k.as = true
	return launch(tb, k, nil)
}

// installed is the path of a file of an installed server.
func installed(server, file string) string {
	return filepath.Join(os.Getenv("FBLWATCH_SERVERS"), server, file)
}

func slashes(name string) string { return name }
func dots(name string) string    { return strings.ReplaceAll(name, "/", ".") }
func flat(name string) string    { return strings.ReplaceAll(name, "/", "_") }

const maddyConfig = `state_dir %[1]s/state
runtime_dir %[1]s/run
hostname localhost
tls file %[1]s/cert.pem %[1]s/key.pem
auth.pass_table local_authdb {
	table sql_table {
		driver sqlite3
		dsn passwords.db
		table_name passwords
	}
}
storage.imapsql local_mailboxes {
	driver sqlite3
	dsn mailboxes.db
}
imap tcp://127.0.0.1:%[2]d tls://127.0.0.1:%[3]d {
	auth &local_authdb
	storage &local_mailboxes
	insecure_auth true
}
`

func maddy(tb testing.TB) *Server {
	tb.Helper()
	program := func(s *Server, args ...string) *exec.Cmd {
		return exec.Command(installed("maddy", "maddy"), append([]string{"--config", s.path("maddy.conf")}, args...)...)
	}
	return otherServer(tb, kind{
		family: "maddy", folder: dots, username: "fbl@example.com",
		prepare: func(s *Server) error {
			err := errors.Join(
				s.mkdir("state", "run"),
				s.write("maddy.conf", fmt.Appendf(nil, maddyConfig, s.dir, s.ports[0], s.ports[1])),
			)
			for _, args := range [][]string{{"creds", "create", "-p", s.Password(), s.User()}, {"imap-acct", "create", s.User()}} {
				if err == nil {
					err = s.run(program(s, args...))
				}
			}
			return err
		},
		commands: func(s *Server) []*exec.Cmd { return []*exec.Cmd{program(s, "run")} },
	})
}

// greenmail keeps its messages in memory.
func greenmail(tb testing.TB) *Server {
	tb.Helper()
	return otherServer(tb, kind{
		family: "greenmail", folder: dots, lacks: []string{"STARTTLS"}, forgets: true,
		prepare: func(s *Server) error {
			return s.run(exec.Command("openssl", "pkcs12", "-export", "-name", "localhost", "-passout", "pass:"+s.Password(),
				"-in", s.path("cert.pem"), "-inkey", s.path("key.pem"), "-out", s.path("key.p12")))
		},
		commands: func(s *Server) []*exec.Cmd {
			options := []string{
				"imap.hostname=127.0.0.1", "imaps.hostname=127.0.0.1",
				fmt.Sprint("imap.port=", s.ports[0]), fmt.Sprint("imaps.port=", s.ports[1]),
				"users=" + s.User() + ":" + s.Password() + "@example.com", "users.login=local_part",
				"tls.keystore.file=" + s.path("key.p12"), "tls.keystore.password=" + s.Password(),
			}
			var args []string
			for _, option := range options {
				args = append(args, "-Dgreenmail."+option)
			}
			return []*exec.Cmd{exec.Command("java", append(args, "-jar", installed("greenmail", "greenmail-standalone.jar"))...)}
		},
	})
}

// pymap keeps its messages in memory. It has no port for implicit TLS.
func pymap(tb testing.TB) *Server {
	tb.Helper()
	return otherServer(tb, kind{
		family: "pymap", folder: slashes, lacks: []string{"TLS"}, forgets: true,
		prepare: func(*Server) error { return nil },
		commands: func(s *Server) []*exec.Cmd {
			return []*exec.Cmd{exec.Command(installed("pymap", "bin/pymap"), "--host", "127.0.0.1", "--port", fmt.Sprint(s.ports[0]),
				"--cert", s.path("cert.pem"), "--key", s.path("key.pem"), "--no-service", "admin",
				"dict", "--demo-user", s.User(), "--demo-password", s.Password())}
		},
	})
}

//go:embed twisted_server.py
var twistedServer []byte

// twisted keeps its messages in memory. Twisted's own IMessage returns them
// parsed, and put together again for each FETCH.
func twisted(tb testing.TB) *Server {
	tb.Helper()
	return otherServer(tb, kind{
		family: "twisted", folder: slashes, lacks: []string{"TLS", "STARTTLS"}, forgets: true,
		prepare: func(s *Server) error { return s.write("server.py", twistedServer) },
		commands: func(s *Server) []*exec.Cmd {
			return []*exec.Cmd{exec.Command(installed("twisted", "bin/python"), s.path("server.py"), fmt.Sprint(s.ports[0]), s.User(), s.Password())}
		},
	})
}

const hoodiecrowConfig = `{
	"plugins": ["ID", "SASL-IR", "AUTH-PLAIN", "NAMESPACE", "IDLE", "ENABLE", "CONDSTORE", "LITERALPLUS", "UNSELECT", "SPECIAL-USE", "MOVE", "UIDPLUS"],
	"users": {%q: {"password": %q}},
	"storage": {"INBOX": {}, "": {"separator": "/", "folders": {}}}
}`

// hoodiecrow keeps its messages in memory.
func hoodiecrow(tb testing.TB) *Server {
	tb.Helper()
	return otherServer(tb, kind{
		family: "hoodiecrow", folder: slashes, lacks: []string{"TLS", "STARTTLS"}, forgets: true,
		prepare: func(s *Server) error {
			return s.write("config.json", fmt.Appendf(nil, hoodiecrowConfig, s.User(), s.Password()))
		},
		commands: func(s *Server) []*exec.Cmd {
			return []*exec.Cmd{exec.Command("node", installed("hoodiecrow", "node_modules/hoodiecrow-imap/bin/hoodiecrow"),
				"--config="+s.path("config.json"), fmt.Sprint("--port=", s.ports[0]))}
		},
	})
}

const imap4dConfig = `mode daemon;
foreground yes;
logging { syslog no; }
auth { authorization "clear"; authorization "virtdomain"; authentication "clear"; authentication "virtdomain:generic"; }
virtdomain { passwd-dir "%[1]s/domains"; }
mailbox { mailbox-type mbox; mailbox-pattern "mbox:%[1]s/mail/INBOX"; }
tls { ssl-certificate-file "%[1]s/cert.pem"; ssl-key-file "%[1]s/key.pem"; }
max-children 100;
server 127.0.0.1:%[2]d { tls-mode ondemand; }
server 127.0.0.1:%[3]d { tls-mode connection; }
`

// imap4d keeps mbox files, its default. In a Maildir it gives messages other UIDs
// while it is in use.
func imap4d(tb testing.TB) *Server {
	tb.Helper()
	root := installed("imap4d", "root")
	return otherServer(tb, kind{
		family: "imap4d", folder: flat, username: "fbl@example.com",
		prepare: func(s *Server) error {
			user, _, _ := strings.Cut(s.User(), "@")
			return errors.Join(
				s.mkdir("domains", "mail"),
				s.write("mail/INBOX", nil), // else there is none to append to
				s.write("domains/example.com", fmt.Appendf(nil, "%s:%s:%s:%s::%s:/bin/false\n", user, courierPassword, s.owner.Uid, s.owner.Gid, s.path("mail"))),
				s.write("imap4d.conf", fmt.Appendf(nil, imap4dConfig, s.dir, s.ports[0], s.ports[1])),
				os.Chmod(s.path("key.pem"), 0o600), // else it refuses it
				os.Chmod(s.path("domains/example.com"), 0o600),
			)
		},
		commands: func(s *Server) []*exec.Cmd {
			cmd := exec.Command(filepath.Join(root, "usr/sbin/imap4d"), "--no-site-config", "--config-file", s.path("imap4d.conf"))
			cmd.Env = append(os.Environ(), LibraryPath(root))
			return []*exec.Cmd{cmd}
		},
	})
}
