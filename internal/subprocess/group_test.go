//go:build unix

package subprocess

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() {
	// parent starts a child of its own, prints its id and goes on, or not.
	parent := func(detached bool, then func()) func() {
		return func() {
			cmd := exec.Command(os.Args[0], "sleep")
			cmd.Stdout = os.Stdout
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: detached}
			if err := cmd.Start(); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			fmt.Println(cmd.Process.Pid)
			then()
		}
	}
	acts["parent"] = parent(false, func() { time.Sleep(time.Minute) })
	acts["parent leaves"] = parent(false, func() {})
	acts["parent of a daemon"] = parent(true, func() {})
}

// grandchild returns the id that the command prints.
func grandchild(t *testing.T, p *Process) int {
	t.Helper()
	line, err := bufio.NewReader(p.Stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// runs reports whether there is such a process, other than a zombie.
func runs(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, after, _ := strings.Cut(string(stat), ") ")
	return err != nil || !strings.HasPrefix(after, "Z")
}

func ended(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); runs(pid); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d still runs", pid)
		}
	}
}

func TestKillReachesTheGroup(t *testing.T) {
	p := start(t, self(t, "parent"))
	pid := grandchild(t, p)
	p.Kill()
	if err := p.Err(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("%v", err)
	}
	ended(t, pid)
	p.Kill() // harmless
}

// Processes that a command leaves running end with it, and do not hold its streams.
func TestNothingIsLeftBehind(t *testing.T) {
	p := start(t, self(t, "parent leaves"))
	pid := grandchild(t, p)
	if err := p.Err(); err != nil {
		t.Error(err)
	}
	ended(t, pid)
	if rest := all(t, p.Stdout); rest != "" {
		t.Errorf("stdout goes on: %q", rest)
	}
}

// A daemon in a session of its own goes on, and does not hold us up.
func TestDaemon(t *testing.T) {
	p := start(t, self(t, "parent of a daemon"))
	pid := grandchild(t, p)
	defer syscall.Kill(pid, syscall.SIGKILL)
	if err := p.Err(); err != nil {
		t.Error(err)
	}
	for range Lines(p.Stdout, LineOctets) {
	}
	if !runs(pid) {
		t.Error("stdout went on for as long as the daemon")
	}
}
