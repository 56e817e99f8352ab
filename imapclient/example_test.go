package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// bell prints the number of messages. Nop ignores all other events.
type bell struct{ callbacks.Nop }

func (bell) Exists(m callbacks.Mailbox, n uint32) { fmt.Printf("%s holds %d messages\n", m, n) }

// exampleServer is the server of a provider, for the examples. In your program leave
// out Options.Dial, Options.Security and Options.Insecure.
func exampleServer() *imaptest.Server {
	s := imaptest.New()
	s.Append("INBOX", []byte("Subject: first\r\n\r\nhello\r\n"))
	s.Append("INBOX", []byte("Subject: second\r\n\r\nhello again\r\n"))
	return s
}

func exampleOptions(s *imaptest.Server) imapclient.Options {
	return imapclient.Options{
		Account: "example",
		Host:    "imap.example.com",
		Login: func(ctx context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
			if ch.Trial > 1 { // the password is wrong
				return imapclient.Credentials{}, ch.Last
			}
			return imapclient.Credentials{Username: "user", Password: "pass"}, nil
		},
		Handler:  bell{},
		Dial:     s.Dial,
		Security: imapclient.NoTLS,
		Insecure: true,
	}
}

// Read the new messages of a mailbox, then wait for more.
func Example() {
	s := exampleServer()
	defer s.Close()
	ctx := context.Background()

	c, err := imapclient.Dial(ctx, exampleOptions(s))
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Examine(ctx, "INBOX"); err != nil {
		log.Fatal(err)
	}
	uids, err := c.Search(ctx, 1, 0)
	if err != nil {
		log.Fatal(err)
	}
	last := uint32(0)
	for m, err := range c.Fetch(ctx, uids, 8192) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("UID %d: %d octets\n", m.UID, m.Size)
		last = max(last, m.UID)
		m.Release()
	}

	s.Append("INBOX", []byte("Subject: third\r\n\r\nnews\r\n")) // another client writes
	if wake, err := c.Idle(ctx, 4*time.Minute); err != nil || wake != imapclient.WakeExists {
		log.Fatal(wake, err)
	}
	for m, err := range c.FetchFrom(ctx, last+1, 8192) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("new, UID %d: %q\n", m.UID, m.Body)
		m.Release()
	}
	// Output:
	// example/INBOX holds 2 messages
	// UID 1: 25 octets
	// UID 2: 32 octets
	// example/INBOX holds 3 messages
	// new, UID 3: "Subject: third\r\n\r\nnews\r\n"
}

// Connect, and end the session politely.
func ExampleDial() {
	s := exampleServer()
	defer s.Close()
	opts := exampleOptions(s)
	opts.Timeouts.Dial = 5 * time.Second

	ctx := context.Background()
	c, err := imapclient.Dial(ctx, opts)
	if err != nil {
		fmt.Println(err) // has the host and the cause
		return
	}
	defer c.Logout(ctx)
	fmt.Println("IDLE offered:", c.Has("IDLE"))
	// Output: IDLE offered: true
}

