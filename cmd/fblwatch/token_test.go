package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/oauth"
	"github.com/fblwatch/fblwatch/internal/oauthtest"
)

// From the login to the records: by the token there is, by a new one where the
// server refuses it, and not at all once the login is revoked.
func TestSweepByToken(t *testing.T) {
	for _, mechanism := range []string{"OAUTHBEARER", "XOAUTH2"} {
		t.Run(mechanism, func(t *testing.T) {
			issuer := &oauthtest.Issuer{Rotate: true}
			provider := issuer.Serve()
			defer provider.Close()
			server := imaptest.New()
			defer server.Close()
			server.Caps = []string{"IMAP4rev1", "SASL-IR", "IDLE", "AUTH=" + mechanism}
			server.Token = "access-c4n4ry-2"
			for n := range 3 {
				server.Append("INBOX", sampleBody(n, "report"))
			}
			address, err := server.Listen()
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			config, file := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "login.json")
			fixture.File(t, config, fmt.Sprintf("ledger: %s/l.db\naccounts:\n  - {name: a, url: 'imap://user@%s', oauth2: {provider: '%s', client_id: c, token_file: '%s'}}\n",
				dir, address, provider.URL, file))
			var stdout, stderr bytes.Buffer
			fblwatch := func(want int, args ...string) {
				t.Helper()
				stdout.Reset()
				stderr.Reset()
				if code := run(t.Context(), append([]string{"fblwatch"}, args...), nil, &stdout, &stderr, env()); code != want {
					t.Errorf("%v: exit %d: %s", args, code, &stderr)
				}
			}
			fblwatch(exitDone, "login", "-c", config)
			// The server refuses the first token, and it is too young for another.
			fblwatch(exitFailed, "sweep", "-c", config)
			if !strings.Contains(stderr.String(), "IMAP is switched on for this mailbox") {
				t.Errorf("stderr %s", &stderr)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			earlier := func(text string) string { // the token is half an hour old
				line := `"obtained": "` + time.Now().Add(-30*time.Minute).UTC().Format(time.RFC3339) + `"`
				at := strings.Index(text, `"obtained"`)
				end := at + strings.IndexByte(text[at:], ',')
				return text[:at] + line + text[end:]
			}
			fixture.File(t, file, earlier(string(text)))
			fblwatch(exitDone, "sweep", "-c", config)
			if n := strings.Count(stdout.String(), "\n"); n != 3 {
				t.Errorf("%d records", n)
			}
			fblwatch(exitDone, "check", "-c", config)
			if n := len(issuer.Requests(oauthtest.TokenPath)); n != 2 {
				t.Errorf("%d requests for tokens; the file holds a good one", n)
			}
			issuer.Revoke()
			text, err = os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			fixture.File(t, file, strings.ReplaceAll(string(text), `"expires": "2`, `"expires": "1`)) // a thousand years ago
			fblwatch(exitFailed, "sweep", "-c", config)
			if !strings.Contains(stderr.String(), oauth.ErrRevoked.Error()) || !strings.Contains(stderr.String(), "hint: run fblwatch login -c "+config+" --account a\n") {
				t.Errorf("stderr %s", &stderr)
			}
		})
	}
}

// A watch outlives its tokens: its session is made anew before one ends, and no
// message is lost or doubled by it.
func TestWatchOutlivesTokens(t *testing.T) {
	issuer := &oauthtest.Issuer{Rotate: true, ExpiresIn: 3}
	provider := issuer.Serve()
	defer provider.Close()
	server := imaptest.New()
	defer server.Close()
	server.Caps = append(server.Caps, "AUTH=XOAUTH2")
	server.GoodToken = func(token string) bool { // the newest only
		given := issuer.Secrets()
		return slices.Contains(given[max(0, len(given)-2):], token)
	}
	address, err := server.Listen()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yaml")
	fixture.File(t, config, fmt.Sprintf("ledger: %s/l.db\naccounts:\n  - {name: a, url: 'imap://user@%s', oauth2: {provider: '%s', client_id: c, token_file: %s/login.json}}\n",
		dir, address, provider.URL, dir))
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"fblwatch", "login", "-c", config}, nil, &stdout, &stderr, env()); code != exitDone {
		t.Fatalf("login: exit %d: %s", code, &stderr)
	}
	stdout.Reset()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan int)
	go func() {
		done <- run(ctx, []string{"fblwatch", "watch", "--json", "-c", config}, nil, &stdout, &stderr, env())
	}()
	messages := 0
	for deadline := time.Now().Add(time.Minute); len(issuer.Requests(oauthtest.TokenPath)) < 4; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("three renewals did not come")
			break
		}
		server.Append("INBOX", sampleBody(messages, "report"))
		messages++
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		var records, complaint bytes.Buffer
		run(t.Context(), []string{"fblwatch", "records", "-c", config, "--format", "json"}, nil, &records, &complaint, env())
		if n := strings.Count(records.String(), "\n"); n == messages {
			break
		} else if time.Now().After(deadline) {
			t.Errorf("%d records of %d mails %s", n, messages, &complaint)
			break
		}
	}
	cancel()
	<-done
	if n := strings.Count(stdout.String(), "\n"); n != messages {
		t.Errorf("%d records printed of %d mails", n, messages)
	}
	if text := stderr.String(); strings.Contains(text, "refused") || strings.Contains(text, "c4n4ry") || server.Conns() < 4 {
		t.Errorf("%d connections, stderr:\n%s", server.Conns(), text)
	}
}
