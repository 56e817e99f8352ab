package sink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
)

// startExec opens the sink with a command of behave, and shorter limits.
func startExec(t *testing.T, how string, args ...string) (*exec, *fixture.Log) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	log := &fixture.Log{}
	opened, err := Open(Config{Name: "own", Type: TypeExec, Exec: ExecConfig{Command: append([]string{path, "command", how}, args...)}}, Options{Log: log.Logger()})
	if err != nil {
		t.Fatal(err)
	}
	s := opened.(*exec)
	t.Cleanup(func() { s.Close() })
	return s, log
}

// One answer for each record, however many wait for theirs.
func TestExecAnswersInBatches(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	s, _ := startExec(t, "many at once", path)
	for seq := int64(1); seq < 2000; seq += 500 {
		write(t, s, rows(1, seq, 500))
	}
	if got, want := fixture.Read(t, path), text(rows(1, 1, 2000)...); got != want {
		t.Errorf("it got %d octets, want %d", len(got), len(want))
	}
}

// Each kind of misbehaviour has its own error, and the next process of the command
// goes on after what was answered.
func TestExecMisbehaves(t *testing.T) {
	tests := []struct {
		how, want string
		handled   int // of the first process, answered
	}{
		{"three", "ended, or closed its stdout, while a record waited for its answer: exit status 4", 3},
		{"one by one", "ended, or closed its stdout, while a record waited for its answer: exit status 0", 1},
		{"garbage", `answered something else than the record's id: "ok\x1b[2J"; it must write each record's id`, 3},
		{"out of order", `answered something else than the record's id: "1-5"`, 3},
		{"twice", `answered something else than the record's id: "1-1"`, 1},
		{"flood", `answered something else than the record's id: "xxxx`, 0},
		{"stalls", "no answer within 300ms; it must write each record's id", 3},
		{"unread", "no answer within 300ms", 0},
		{"closes stdin", "no answer within 300ms", 0},
		{"closes stdout", "ended, or closed its stdout, while a record waited for its answer: signal: killed", 3},
	}
	for _, test := range tests {
		t.Run(test.how, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path, told := filepath.Join(dir, "out"), filepath.Join(dir, "told")
			tell := func(how string) {
				fixture.File(t, told, how)
			}
			tell(test.how)
			s, _ := startExec(t, "as told", path, told)
			s.grace = 100 * time.Millisecond
			if strings.Contains(test.want, "300ms") {
				s.answer = 300 * time.Millisecond
			}
			all := rows(1, 1, 10)
			for i := range all { // more than a pipe holds
				all[i].JSON = fmt.Appendf(nil, `{"id":%q,"pad":%q}`, all[i].ID, strings.Repeat("x", 20<<10))
			}
			answered, err := s.Write(t.Context(), delivery.Items(all))
			if err == nil || !strings.Contains(err.Error(), test.want) || IsPermanent(err) {
				t.Errorf("%v, want %s", err, test.want)
			}
			if answered > test.handled || answered < test.handled && test.want[:2] != "no" {
				t.Errorf("%d answers, want %d", answered, test.handled)
			}
			os.Remove(path)
			tell("good")
			write(t, s, all[answered:])
			if got, want := fixture.Read(t, path), string(ndjson(nil, delivery.Items(all[answered:]))); got != want {
				t.Errorf("the next process got %d octets, want %d", len(got), len(want))
			}
		})
	}
}

func TestExecEndsBetweenRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	s, log := startExec(t, "three", path)
	write(t, s, rows(1, 1, 3))
	<-s.life.p.Done()
	write(t, s, rows(1, 4, 3))
	if got, want := fixture.Read(t, path), text(rows(1, 1, 6)...); got != want {
		t.Errorf("it got %q, want %q", got, want)
	}
	if !strings.Contains(log.String(), `ended while no record waited; it is started again" sink=own err="exit status 4"`) {
		t.Error(log)
	}
}

func TestExecSays(t *testing.T) {
	s, log := startExec(t, "says", filepath.Join(t.TempDir(), "out"))
	write(t, s, rows(1, 1, 2))
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), `level=INFO msg="command says: no paper" sink=own`) {
		t.Error(log)
	}
}

// Write ends with its context, and what was under way then is not taken for
// an answer to what comes next.
func TestExecContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, told := filepath.Join(dir, "out"), filepath.Join(dir, "told")
	fixture.File(t, told, "stalls")
	s, _ := startExec(t, "as told", path, told)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	answered, err := s.Write(ctx, delivery.Items(rows(1, 1, 5)))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%v", err)
	}
	os.Remove(path)
	fixture.File(t, told, "good")
	write(t, s, rows(1, 1, 5)[answered:])
	if got, want := fixture.Read(t, path), text(rows(1, 1, 5)[answered:]...); got != want {
		t.Errorf("it got %q, want %q", got, want)
	}
}

