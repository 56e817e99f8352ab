//go:build !unix

package subprocess

import (
	"os"
	"os/exec"
)

// ownGroup does nothing: these systems have no process groups.
func ownGroup(*exec.Cmd) {}

// killGroup ends the command alone.
func killGroup(p *os.Process) { _ = p.Kill() }
