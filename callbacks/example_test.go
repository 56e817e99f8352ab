package callbacks_test

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/fblwatch/fblwatch/callbacks"
)

// doorbell embeds Nop, and has a method for the one event that it needs.
type doorbell struct{ callbacks.Nop }

func (doorbell) Exists(m callbacks.Mailbox, n uint32) { fmt.Printf("%s holds %d messages\n", m, n) }

// Receive only the events that you need.
func Example() {
	var h callbacks.Handler = doorbell{}
	inbox := callbacks.Mailbox{Account: "yahoo", Name: "INBOX"}
	h.Exists(inbox, 3)
	h.Expunged(inbox, 2, 0) // nothing happens
	// Output: yahoo/INBOX holds 3 messages
}

// Log what people should know: alerts of the server, failures, messages that are
// gone.
func ExampleSlog() {
	h := callbacks.Slog(slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	})))
	h.Log(callbacks.Error, "no answer within 1m0s")
	h.Expunged(callbacks.Mailbox{Account: "yahoo", Name: "INBOX"}, 2, 0)
	h.Exists(callbacks.Mailbox{Account: "yahoo", Name: "INBOX"}, 3) // at level Debug
	// Output:
	// level=ERROR msg="no answer within 1m0s"
	// level=INFO msg=expunged account=yahoo folder=INBOX seq=2
}
