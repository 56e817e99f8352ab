package callbacks_test

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/fblwatch/fblwatch/callbacks"
)

// pager shows a person what the server wants people to see.
type pager struct{ callbacks.Nop }

func (pager) Notify(m callbacks.Mailbox, _ callbacks.Level, code, text string) {
	if code == "ALERT" {
		fmt.Println("page:", text)
	}
}

// Give the events of a session to several Handlers: one of your own, and the log.
func ExampleJoin() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	h := callbacks.Join(pager{}, callbacks.Slog(logger))

	inbox := callbacks.Mailbox{Account: "yahoo", Name: "INBOX"}
	h.Notify(inbox, callbacks.Info, "ALERT", "your mailbox is nearly full")
	h.Expunged(inbox, 0, 17)
	h.Exists(inbox, 4) // logged at level Debug only
	// Output:
	// page: your mailbox is nearly full
	// level=WARN msg="server says: your mailbox is nearly full" account=yahoo folder=INBOX kind=info code=ALERT
	// level=INFO msg=expunged account=yahoo folder=INBOX uid=17
}
