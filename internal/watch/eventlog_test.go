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
