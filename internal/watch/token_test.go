package watch

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// mint gives out access tokens of a server, each good for an hour.
type mint struct {
	s      *imaptest.Server
	given  []time.Time
	trials []int
	hook   func(func(imaptest.Step) imaptest.Action)
}

func (m *mint) login(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
	if ch.Trial > 2 {
		return imapclient.Credentials{}, ch.Last
	}
	m.given, m.trials = append(m.given, time.Now()), append(m.trials, ch.Trial)
	m.s.Token = fmt.Sprintf("token-%d", len(m.given))
	return imapclient.Credentials{Username: "user", Token: imapclient.Secret(m.s.Token), Expires: time.Now().Add(time.Hour)}, nil
}

// tokens watches folders of a server that takes tokens only, while do runs.
func tokens(t *testing.T, folders []string, do func(s *imaptest.Server, m *mint, l ledger.Ledger)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := filled(2, 300)
		defer s.Close()
		s.AddMailbox("other")
		s.Caps = append(s.Caps, "AUTH=XOAUTH2")
		m, l := &mint{s: s, hook: later(s)}, memory.New()
		a := account(s, l)
		a.Folders, a.IMAP.Login, a.Connections = folders, m.login, 1
		stop := whileWatching(t, a)
		time.Sleep(time.Second)
		do(s, m, l)
		stop()
	})
}

// TestTokenRenewed: a session is made anew at 80 % of its token's life, between
// two batches, and never in the middle of anything.
func TestTokenRenewed(t *testing.T) {
	for _, folders := range [][]string{{"INBOX"}, {"INBOX", "other"}} {
		tokens(t, folders, func(s *imaptest.Server, m *mint, l ledger.Ledger) {
			start := time.Now()
			for i := 2; time.Since(start) < 4*time.Hour; i++ {
				s.Append("INBOX", messageOf(i, 300))
				time.Sleep(7 * time.Minute)
				same(t, records(t, l), expected(i+1))
			}
			if n := len(m.given); n < 5 || n > 6 {
				t.Fatalf("%d tokens in four hours", n)
			}
			for i := range len(m.given) - 1 {
				if life := m.given[i+1].Sub(m.given[i]); life < 48*time.Minute || life > 53*time.Minute {
					t.Errorf("%v: a session lived %v", folders, life)
				}
			}
			for _, line := range s.Transcript() {
				if strings.Contains(line, "EXPIRED") || strings.Contains(line, " NO ") {
					t.Errorf("%s", line)
				}
			}
		})
	}
}

// TestTokenExpires: where a token ends before its time, the next one is asked for
// at once.
func TestTokenExpires(t *testing.T) {
	tokens(t, []string{"INBOX"}, func(s *imaptest.Server, m *mint, l ledger.Ledger) {
		time.Sleep(10 * time.Minute)
		m.hook(func(step imaptest.Step) imaptest.Action {
			if step.Conn == 1 && step.Part == imaptest.Received && step.Command != "IDLE" {
				return imaptest.Bye("Session invalidated - AccessTokenExpired")
			}
			return imaptest.Action{}
		})
		s.Append("INBOX", messageOf(2, 300))
		time.Sleep(2 * time.Second)
		same(t, records(t, l), expected(3))
		if len(m.given) != 2 {
			t.Errorf("%d tokens", len(m.given))
		}
	})
}

// TestThrottled: a server that says for how long it wants to be left alone is
// left alone for so long, and not much longer.
func TestThrottled(t *testing.T) {
	folders := map[string][]string{"BYE": {"INBOX"}, "BAD": {"INBOX"}, "BAD to a group": {"INBOX", "INBOX2"}}
	for name, says := range map[string]func(imaptest.Step) imaptest.Action{
		"BAD to a group": func(step imaptest.Step) imaptest.Action {
			return imaptest.Action{Do: imaptest.Answer, Text: "BAD Request is throttled. Suggested Backoff Time: 299910 milliseconds"}
		},
		"BYE": func(step imaptest.Step) imaptest.Action {
			return imaptest.Bye("Session invalidated - Throttled. Suggested Backoff Time: 299910 milliseconds")
		},
		"BAD": func(step imaptest.Step) imaptest.Action {
			return imaptest.Action{Do: imaptest.Answer, Text: "BAD Request is throttled. Suggested Backoff Time: 299910 milliseconds"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := filled(2, 300)
				defer s.Close()
				s.AddMailbox("INBOX2")
				var asked []time.Time
				s.Hook = func(step imaptest.Step) imaptest.Action {
					if step.Part == imaptest.Received && step.Command == "EXAMINE" && !strings.Contains(step.Text, "INBOX2") {
						if asked = append(asked, time.Now()); len(asked) <= 2 {
							return says(step)
						}
					}
					return imaptest.Action{}
				}
				l := memory.New()
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error)
				a := account(s, l)
				a.Folders, a.Connections = folders[name], 1
				go func() { done <- a.Run(ctx, false) }()
				time.Sleep(time.Minute)
				states, err := l.States(t.Context())
				if err != nil || len(states) != 1 || states[0].State != ledger.StateThrottled {
					t.Errorf("state %v, %v", states, err)
				}
				time.Sleep(11 * time.Minute)
				same(t, records(t, l), expected(2))
				if len(asked) != 3 {
					t.Fatalf("asked %d times", len(asked))
				}
				for i := range 2 {
					if pause := asked[i+1].Sub(asked[i]); pause < 299910*time.Millisecond || pause > 335*time.Second {
						t.Errorf("left alone for %v", pause)
					}
				}
				cancel()
				<-done
			})
		})
	}
}
