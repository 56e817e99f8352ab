package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// tourServer offers everything.
func tourServer(tb testing.TB) *imaptest.Server {
	s := acting(tb, 6, "MOVE", "UIDPLUS", "NOTIFY", "ENABLE", "QRESYNC", "COMPRESS=DEFLATE", "NAMESPACE", "QUOTA")
	s.AddMailbox("FBL", `\Subscribed`)
	s.Hook = tourAnswers
	return s
}

// tourAnswers is what the scripted server does not know.
func tourAnswers(st imaptest.Step) imaptest.Action {
	if st.Part != imaptest.Received {
		return imaptest.Action{}
	}
	switch st.Command {
	case "NAMESPACE":
		return imaptest.Action{Do: imaptest.Answer, Before: "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n", Text: "OK done"}
	case "GETQUOTAROOT":
		return imaptest.Action{Do: imaptest.Answer, Before: "* QUOTAROOT INBOX \"\"\r\n* QUOTA \"\" (STORAGE 1 2)\r\n", Text: "OK done"}
	}
	return imaptest.Action{}
}

// tour is a session with every command of an extension; it returns what came of
// them, also where it ends in an error.
func tour(ctx context.Context, opts imapclient.Options) (got []string, err error) {
	c, err := imapclient.Dial(ctx, opts)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	uids := []uint32{1, 2}
	for _, do := range []func() (any, error){
		func() (any, error) { return c.LSub(ctx, "*") },
		func() (any, error) { prefix, delim, err := c.Namespace(ctx); return fmt.Sprint(prefix, delim), err },
		func() (any, error) { return c.Quota(ctx, "INBOX") },
		func() (any, error) { return nil, c.Create(ctx, "New") },
		func() (any, error) { return nil, c.Notify(ctx, "INBOX", "FBL", "Done") },
		func() (any, error) {
			return c.SelectSince(ctx, "INBOX", imapclient.Since{UIDValidity: 1, ModSeq: 3, UID: 6})
		},
		func() (any, error) { return nil, c.Store(ctx, uids, `\Deleted`) },
		func() (any, error) { return nil, c.Copy(ctx, uids, "New") },
		func() (any, error) { return nil, c.Move(ctx, []uint32{3}, "Done") },
		func() (any, error) { return c.Idle(ctx, time.Minute) }, // Done has changed
		func() (any, error) { return c.Changed(), nil },
		func() (any, error) { return nil, c.Expunge(ctx, uids) },
		func() (any, error) { return c.Idle(ctx, time.Minute) },
		func() (any, error) { return c.Examine(ctx, "Done") },
		func() (any, error) { return nil, c.Notify(ctx) },
		func() (any, error) { return nil, c.Logout(ctx) },
	} {
		result, err := do()
		if err != nil {
			return got, err
		}
		got = append(got, fmt.Sprintf("%+v", result))
	}
	return got, nil
}

func cleanTour(t *testing.T) ([]string, []imaptest.Step) {
	t.Helper()
	s := tourServer(t)
	defer s.Close()
	opts := options(s, nil)
	opts.Compress = imapclient.CompressOn
	got, err := tour(t.Context(), opts)
	if err != nil {
		t.Fatalf("%v, after %q", err, got)
	}
	return got, s.Steps()
}

// Wherever the server stops or hangs up, the tour ends in time, having given
// nothing but what is true.
func TestTourEndsEverywhere(t *testing.T) {
	var whole []string
	var steps []imaptest.Step
	synctest.Test(t, func(t *testing.T) { whole, steps = cleanTour(t) })
	if len(whole) != 16 || whole[10] != "[Done]" || len(steps) < 60 {
		t.Fatalf("%d steps, %q", len(steps), whole)
	}
	reason := errors.New("the operator said so")
	for _, step := range steps {
		for _, how := range []string{"silent", "cut", "cancelled"} {
			synctest.Test(t, func(t *testing.T) {
				s := tourServer(t)
				ctx, cancel := context.WithCancelCause(t.Context())
				var when time.Time
				s.Hook = func(at imaptest.Step) imaptest.Action {
					if at.N != step.N {
						return tourAnswers(at)
					}
					when = time.Now()
					switch how {
					case "cut":
						return imaptest.Action{Do: imaptest.Cut, After: at.Size / 2}
					case "cancelled":
						time.AfterFunc(time.Second/2, func() { cancel(reason) })
					}
					return imaptest.Action{Do: imaptest.Silent, After: at.Size / 2}
				}
				opts := options(s, nil)
				opts.Compress = imapclient.CompressOn
				got, err := tour(ctx, opts)
				ended := time.Now()
				s.Close()
				took := ended.Sub(when)
				checkSweep(t, fmt.Sprintf("%s at %v", how, step), got, whole)
				most := limit(step)
				if step.Part == imaptest.Idling { // noticed at the slice's end
					most += time.Minute
				}
				if how == "cut" || how == "cancelled" {
					most = time.Second
					if step.Part == imaptest.Idling && how == "cut" {
						most = time.Minute
					}
				}
				if took > most {
					t.Errorf("%s at %v: %v after %v, want %v at most", how, step, err, took, most)
				}
				atLogout := step.Command == "LOGOUT" || len(got) == len(whole)-1
				var timeout *imapclient.TimeoutError
				switch {
				case atLogout:
				case err == nil:
					t.Errorf("%s at %v: no error", how, step)
				case how == "silent" && !errors.As(err, &timeout), how == "cancelled" && !errors.Is(err, reason):
					t.Errorf("%s at %v: %v", how, step, err)
				case strings.Count(err.Error(), "imapclient: ") > 1:
					t.Errorf("not one prefix in %q", err)
				}
			})
		}
	}
}
