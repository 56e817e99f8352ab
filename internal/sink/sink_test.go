package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/ledger"
)

// The test's binary is also a command: its first argument says what it does.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "command" {
		behave(os.Args[2], os.Args[3:])
		exit(0)
	}
	goleak.VerifyTestMain(m)
}

// exit ends a command. os.Exit would wait for a second under the race detector.
func exit(status int) { syscall.Exit(status) }

// rows are n records of a folder from seq on.
func rows(folder, seq int64, n int) []ledger.Row {
	var rs []ledger.Row
	for range n {
		id := fmt.Sprintf("%d-%d", folder, seq)
		rs = append(rs, ledger.Row{FolderID: folder, Seq: seq, Record: ledger.Record{ID: id, Revision: 1, JSON: fmt.Appendf(nil, `{"id":%q}`, id)}})
		seq++
	}
	return rs
}

// hand writes rows to a sink.
func hand(ctx context.Context, s Sink, rows []ledger.Row) error {
	items := delivery.Items(rows)
	done, err := s.Write(ctx, items)
	clear(items) // a sink does not keep them
	if err == nil && done != len(rows) {
		return fmt.Errorf("wrote %d of %d without an error", done, len(rows))
	}
	return err
}

// text is what rows are as NDJSON.
func text(rows ...ledger.Row) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "{\"id\":%q}\n", r.ID)
	}
	return b.String()
}

func TestPermanent(t *testing.T) {
	err := fmt.Errorf("outer: %w", Permanent(io.EOF))
	if !IsPermanent(err) || !errors.Is(err, io.EOF) || err.Error() != "outer: EOF" {
		t.Errorf("%v", err)
	}
	if IsPermanent(io.EOF) || IsPermanent(nil) {
		t.Error("every error is permanent")
	}
}

func TestStdoutReaderGone(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	err = hand(t.Context(), Stdout(w), rows(1, 1, 1))
	if !errors.Is(err, ErrClosed) || !errors.Is(err, syscall.EPIPE) || !IsPermanent(err) {
		t.Errorf("%v", err)
	}
}

// A reader that blocks must not keep the program from ending, and finds
// whole lines when it goes on.
func TestStdoutStuck(t *testing.T) {
	r, w := io.Pipe()
	s := Stdout(w)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := hand(ctx, s, rows(1, 1, 1)); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v", err)
	}
	got := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		got <- string(b)
	}()
	if err := hand(t.Context(), s, rows(1, 1, 2)); err != nil {
		t.Error(err)
	}
	w.Close()
	if got, want := <-got, text(rows(1, 1, 1)...)+text(rows(1, 1, 2)...); got != want {
		t.Errorf("read %q, want %q", got, want)
	}
}

// cutWriter takes room octets, then fails.
type cutWriter struct {
	bytes.Buffer
	room int
}

func (c *cutWriter) Write(b []byte) (int, error) {
	if len(b) <= c.room {
		c.room -= len(b)
		return c.Buffer.Write(b)
	}
	n, _ := c.Buffer.Write(b[:c.room])
	c.room = 0
	return n, syscall.ENOSPC
}

// Wherever a write is cut, what comes out in the end is whole lines and holds
// every record.
func TestStdoutTorn(t *testing.T) {
	one, two := rows(1, 1, 2), rows(1, 1, 3)
	for room := range len(text(one...)) {
		w := &cutWriter{room: room}
		s := Stdout(w)
		if err := hand(t.Context(), s, one); !errors.Is(err, syscall.ENOSPC) || IsPermanent(err) {
			t.Fatalf("room %d: %v", room, err)
		}
		if err := hand(t.Context(), s, two); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("room %d: %v", room, err)
		}
		w.room = 1 << 20
		if err := hand(t.Context(), s, two); err != nil {
			t.Fatal(err)
		}
		got, ok := strings.CutSuffix(w.String(), text(two...))
		if whole := text(one...); !ok || !strings.HasPrefix(whole, got) || got != "" && !strings.HasSuffix(got, "\n") {
			t.Errorf("room %d: wrote %q", room, w.String())
		}
	}
}

var discard = slog.New(slog.DiscardHandler)
