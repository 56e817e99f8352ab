package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// TestRefusedLogin counts the lines that a refused login makes: one. Its hint
// speaks of the password only where that is in question.
func TestRefusedLogin(t *testing.T) {
	for _, test := range []struct{ answer, hint string }{
		{"NO [AUTHENTICATIONFAILED] Invalid credentials", "check user and password"},
		{"NO [ALERT] Too many simultaneous connections. (Failure)", "the server takes no login now"},
		{"NO [INUSE] another session has it", "the server takes no login now"},
	} {
		server := imaptest.New()
		defer server.Close()
		server.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Part == imaptest.Received && step.Command == "AUTHENTICATE" {
				return imaptest.Action{Do: imaptest.Answer, Text: test.answer}
			}
			return imaptest.Action{}
		}
		addr, err := server.Listen()
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		config := filepath.Join(dir, "c.yaml")
		fixture.File(t, config, "ledger: "+filepath.Join(dir, "l.db")+"\naccounts:\n  - {name: a, url: 'imap://user@"+addr+"', password: pass}\n")
		for _, command := range []string{"check", "sweep"} {
			var out bytes.Buffer
			run(t.Context(), []string{"fblwatch", command, "-c", config}, nil, &out, &out, env("HOME", dir))
			if strings.Count(out.String(), "login of") != 1 || !strings.Contains(out.String(), "hint: "+test.hint) {
				t.Errorf("%s, %s:\n%s", command, test.answer, &out)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		var out fixture.Log
		done := make(chan int)
		go func() {
			done <- run(ctx, []string{"fblwatch", "watch", "-c", config}, nil, &out, &out, env("HOME", dir))
		}()
		for start := time.Now(); !strings.Contains(out.String(), "login of") && time.Since(start) < 20*time.Second; {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
		<-done
		server.Close()
		if n := strings.Count(out.String(), "login of"); n == 0 || n != strings.Count(out.String(), "session ended") {
			t.Errorf("watch, %s: %d lines\n%s", test.answer, n, &out)
		}
	}
}

// TestBusyHint: a command that the server puts off says nothing of logins.
func TestBusyHint(t *testing.T) {
	err := &watch.ActionError{Folder: "INBOX", Err: &imapclient.ResponseError{Command: "UID STORE", Status: "NO", Code: "UNAVAILABLE", Text: "later"}}
	for _, err := range []error{err, err.Err} {
		if got, want := sessionHint(err), "the server does not do this now; it is tried again"; got != want {
			t.Errorf("%v: hint %q, want %q", err, got, want)
		}
	}
}