// Log in by an OAuth2 access token. If it has expired, get another one.
func ExampleCredentials() {
	s := exampleServer()
	defer s.Close()
	s.Caps, s.Token = []string{"IMAP4rev1", "SASL-IR", "AUTH=XOAUTH2"}, "fresh"

	opts := exampleOptions(s)
	opts.Login = func(ctx context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
		token := imapclient.Secret("from-a-file")
		switch {
		case errors.Is(ch.Last, imapclient.ErrExpired) && ch.Trial == 2:
			token = "fresh" // from the issuer
		case ch.Last != nil:
			return imapclient.Credentials{}, ch.Last
		}
		return imapclient.Credentials{Username: "user", Token: token, Expires: time.Now().Add(time.Hour)}, nil
	}
	c, err := imapclient.Dial(context.Background(), opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	fmt.Println("expires within the hour:", time.Until(c.Expires()) < time.Hour)
	// Output: expires within the hour: true
}

// Trust one certificate only, by the fingerprint that openssl prints.
func ExamplePin() {
	var opts imapclient.Options
	err := opts.Pin.UnmarshalText([]byte("9F:86:D0:81:88:4C:7D:65:9A:2F:EA:A0:C5:5A:D0:15:A3:BF:4F:1B:2B:0B:82:2C:D1:5D:6C:15:B0:F0:0A:08"))
	fmt.Println(opts.Pin, err)

	err = opts.Pin.UnmarshalText([]byte("9F:86:D0"))
	fmt.Println(err)
	// Output:
	// 9F:86:D0:81:88:4C:7D:65:9A:2F:EA:A0:C5:5A:D0:15:A3:BF:4F:1B:2B:0B:82:2C:D1:5D:6C:15:B0:F0:0A:08 <nil>
	// imapclient: a SHA-256 fingerprint has 64 hexadecimal digits, with or without colons
}

// List all mailboxes, with the number of messages in each.
func ExampleClient_List() {
	s := exampleServer()
	defer s.Close()
	s.AddMailbox("FBL/Yahoo")
	ctx := context.Background()
	c, err := imapclient.Dial(ctx, exampleOptions(s))
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	lists, err := c.List(ctx, "*")
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range lists {
		st, err := c.Status(ctx, l.Mailbox)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(l.Mailbox, *st.Messages)
	}
	// Output:
	// INBOX 2
	// FBL/Yahoo 0
}

// Watch two mailboxes on one connection.
func ExampleClient_Notify() {
	s := exampleServer()
	defer s.Close()
	s.AddMailbox("FBL/Yahoo")
	s.Caps = append(s.Caps, "NOTIFY")
	opts := exampleOptions(s)
	opts.Handler = nil
	ctx := context.Background()
	c, err := imapclient.Dial(ctx, opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Examine(ctx, "INBOX"); err != nil {
		log.Fatal(err)
	}
	if err := c.Notify(ctx, "INBOX", "FBL/Yahoo"); err != nil { // ErrNoNotify: use a connection for each mailbox
		log.Fatal(err)
	}
	s.Append("FBL/Yahoo", []byte("Subject: complaint\r\n\r\nspam!\r\n")) // another client writes
	wake, err := c.Idle(ctx, 4*time.Minute)
	if err != nil {
		log.Fatal(err)
	}
	if wake == imapclient.WakeOther {
		fmt.Println(c.Changed())
	}
	// Output: [FBL/Yahoo]
}

// changes prints the changes of known messages.
type changes struct{ callbacks.Nop }

func (changes) Expunged(m callbacks.Mailbox, seq, uid uint32) { fmt.Println("gone: UID", uid) }
func (changes) Flags(m callbacks.Mailbox, seq, uid uint32, flags []string) {
	fmt.Println("flags of UID", uid, flags)
}

// Get the changes since the previous connection.
func ExampleClient_ExamineSince() {
	s := exampleServer()
	defer s.Close()
	s.Caps = append(s.Caps, "ENABLE", "QRESYNC")
	opts := exampleOptions(s)
	opts.Handler = changes{}
	ctx := context.Background()

	var since imapclient.Since // nothing is known yet
	for range 2 {
		c, err := imapclient.Dial(ctx, opts)
		if err != nil {
			log.Fatal(err)
		}
		sel, err := c.ExamineSince(ctx, "INBOX", since)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println("resynced:", sel.Resynced) // false: use Search to find which UIDs are left
		since = imapclient.Since{UIDValidity: sel.UIDValidity, ModSeq: sel.HighestModSeq, UID: sel.UIDNext - 1}
		c.Close()

		s.Expunge("INBOX", 1) // meanwhile
		s.SetFlags("INBOX", 2, `\Seen`)
	}
	// Output:
	// resynced: false
	// gone: UID 1
	// flags of UID 2 [\Seen]
	// resynced: true
}

// Move a message to another mailbox. If that does not exist, make it.
func ExampleClient_Move() {
	s := exampleServer()
	defer s.Close()
	s.Caps = append(s.Caps, "MOVE", "UIDPLUS")
	opts := exampleOptions(s)
	opts.Handler = changes{}
	ctx := context.Background()
	c, err := imapclient.Dial(ctx, opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Select(ctx, "INBOX"); err != nil {
		log.Fatal(err)
	}
	err = c.Move(ctx, []uint32{1}, "Done")
	var no *imapclient.ResponseError
	if errors.As(err, &no) && no.Code == "TRYCREATE" {
		if err = c.Create(ctx, "Done"); err == nil {
			err = c.Move(ctx, []uint32{1}, "Done")
		}
	}
	if errors.Is(err, imapclient.ErrNoMove) {
		fmt.Println("the server cannot move messages; nothing was done")
	}
	if err != nil {
		log.Fatal(err)
	}
	st, err := c.Status(ctx, "Done")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("done:", *st.Messages)
	// Output:
	// gone: UID 0
	// done: 1
}

// Wait as long as the server wants.
func ExampleBackoff() {
	s := exampleServer()
	defer s.Close()
	s.Hook = func(step imaptest.Step) imaptest.Action {
		if step.Command == "NOOP" && step.Part == imaptest.Received {
			return imaptest.Action{Do: imaptest.Answer, Text: "BAD Request is throttled. Suggested Backoff Time: 2000 milliseconds"}
		}
		return imaptest.Action{}
	}
	ctx := context.Background()
	c, err := imapclient.Dial(ctx, exampleOptions(s))
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	err = c.Noop(ctx)
	fmt.Println(errors.Is(err, imapclient.ErrTemporary), imapclient.Backoff(err))
	// Output: true 2s
}
