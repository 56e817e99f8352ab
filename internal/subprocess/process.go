package subprocess

import (
	"os"
	"os/exec"
	"sync"
	"time"
)

// outputLimit is how long the streams of an ended process stay open if a process
// outside its group holds their other ends.
const outputLimit = 2 * time.Second

// Process is a running Command. Its starter reads Stdout and Stderr to their ends,
// waits for Done and then calls Close.
type Process struct {
	Stdin          *os.File // closing it ends the command's input
	Stdout, Stderr *os.File

	cmd  *exec.Cmd
	done chan struct{}
	err  error // once done is closed

	mu     sync.Mutex
	reaped bool // its process id may belong to another process now
}

// Start runs the command with a clean environment and the variables of env, each
// NAME=value. The error names the program and adds a hint.
func (c Command) Start(env ...string) (*Process, error) {
	var (
		files []*os.File
		err   error
	)
	pipe := func() (r, w *os.File) {
		if err == nil {
			r, w, err = os.Pipe()
			files = append(files, r, w)
		}
		return r, w
	}
	stdin, toStdin := pipe()
	fromStdout, stdout := pipe()
	fromStderr, stderr := pipe()
	p := &Process{Stdin: toStdin, Stdout: fromStdout, Stderr: fromStderr, done: make(chan struct{})}
	if err == nil {
		p.cmd = exec.Command(c[0], c[1:]...)
		p.cmd.Env = append(environment(), env...)
		p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, stdout, stderr
		ownGroup(p.cmd)
		err = p.cmd.Start()
	}
	if err != nil {
		for _, f := range files {
			f.Close()
		}
		return nil, c.explain(err)
	}
	for _, theirs := range []*os.File{stdin, stdout, stderr} {
		theirs.Close()
	}
	go p.wait()
	return p, nil
}

// wait waits for the command, and then kills what it left running in its group.
func (p *Process) wait() {
	defer close(p.done)
	p.err = p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	killGroup(p.cmd.Process) // a group keeps its id as long as it has a member
	p.reaped = true
	// On a system without deadlines the streams end with the last process that holds
	// them.
	for _, f := range []*os.File{p.Stdin, p.Stdout, p.Stderr} {
		_ = f.SetDeadline(time.Now().Add(outputLimit))
	}
}

// Done is closed when the command has ended. Its streams may still hold output.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err waits for Done and returns how the command ended: nil after exit status 0,
// otherwise an *exec.ExitError or an error of the wait.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Kill ends the command and its process group at once. After Done it does nothing.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		killGroup(p.cmd.Process)
	}
}

// Close closes the streams.
func (p *Process) Close() {
	p.Stdin.Close()
	p.Stdout.Close()
	p.Stderr.Close()
}