// Close lets a command end by itself; one that does not is killed.
func TestExecClose(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	s, log := startExec(t, "good", path)
	write(t, s, rows(1, 1, 1))
	if err := s.Close(); err != nil || log.String() != "" {
		t.Errorf("%v, log %s", err, log)
	}
	s, log = startExec(t, "deaf", path)
	s.grace = 50 * time.Millisecond
	write(t, s, rows(1, 1, 1))
	if err := s.Close(); err != nil || !strings.Contains(log.String(), "signal: killed") {
		t.Errorf("%v, log %s", err, log)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s, log = startExec(t, "garrulous", path+"2")
	s.grace = time.Minute
	write(t, s, rows(1, 1, 1))
	if err := s.Close(); err != nil || log.String() != "" || fixture.Read(t, path+"2") != "bye\n" {
		t.Errorf("%v, log %s", err, log)
	}
}

// The limit is for one record, not for all that wait.
func TestExecSlow(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	s, _ := startExec(t, "slow", path)
	s.answer = 2 * time.Second
	write(t, s, rows(1, 1, 5))
	if got, want := fixture.Read(t, path), text(rows(1, 1, 5)...); got != want {
		t.Errorf("it got %q, want %q", got, want)
	}
}

func TestExecMissing(t *testing.T) {
	if _, err := openExec(ExecConfig{Command: []string{"/no/such/handler"}}, nil); err == nil || err.Error() != "sink: /no/such/handler: no such file or directory" {
		t.Errorf("%v", err)
	}
	// It goes away later, and comes back.
	dir := t.TempDir()
	out, script := filepath.Join(dir, "out"), filepath.Join(dir, "handler")
	install := func() {
		path, err := os.Executable()
		if err == nil {
			err = os.Symlink(path, script)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	install()
	s, err := openExec(ExecConfig{Command: []string{script, "command", "good", out}}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	os.Remove(script)
	if err := hand(t.Context(), s, rows(1, 1, 2)); !errors.Is(err, fs.ErrNotExist) || IsPermanent(err) {
		t.Errorf("%v", err)
	}
	install()
	write(t, s, rows(1, 1, 2))
	if got, want := fixture.Read(t, out), text(rows(1, 1, 2)...); got != want {
		t.Errorf("it got %q, want %q", got, want)
	}
}

// What a config names of our environment reaches the command, and nothing shows it.
func TestExecVariables(t *testing.T) {
	t.Setenv("TOKEN", "s3cr3t-t0ken")
	open := func(how string, env ...string) (Sink, *fixture.Log, error) {
		log := &fixture.Log{}
		s, err := Open(Config{Name: "own", Type: TypeExec, Exec: ExecConfig{Command: []string{os.Args[0], "command", how, filepath.Join(t.TempDir(), "out")}, Env: env}}, Options{Log: log.Logger()})
		if err == nil {
			t.Cleanup(func() { s.Close() })
		}
		return s, log, err
	}
	s, log, err := open("blabs", "TOKEN")
	if err != nil {
		t.Fatal(err)
	}
	var refused delivery.Refusals
	all := delivery.Items(rows(1, 1, 2))
	if done, err := s.Write(t.Context(), all); done != 1 || !errors.As(err, &refused) || refused[0].Reason != "by <TOKEN>" {
		t.Errorf("%d, %v", done, err)
	}
	_, err = s.Write(t.Context(), all)
	_ = s.Close()
	if text := fmt.Sprint(err, log); strings.Contains(text, "s3cr3t") || !strings.Contains(text, "token is <TOKEN>") {
		t.Error(text)
	}
	if _, _, err := open("good", "TOKEN", "NO_SUCH_VARIABLE"); err == nil || err.Error() != "sink: env: NO_SUCH_VARIABLE is not set in the environment of fblwatch" {
		t.Errorf("%v", err)
	}
}

// A command without env does not see our environment.
func TestExecHidesEnvironment(t *testing.T) {
	t.Setenv("TOKEN", "s3cr3t-t0ken")
	path := filepath.Join(t.TempDir(), "out")
	for want, env := range map[string][]string{"[] \"\"\n": nil, "[] \"s3cr3t-t0ken\"\n": {"TOKEN"}} {
		os.Remove(path)
		s, err := Open(Config{Name: "own", Type: TypeExec, Exec: ExecConfig{Each: true, Command: []string{os.Args[0], "command", "arguments", path}, Env: env}}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		write(t, s, rows(1, 1, 1))
		if got := fixture.Read(t, path); got != want {
			t.Errorf("env %v: %q, want %q", env, got, want)
		}
		s.Close()
	}
}

// The probe starts a command without a record.
func TestExecProbe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	for _, test := range []struct {
		exec ExecConfig
		want string // of the error
	}{
		{ExecConfig{Command: []string{"good", path}}, ""},
		{ExecConfig{Command: []string{"unread", path}}, ""}, // it is killed
		{ExecConfig{Command: []string{"exits", "3", "no module named x"}}, "ends at once, without a record: exit status 3: no module named x"},
		{ExecConfig{Command: []string{"exits", "3"}, Each: true}, ""}, // it is not run
		{ExecConfig{Command: []string{"good", path}, Env: []string{"NO_SUCH_VARIABLE"}}, "env: NO_SUCH_VARIABLE is not set"},
	} {
		test.exec.Command = append([]string{os.Args[0], "command"}, test.exec.Command...)
		_, err := Probe(t.Context(), Config{Name: "own", Type: TypeExec, Exec: test.exec})
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %s", test.exec.Command[2:], err, test.want)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a record was handled")
	}
}

// A program behind an error says more than its status.
func TestExecLastLine(t *testing.T) {
	s, _ := startExec(t, "exits", "4", "Traceback", "ConnectionError: refused")
	if err := hand(t.Context(), s, rows(1, 1, 1)); err == nil || !strings.HasSuffix(err.Error(), "exit status 4: ConnectionError: refused") {
		t.Errorf("%v", err)
	}
}
