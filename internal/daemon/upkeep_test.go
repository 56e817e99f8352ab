package daemon

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A failure that lasts is logged once, not once a minute.
func TestEveryLogsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
		results := []error{nil, errors.New("a"), errors.New("a"), errors.New("b"), nil, nil, errors.New("a")}
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		every(ctx, time.Minute, func() error {
			calls++
			if calls > len(results) {
				cancel()
				return ctx.Err()
			}
			return results[calls-1]
		}, "looking", log)
		want := []string{
			`level=WARN msg=looking err=a`,
			`level=WARN msg=looking err=b`,
			`level=INFO msg="looking: works again"`,
			`level=WARN msg=looking err=a`,
			``,
		}
		if got := out.String(); got != strings.Join(want, "\n") {
			t.Errorf("got\n%s", got)
		}
	})
}
