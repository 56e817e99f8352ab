package hook

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/subprocess"
)

// The test's binary is also the command: its first argument says what it does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if act := acts[os.Args[1]]; act != nil {
			act(os.Args[2:])
			os.Exit(0)
		}
	}
	goleak.VerifyTestMain(m)
}

var acts = map[string]func(args []string){
	// note appends what it gets to a file, in one write.
	"note": func(args []string) {
		event, err := io.ReadAll(os.Stdin)
		if err == nil {
			err = appendTo(args[0], event)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	},
	"env": func(args []string) {
		_ = appendTo(args[0], []byte(strings.Join(os.Environ(), "\n")+"\n"))
	},
	"talk": func([]string) {
		fmt.Println("ding\x1b[2J")
		fmt.Fprintln(os.Stderr, "no paper")
	},
	"fail": func([]string) { os.Exit(3) },
	// unless fails where a file is not there.
	"unless": func(args []string) {
		if _, err := os.Stat(args[0]); err != nil {
			os.Exit(3)
		}
	},
	"sleep": func([]string) { time.Sleep(time.Minute) },
	// wait holds until a file is there, then notes its event.
	"wait": func(args []string) {
		event, _ := io.ReadAll(os.Stdin)
		for range 3000 {
			if _, err := os.Stat(args[0]); err == nil {
				_ = appendTo(args[1], event)
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	},
}

func appendTo(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(b)
	return err
}

func self(t *testing.T, args ...string) subprocess.Command {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return append(subprocess.Command{path}, args...)
}

func open(t *testing.T, config Config) (*Hooks, *fixture.Log) {
	t.Helper()
	log := &fixture.Log{}
	h, err := New(config, log.Logger())
	if err != nil {
		t.Fatal(err)
	}
	return h, log
}

var box = callbacks.Mailbox{Account: "yahoo", Name: "FBL\n\x00", UIDValidity: 7}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

func TestCommandsOutput(t *testing.T) {
	h, log := open(t, Config{Exists: self(t, "talk")})
	h.Handler("yahoo").Exists(box, 3)
	h.Stop(t.Context())
	for _, want := range []string{
		`level=INFO msg="command says: ding\\x1b[2J" hook=exists`,
		`level=WARN msg="command says: no paper" hook=exists`,
	} {
		if strings.Count(log.String(), want) != 1 {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	if got, want := h.Counts(), (Counts{Done: 1}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("FBLWATCH_PASSWORD", "hunter2")
	file := filepath.Join(t.TempDir(), "env")
	h, _ := open(t, Config{Expunged: self(t, "env", file)})
	h.Handler("yahoo").Expunged(box, 1, 0)
	h.Stop(t.Context())
	got := "\n" + fixture.Read(t, file)
	for _, want := range []string{"FBLWATCH_EVENT=expunged", "FBLWATCH_ACCOUNT=yahoo", `FBLWATCH_MAILBOX=FBL\n\x00`} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("%s is missing in%s", want, got)
		}
	}
	if strings.Contains(got, "hunter2") {
		t.Errorf("a secret is passed:%s", got)
	}
}

// A failure is logged when it comes and when it changes, not each time.
func TestFailures(t *testing.T) {
	h, log := open(t, Config{Exists: self(t, "fail")})
	for range 5 {
		h.Handler("yahoo").Exists(box, 3)
	}
	h.Stop(t.Context())
	if n := strings.Count(log.String(), "exit status 3"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, log)
	}
	if got, want := h.Counts(), (Counts{Done: 5, Failed: 5}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestTimeLimit(t *testing.T) {
	h, log := open(t, Config{Exists: self(t, "sleep")})
	h.runLimit = 50 * time.Millisecond
	h.Handler("yahoo").Exists(box, 3)
	until(t, "killed", func() bool { return h.Counts().Failed == 1 })
	h.Stop(t.Context())
	if strings.Count(log.String(), "killed: it ran longer than 50ms") != 1 {
		t.Error(log)
	}
}

// Events that come faster than commands end never wait; of those that wait the
// oldest go, counted.
func TestOldestDropped(t *testing.T) {
	dir := t.TempDir()
	gate, file := filepath.Join(dir, "gate"), filepath.Join(dir, "events")
	h, log := open(t, Config{Searched: self(t, "wait", gate, file)})
	h.rest = time.Minute
	handler := h.Handler("yahoo")
	for uid := range uint32(atOnce) {
		handler.Searched(box, uid+1)
	}
	until(t, "all at work", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(h.queue) == 0
	})
	const many = 20000
	var sessions sync.WaitGroup
	for session := range 4 {
		sessions.Go(func() {
			for i := range many / 4 {
				handler.Searched(box, uint32(1000+session*many/4+i))
			}
		})
	}
	sessions.Wait()
	for range queueEvents { // the last of all
		handler.Searched(box, 999999)
	}
	// To run a thousand commands takes a test too long: some of them will do.
	h.mu.Lock()
	if len(h.queue) != queueEvents {
		t.Errorf("%d events wait", len(h.queue))
	}
	for len(h.queue) > 5 {
		h.shift()
	}
	h.mu.Unlock()
	fixture.File(t, gate, "")
	h.Stop(t.Context())
	if got, want := h.Counts(), (Counts{Done: atOnce + 5, Dropped: many}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if n := strings.Count(log.String(), fmt.Sprintf("dropped=%d", many)); n != 1 {
		t.Errorf("told %d times:\n%s", n, log)
	}
	if n := strings.Count(fixture.Read(t, file), `"uid":999999`); n != 5 {
		t.Errorf("%d of the newest 5 ran", n)
	}
}

// What waits is bounded in octets too, but one event always may.
func TestQueueOctets(t *testing.T) {
	h := &Hooks{over: make(chan struct{})}
	h.more.L = &h.mu
	line := bytes.Repeat([]byte("x"), queueBytes/4)
	for range 9 {
		h.put(waiting{line: line})
	}
	if len(h.queue) != 4 || h.size != queueBytes || h.Counts().Dropped != 5 {
		t.Errorf("%d events of %d octets wait, %d dropped", len(h.queue), h.size, h.Counts().Dropped)
	}
	h.put(waiting{line: make([]byte, queueBytes+1)})
	if len(h.queue) != 1 {
		t.Errorf("%d events wait", len(h.queue))
	}
}

// Stop waits for what runs and what waits, but not for ever, and less long once
// its context has ended.
func TestStop(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx         context.Context
		rest, drain time.Duration
		trouble     bool // for the next check: the end of the program is none
	}{
		"in peace": {t.Context(), 100 * time.Millisecond, time.Hour, true},
		"in haste": {ended, time.Hour, 100 * time.Millisecond, false},
	} {
		t.Run(name, func(t *testing.T) {
			h, log := open(t, Config{Exists: self(t, "sleep")})
			h.rest, h.drain = test.rest, test.drain
			handler := h.Handler("yahoo")
			for range atOnce + 3 {
				handler.Exists(box, 3)
			}
			until(t, "all at work", func() bool {
				h.mu.Lock()
				defer h.mu.Unlock()
				return len(h.queue) == 3
			})
			h.Stop(test.ctx)
			if got, want := h.Counts(), (Counts{Done: atOnce, Failed: atOnce, Dropped: 3}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			if strings.Count(log.String(), "killed, because fblwatch ends") != 1 || strings.Count(log.String(), "dropped=3") != 1 {
				t.Error(log)
			}
			if got := h.Trouble(); (got.Err != "") != test.trouble {
				t.Errorf("trouble: %+v", got)
			}
			handler.Exists(box, 4) // counted, harmless
			if got := h.Counts().Dropped; got != 4 {
				t.Errorf("%d dropped", got)
			}
		})
	}
}

func TestNothingConfigured(t *testing.T) {
	h, _ := open(t, Config{Record: self(t)}) // which is the sink's to run
	if got := h.Handler("yahoo"); got != (callbacks.Nop{}) {
		t.Errorf("%T", got)
	}
	h.Stop(t.Context())
}

func TestNoSuchCommand(t *testing.T) {
	none := subprocess.Command{"/no/such/ring"}
	if _, err := New(Config{Exists: self(t), Flags: none}, nil); err == nil || err.Error() != "hooks.flags: /no/such/ring: no such file or directory" {
		t.Errorf("%v", err)
	}
	if _, err := New(Config{Record: none}, nil); err == nil || err.Error() != "hooks.record: /no/such/ring: no such file or directory" {
		t.Errorf("%v", err)
	}
}

// A command that fails at each event is told of until one goes well, and since
// when; dropped events are, for some minutes.
func TestTrouble(t *testing.T) {
	told := filepath.Join(t.TempDir(), "told")
	h, _ := open(t, Config{Exists: self(t, "fail"), Flags: self(t, "unless", told)})
	defer h.Stop(t.Context())
	handler := h.Handler("yahoo")
	if got := h.Trouble(); got != (Trouble{}) {
		t.Errorf("%+v before any event", got)
	}
	start := time.Now()
	handler.Flags(box, 1, 1, nil)
	until(t, "the first", func() bool { return h.Counts().Done == 1 })
	first := h.Trouble()
	if !strings.HasPrefix(first.Err, "flags: ") || !strings.HasSuffix(first.Err, "exit status 3") || first.Since.Before(start) || first.Dropping {
		t.Errorf("%+v", first)
	}
	handler.Exists(box, 1)
	handler.Flags(box, 1, 1, nil)
	until(t, "three", func() bool { return h.Counts().Done == 3 })
	if got := h.Trouble(); got != first {
		t.Errorf("%+v, want the oldest still, %+v", got, first)
	}
	fixture.File(t, told, "")
	handler.Flags(box, 1, 1, nil)
	until(t, "four", func() bool { return h.Counts().Done == 4 })
	if got := h.Trouble(); !strings.HasPrefix(got.Err, "exists: ") || !got.Since.After(first.Since) {
		t.Errorf("%+v, want that of exists", got)
	}
}

func TestTroubleDropping(t *testing.T) {
	h := &Hooks{stopped: true}
	h.put(waiting{})
	h.put(waiting{})
	if got := h.Trouble(); !got.Dropping || got.Err != "2 events dropped: their commands are too slow" || time.Since(got.Since) > time.Minute {
		t.Errorf("%+v", got)
	}
	h.dropped.last = time.Now().Add(-dropSpan)
	if got := h.Trouble(); got != (Trouble{}) {
		t.Errorf("%+v after five minutes", got)
	}
}
