package callbacks_test

import (
	"fmt"

	"github.com/fblwatch/fblwatch/callbacks"
)

// doorbell embeds Nop, c-client's file of empty functions, and writes the one
// method that it cares about.
type doorbell struct{ callbacks.Nop }

func (doorbell) Exists(m callbacks.Mailbox, n uint32) { fmt.Printf("%s holds %d messages\n", m, n) }

func Example() {
	var h callbacks.Handler = doorbell{}
	inbox := callbacks.Mailbox{Account: "yahoo", Name: "INBOX"}
	h.Exists(inbox, 3)
	h.Expunged(inbox, 2, 0) // nothing happens
	// Output: yahoo/INBOX holds 3 messages
}
