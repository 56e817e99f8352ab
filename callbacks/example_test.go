package callbacks_test

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/fblwatch/fblwatch/callbacks"
)

// doorbell embeds Nop, c-client's file of empty functions, and writes the one
// method that it cares about.
type doorbell struct{ callbacks.Nop }

func (doorbell) Exists(m callbacks.Mailbox, n uint32) { fmt.Printf("%s holds %d mails\n", m, n) }

func Example() {
	var h callbacks.Handler = doorbell{}
	inbox := callbacks.Mailbox{Account: "yahoo", Name: "INBOX"}
	h.Exists(inbox, 3)
	h.Expunged(inbox, 2, 0) // nothing happens
	// Output: yahoo/INBOX holds 3 mails
}

func ExampleJoin() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	h := callbacks.Join(doorbell{}, callbacks.Slog(logger))
	h.Exists(callbacks.Mailbox{Account: "yahoo", Name: "INBOX"}, 4)
	h.Expunged(callbacks.Mailbox{Account: "yahoo", Name: "INBOX"}, 0, 17)
	// Output:
	// yahoo/INBOX holds 4 mails
	// level=INFO msg=expunged account=yahoo folder=INBOX uid=17
}
