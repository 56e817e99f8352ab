package imapclient_test

import (
	"context"
	"fmt"
	"log"
	"maps"
	"slices"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// flagCount counts the flags. It needs no lock: a session calls it with one event at
// a time. A Handler of several sessions needs one.
type flagCount struct {
	callbacks.Nop
	seen map[string]int
}

func (f flagCount) Flags(_ callbacks.Mailbox, _, _ uint32, flags []string) {
	for _, flag := range flags {
		f.seen[flag]++
	}
}

// Observe what other clients do with the messages of the open mailbox.
func ExampleOptions_handler() {
	s := imaptest.New() // the server of a provider, for the example
	defer s.Close()
	for range 3 {
		s.Append("INBOX", []byte("Subject: report\r\n\r\n"))
	}

	ctx := context.Background()
	counts := flagCount{seen: make(map[string]int)}
	c, err := imapclient.Dial(ctx, imapclient.Options{
		Host: "imap.example.com",
		Login: func(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
			return imapclient.Credentials{Username: "user", Password: "pass"}, ch.Last
		},
		Handler: counts,
		Dial:    s.Dial, Security: imapclient.NoTLS, Insecure: true, // leave these out
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Examine(ctx, "INBOX"); err != nil {
		log.Fatal(err)
	}

	s.SetFlags("INBOX", 1, `\Seen`) // another client reads two messages and answers one
	s.SetFlags("INBOX", 2, `\Seen`, `\Answered`)
	if err := c.Noop(ctx); err != nil { // any command receives the news
		log.Fatal(err)
	}
	for _, flag := range slices.Sorted(maps.Keys(counts.seen)) {
		fmt.Println(flag, counts.seen[flag])
	}
	// Output:
	// \Answered 1
	// \Seen 2
}
