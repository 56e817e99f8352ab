package watch

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/fblwatch/fblwatch/callbacks"
)

// TestEventLog: an error that Dial returns is not logged, another one of a command is; a
// sweep logs none.
func TestEventLog(t *testing.T) {
	for _, test := range []struct {
		name   string
		once   bool
		err    error // of Dial
		logged int   // lines, of one warning and two errors while dialing, and one error later
	}{
		{"the session opens", false, nil, 4},
		{"Dial fails by the second error", false, errors.New("second"), 3},
		{"Dial fails by another error", false, errors.New("third"), 4},
		{"a sweep", true, errors.New("second"), 1},
	} {
		book := &logbook{}
		e := &eventLog{Handler: callbacks.Slog(slog.New(slog.NewTextHandler(book, nil))), once: test.once}
		opened := e.dial()
		e.Log(callbacks.Warn, "a warning")
		e.Log(callbacks.Error, "first")
		e.Log(callbacks.Error, "second")
		opened(test.err)
		e.Log(callbacks.Error, "second")
		if n := book.count("\n"); n != test.logged {
			t.Errorf("%s: %d lines, want %d:\n%s", test.name, n, test.logged, book)
		}
	}
	(*eventLog)(nil).dial()(nil)
}

// TestEventLogBounded: of the errors that a server sends while it is dialed few are
// held back, and none is lost but that of Dial.
func TestEventLogBounded(t *testing.T) {
	book := &logbook{}
	e := &eventLog{Handler: callbacks.Slog(slog.New(slog.NewTextHandler(book, nil)))}
	opened := e.dial()
	for range 1000 {
		e.Log(callbacks.Error, "nonsense")
	}
	e.Log(callbacks.Error, "refused")
	if len(e.held) > heldErrors {
		t.Errorf("%d errors are held back", len(e.held))
	}
	opened(errors.New("refused"))
	if n, refused := book.count("\n"), book.count("refused"); n != 1000 || refused != 0 {
		t.Errorf("%d lines, %d of the error of Dial; want 1000 and none", n, refused)
	}
}
