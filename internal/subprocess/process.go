package subprocess

import (
	"os"
	"os/exec"
	"sync"
	"time"
)

// outputLimit is how long the streams of a process that has ended stay open,
// where something outside its group holds their other ends.
const outputLimit = 2 * time.Second

// Process is a running Command. Whoever started it reads Stdout and Stderr to
// their ends, waits for Done and then calls Close.
type Process struct {
	Stdin          *os.File // closing it is the end of the command's input
	Stdout, Stderr *os.File

	cmd  *exec.Cmd
	done chan struct{}
	err  error // once done is closed

	mu     sync.Mutex
	reaped bool // its process id may be another's by now
}

// Start runs the command with a clean environment and the variables of env,
// NAME=value.
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

// wait ends with the command, and ends what the command left running in its
// group: nothing of it outlives it unseen.
func (p *Process) wait() {
	defer close(p.done)
	p.err = p.cmd.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	killGroup(p.cmd.Process) // a group keeps its id for as long as it has a member
	p.reaped = true
	// Where there are no deadlines the streams end when all that hold them do.
	for _, f := range []*os.File{p.Stdin, p.Stdout, p.Stderr} {
		_ = f.SetDeadline(time.Now().Add(outputLimit))
	}
}

// Done is closed when the command has ended; its streams may still hold what it
// said.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is how the command ended: nil after exit status 0. It waits for Done.
func (p *Process) Err() error {
	<-p.done
	return p.err
}

// Kill ends the command and its process group at once.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.reaped {
		killGroup(p.cmd.Process)
	}
}

// Close frees the streams.
func (p *Process) Close() {
	p.Stdin.Close()
	p.Stdout.Close()
	p.Stderr.Close()
}
