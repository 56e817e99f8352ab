package realserver

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// courier starts a Courier-IMAP server that ends with the test. All its folders
// are below INBOX, with "." as the delimiter.
//
// Courier has fixed paths for its socket and its database of users.
// libfakechroot moves these two, and nothing else, into the directory of the
// test.
func courier(tb testing.TB) *Server {
	tb.Helper()
	root, err := Unpacked("courier", "usr/bin/imapd")
	return launch(tb, kind{
		family:   "courier",
		folder:   func(name string) string { return "INBOX." + strings.ReplaceAll(name, "/", ".") },
		prepare:  func(s *Server) error { return prepareCourier(s, root) },
		commands: func(s *Server) []*exec.Cmd { return courierCommands(s, root) },
	}, err)
}

// courierSettings are those of Debian's /etc/courier/imapd with two changes: IDLE
// looks for new messages every second instead of every minute, and one address
// may have any number of connections.
var courierSettings = []string{
	"IMAP_CAPABILITY=IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE",
	"IMAP_KEYWORDS=1", "IMAP_ACL=1", "IMAP_USELOCKS=1", "IMAP_ENHANCEDIDLE=0", "IMAP_IDLE_TIMEOUT=1",
	"IMAP_CHECK_ALL_FOLDERS=0", "IMAP_OBSOLETE_CLIENT=0", "IMAP_UMASK=022", "IMAP_MAILBOX_SANITY_CHECK=1",
	"IMAP_MOVE_EXPUNGE_TO_TRASH=0", "IMAP_TRASHFOLDERNAME=Trash", "IMAP_EMPTYTRASH=Trash:7",
	"IMAP_TLS_REQUIRED=0", "IMAP_STARTTLS=YES", "TLS_VERIFYPEER=NONE",
}

func courierCommand(s *Server, root, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(root, program), args...)
	var preload []string
	for _, library := range []string{"libnss_wrapper.so", "fakechroot/libfakechroot.so"} {
		found, _ := filepath.Glob(filepath.Join(root, "usr/lib/*", library))
		preload = append(preload, found...)
	}
	cmd.Env = append([]string{
		LibraryPath(root, "usr/lib/courier-authlib"),
		"LD_PRELOAD=" + strings.Join(preload, ":"),
		"NSS_WRAPPER_PASSWD=" + s.path("passwd"),
		"NSS_WRAPPER_GROUP=" + s.path("group"),
		"FAKECHROOT_BASE=" + s.dir,
		"FAKECHROOT_EXCLUDE_PATH=" + strings.Join([]string{s.dir, root, "/usr", "/bin", "/lib", "/lib64", "/dev", "/proc", "/sys", "/tmp", "/etc/passwd", "/etc/group"}, ":"),
		"GAM_CLIENT_ID=" + filepath.Base(s.dir),
		"PATH=/usr/bin:/bin",
		"COURIERTLS=" + filepath.Join(root, "usr/bin/couriertls"),
		"TLS_CERTFILE=" + s.path("both.pem"),
	}, courierSettings...)
	return cmd
}

// tcpd runs imaplogin on the given port, below the programs of under.
func tcpd(s *Server, root string, port int, under ...string) *exec.Cmd {
	args := []string{"-address=127.0.0.1", "-maxprocs=200", "-maxperip=200", "-nodnslookup", "-noidentlookup", fmt.Sprint(port)}
	args = append(args, under...)
	args = append(args, filepath.Join(root, "usr/lib/courier/courier/imaplogin"), filepath.Join(root, "usr/bin/imapd"), "mail")
	return courierCommand(s, root, "usr/sbin/couriertcpd", args...)
}

func courierCommands(s *Server, root string) []*exec.Cmd {
	tls := tcpd(s, root, s.ports[1], filepath.Join(root, "usr/bin/couriertls"), "-server", "-tcpd")
	tls.Env = append(tls.Env, "IMAP_TLS=1")
	return []*exec.Cmd{
		courierCommand(s, root, "usr/libexec/gam_server", "--notimeout", filepath.Base(s.dir)), // imapd's locks need it
		courierCommand(s, root, "usr/lib/courier/courier-authlib/authdaemond"),
		tcpd(s, root, s.ports[0]),
		tls,
	}
}

// courierPassword is the crypt(3) of Password.
const courierPassword = "$6$Gh2KkYyENd1UOjx1$zAB7vMoIYV3ZDZ43GY3eFHu823CSdXn6RtYvw2laWWPJCo4VwZ6eYBFwjeYRkeeUG4.R7RecdHp0Lw2fRdaf/."

func prepareCourier(s *Server, root string) error {
	err := errors.Join(
		s.mkdir("etc", "etc/courier", "run", "run/courier", "run/courier/authdaemon", "mail", "mail/cur", "mail/new", "mail/tmp"),
		s.write("passwd", fmt.Appendf(nil, "courier:x:%s:%s::%s:/bin/false\n", s.owner.Uid, s.owner.Gid, s.dir)),
		s.write("group", fmt.Appendf(nil, "courier:x:%s:\n", s.owner.Gid)),
		s.write("etc/courier/authdaemonrc", []byte("authmodulelist=\"authuserdb\"\ndaemons=2\n")),
	)
	if err != nil {
		return err
	}
	user := fmt.Sprintf("uid=%s|gid=%s|home=%s|mail=%s", s.owner.Uid, s.owner.Gid, s.dir, s.path("mail"))
	for database, entry := range map[string]string{"userdb": user, "userdbshadow": "systempw=" + courierPassword} {
		path := "/etc/courier/" + database
		make := courierCommand(s, root, "usr/lib/courier/courier-authlib/makedatprog", "-", path+".tmp", path+".dat")
		make.Stdin = strings.NewReader(s.User() + "\t" + entry + "\n.\n")
		if err := s.run(make); err != nil {
			return err
		}
	}
	return nil
}
