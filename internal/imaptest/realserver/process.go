package realserver

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a running program, the leader of a process group.
type process struct {
	cmd  *exec.Cmd
	over chan struct{} // closed at its end
}

// run runs a program of the server to its end.
func (s *Server) run(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.drop}
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("realserver: %s: %w\n%s", filepath.Base(cmd.Path), err, out)
	}
	return err
}

// keeper ends the process groups that it reads if the test process dies, and
// removes the files. Nobody else would.
const keeper = `
while read -r word; do
	case $word in
	stopped) exit ;;
	*) groups="$groups -$word" ;;
	esac
done
kill -s TERM -- $groups
sleep 2
kill -s KILL -- $groups
rm -rf "$1"
`

// start runs the programs and waits until the server answers.
func (s *Server) start() error {
	log, err := os.OpenFile(s.path("log"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	defer log.Close()
	before := len(s.Log())
	s.keeper = exec.Command("sh", "-c", keeper, "sh", s.dir)
	s.keeper.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.drop}
	if s.watchword, err = s.keeper.StdinPipe(); err == nil {
		err = s.keeper.Start()
	}
	if err != nil {
		s.keeper = nil
		return err
	}
	for _, cmd := range s.commands(s) {
		cmd.Dir = s.dir
		// A process group of its own holds nothing but the server.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.drop}
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Start(); err != nil {
			s.stop()
			return err
		}
		fmt.Fprintln(s.watchword, cmd.Process.Pid)
		p := &process{cmd, make(chan struct{})}
		s.programs = append(s.programs, p)
		go func() {
			p.cmd.Wait()
			close(p.over)
		}()
	}
	for deadline := time.Now().Add(startMost); ; time.Sleep(10 * time.Millisecond) {
		err := s.greets()
		if s.Offers("STARTTLS") {
			err = s.answers(s.PlainAddr(), false)
		}
		if s.Offers("TLS") {
			err = errors.Join(err, s.answers(s.TLSAddr(), true))
		}
		if err == nil {
			return nil
		}
		if s.ended() || time.Now().After(deadline) {
			s.stop()
			return fmt.Errorf("realserver: %s does not answer: %w\n%s", s.family, err, s.Log()[before:])
		}
	}
}

// ended reports whether one of the programs has ended.
func (s *Server) ended() bool {
	for _, p := range s.programs {
		select {
		case <-p.over:
			return true
		default:
		}
	}
	return false
}

// greets is nil if a server is on the plain port. Without TLS it may be another
// server.
func (s *Server) greets() error {
	conn, err := net.DialTimeout("tcp", s.PlainAddr(), time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.HasPrefix(line, "* OK") {
		return fmt.Errorf("%s says %q: %w", s.PlainAddr(), line, cmp.Or(err, errors.ErrUnsupported))
	}
	return nil
}

// answers is nil if this server is on addr. The certificate proves it: the server
// of another test may have taken the port.
func (s *Server) answers(addr string, implicit bool) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(2 * time.Second))
	if !implicit {
		r := bufio.NewReader(conn)
		_, err := r.ReadString('\n')
		if err == nil {
			_, err = io.WriteString(conn, "a STARTTLS\r\n")
		}
		for line := ""; err == nil && !strings.HasPrefix(line, "a OK"); {
			line, err = r.ReadString('\n')
		}
		if err != nil {
			return fmt.Errorf("another server is on %s: %w", addr, err)
		}
	}
	err = tls.Client(conn, &tls.Config{RootCAs: s.CA(), ServerName: "localhost"}).Handshake()
	if err != nil {
		err = fmt.Errorf("another server is on %s: %w", addr, err)
	}
	return err
}

// stop ends the server and waits until the last of its processes is gone.
func (s *Server) stop() {
	s.mu.Lock()
	if s.appender != nil {
		s.appender.Close()
		s.appender = nil
	}
	s.mu.Unlock()
	if s.keeper == nil {
		return
	}
	var last, now time.Duration // of the last signal
	for start := time.Now(); (now == 0 || s.left()) && now < 2*stopMost; now = time.Since(start) {
		switch {
		case last > stopMost:
		case now > stopMost:
			s.tb.Logf("the processes of %s had to be killed", s.family)
			s.signal(syscall.SIGKILL)
			last = now
		case now == 0 || now > last+signalEvery:
			s.signal(syscall.SIGTERM)
			last = now
		}
		time.Sleep(5 * time.Millisecond)
	}
	for _, p := range s.programs {
		<-p.over
	}
	io.WriteString(s.watchword, "stopped\n")
	s.watchword.Close()
	s.keeper.Wait()
	s.programs, s.keeper = nil, nil
}

func (s *Server) signal(signal syscall.Signal) {
	for _, p := range s.programs {
		syscall.Kill(-p.cmd.Process.Pid, signal)
	}
}

func (s *Server) left() bool {
	return slices.ContainsFunc(s.programs, func(p *process) bool { return running(p.cmd.Process.Pid) })
}

// running reports whether a process of a group runs. A zombie does not count.
func running(group int) bool {
	if syscall.Kill(-group, 0) != nil {
		return false
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // where there is none, some time must do
	return len(stats) == 0 || slices.ContainsFunc(stats, func(path string) bool {
		b, _ := os.ReadFile(path)
		words := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])) // state, parent, group
		return len(words) > 2 && words[0] != "Z" && words[2] == strconv.Itoa(group)
	})
}
