package realserver

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestFamilies is what every real server must do for the tests that use it.
func TestFamilies(t *testing.T) {
	for _, family := range Families {
		t.Run(family.Name, func(t *testing.T) {
			t.Parallel()
			var dir string
			var groups []int
			t.Run("runs", func(t *testing.T) {
				s := family.Start(t)
				dir = s.dir
				for _, p := range s.programs {
					groups = append(groups, p.cmd.Process.Pid)
				}
				testFamily(t, s)
			})
			for _, group := range groups {
				if running(group) {
					t.Error("processes are left after the end")
				}
			}
			if _, err := os.Stat(dir); !os.IsNotExist(err) {
				t.Errorf("files after the end: %v", err)
			}
		})
	}
}

// text is a message of n octets and CRLF, without which Courier adds one.
func text(n int) []byte { return append(body(n), "\r\n"...) }

func testFamily(t *testing.T, s *Server) {
	sub := s.Folder("FBL/2026")
	s.Append("INBOX", text(100), text(200))
	s.Append(sub, text(300))
	holds := func(c client, folder string, sizes ...string) {
		t.Helper()
		c.ok("EXAMINE " + folder)
		got := c.ok("UID FETCH 1:* (RFC822.SIZE)")
		for i, size := range sizes {
			if len(got) != len(sizes)+1 || !strings.Contains(got[i], size) {
				t.Fatalf("%s holds %q, want sizes %q", folder, got, sizes)
			}
		}
	}
	conns := map[string]client{"plain": dial(t, s.PlainAddr()), "STARTTLS": dial(t, s.PlainAddr()), "TLS": dial(t, s.TLSAddr())}
	for name, c := range conns {
		if name == "STARTTLS" {
			c.Line()
			c.ok("STARTTLS")
		}
		if name != "plain" {
			c = newClient(t, tls.Client(c.Conn, &tls.Config{RootCAs: s.CA(), ServerName: "127.0.0.1"}))
		}
		c.ok("LOGIN " + s.User() + " " + s.Password())
		if list := strings.Join(c.ok(`LIST "" *`), "\n"); !strings.Contains(list, sub) {
			t.Errorf("no %s in %q", sub, list)
		}
		holds(c, "INBOX", "102", "202")
		holds(c, sub, "302")
	}
	if got, err := dial(t, s.PlainAddr()).Ask("LOGIN fbl wrong"); err != nil || !strings.HasPrefix(got[len(got)-1], "NO ") {
		t.Errorf("a wrong password: %q, %v", got, err)
	}

	c := dial(t, s.PlainAddr())
	c.ok("LOGIN fbl secret")
	var groups []int
	for _, p := range s.programs {
		groups = append(groups, p.cmd.Process.Pid)
	}
	s.Restart()
	for _, group := range groups {
		if running(group) {
			t.Error("processes of the first run are left")
		}
	}
	if _, err := c.Ask("NOOP"); err == nil {
		if _, err = c.Ask("NOOP"); err == nil {
			t.Error("the session survived")
		}
	}
	s.Append("INBOX", text(400))
	c = dial(t, s.PlainAddr())
	c.ok("LOGIN fbl secret")
	holds(c, "INBOX", "102", "202", "402")
	holds(c, sub, "302")
}

// TestKilled: if a test process is killed, its servers and files disappear. The
// process is this test, run again as a child.
func TestKilled(t *testing.T) {
	const told = "server:"
	if os.Getenv("IMAPTEST_KILLED") != "" {
		for _, family := range Families {
			s := family.Start(t)
			for _, p := range s.programs {
				fmt.Println(told, p.cmd.Process.Pid, s.dir)
			}
		}
		fmt.Println(told, "all")
		time.Sleep(time.Minute)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), "IMAPTEST_KILLED=1")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var groups []int
	dirs := map[string]bool{}
	all := false
	for lines := bufio.NewScanner(out); !all && lines.Scan(); {
		var group int
		var dir string
		if n, _ := fmt.Sscanf(lines.Text(), told+" %d %s", &group, &dir); n == 2 {
			groups = append(groups, group)
			dirs[dir] = true
		}
		all = lines.Text() == told+" all"
	}
	cmd.Process.Kill()
	cmd.Wait()
	if !all {
		missing := t.Skip
		if os.Getenv("CI") == "true" {
			missing = t.Fatal
		}
		missing("skipped: not all servers are installed")
	}
	for _, group := range groups {
		for deadline := time.Now().Add(3 * stopMost); running(group); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("group %d is left of %d", group, len(groups))
			}
		}
	}
	for dir := range dirs {
		for deadline := time.Now().Add(stopMost); ; time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(dir); os.IsNotExist(err) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s is left", dir)
			}
		}
	}
}
