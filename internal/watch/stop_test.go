package watch

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/memory"
)

// ending is a context that ends when it was asked so often, as if a signal came in
// the middle of a message.
type ending struct {
	context.Context
	left atomic.Int64
}

func (e *ending) Err() error {
	if e.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestStopInAMessage: what ends in the middle of a large message commits nothing of
// it, and nothing of those beside it: all are read again.
func TestStopInAMessage(t *testing.T) {
	const head = "From: fbl@example.com\nMessage-ID: <1@example.com>\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n" +
		"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n"
	large := head + strings.Repeat("X-Y: z\n", 8<<20/7) + "--b--\n"
	for _, left := range []int64{0, 1, 2} {
		l := memory.New()
		a := account(nil, l)
		a.Handler, a.Log, a.MaxMessage = callbacks.Nop{}, slog.New(slog.DiscardHandler), 32<<20
		claim, err := l.Claim(t.Context(), ledger.Folder{Account: a.Name, Name: "INBOX"})
		if err != nil {
			t.Fatal(err)
		}
		claim.Checkpoint.UIDValidity = 1
		ctx := &ending{Context: t.Context()}
		ctx.left.Store(left)
		p := newPipeline(ctx, newFolder(a, "INBOX"), claim)
		p.add(batch{high: 2})
		_ = p.message(&imapclient.Message{UID: 1, Size: int64(len(head)), Body: []byte(head)}, int64(len(head))+1)
		_ = p.message(&imapclient.Message{UID: 2, Size: int64(len(large)), Body: []byte(large)}, int64(len(large))+1)
		if err := p.close(); !errors.Is(err, context.Canceled) {
			t.Errorf("asked %d times: %v", left, err)
		}
		if got := records(t, l); len(got) != 0 {
			t.Errorf("asked %d times: %d records", left, len(got))
		}
		if folders, err := l.Folders(t.Context()); err != nil || len(folders) != 1 || folders[0].Checkpoint.High != 0 {
			t.Errorf("asked %d times: %+v, %v", left, folders, err)
		}
	}
}
