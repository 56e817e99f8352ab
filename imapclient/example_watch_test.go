package imapclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// Watch a mailbox with IDLE. Fetch everything above the highest UID after each
// wake-up: the number of EXISTS is only a hint.
func ExampleClient_Idle() {
	s := exampleServer()
	defer s.Close()
	opts := exampleOptions(s)
	opts.Handler = nil
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, err := imapclient.Dial(ctx, opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	selected, err := c.Examine(ctx, "INBOX")
	if err != nil {
		log.Fatal(err)
	}
	next := selected.UIDNext

	s.Append("INBOX", []byte("Subject: third\r\n\r\nnews\r\n")) // another client writes
	for {
		wake, err := c.Idle(ctx, 20*time.Minute)
		if ctx.Err() != nil {
			break // the program ends
		}
		if err != nil {
			log.Fatal(err) // in a program: Dial again, after a pause
		}
		if wake == imapclient.WakeTimeout {
			continue
		}
		for m, err := range c.FetchFrom(ctx, next, 8192) {
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("UID %d: %d octets\n", m.UID, len(m.Body))
			next = m.UID + 1
			m.Release()
		}
		cancel() // stop the example
	}
	// Output: UID 3: 24 octets
}

// Decide what to do after an error of Dial: get a new token, try again later, or
// ask the user.
func ExampleAuthError() {
	connect := func(refusal string) error {
		s := exampleServer()
		defer s.Close()
		s.Hook = func(step imaptest.Step) imaptest.Action {
			if step.Part == imaptest.Received && (step.Command == "AUTHENTICATE" || step.Command == "LOGIN") {
				return imaptest.Action{Do: imaptest.Answer, Text: refusal}
			}
			return imaptest.Action{}
		}
		c, err := imapclient.Dial(context.Background(), exampleOptions(s))
		if err == nil {
			c.Close()
		}
		return err
	}
	for _, refusal := range []string{
		"NO [AUTHENTICATIONFAILED] wrong password",
		"NO [EXPIRED] change your password",
		"NO [UNAVAILABLE] the user database is down",
	} {
		err := connect(refusal)
		var refused *imapclient.AuthError
		switch {
		case errors.Is(err, imapclient.ErrTemporary):
			fmt.Println("try again later:", err)
		case errors.Is(err, imapclient.ErrExpired):
			fmt.Println("get new credentials:", err)
		case errors.As(err, &refused):
			fmt.Println("check user and password of", refused.Username)
		case err != nil:
			fmt.Println(err) // the network, TLS, or the server
		}
	}
	// Output:
	// check user and password of user
	// get new credentials: imapclient: login of "user" refused: login: server said NO [EXPIRED] change your password
	// try again later: imapclient: login of "user" refused: login: server said NO [UNAVAILABLE] the user database is down
}

// Log in by a password from a file. Login is called again after a refusal; return
// the reason to stop.
func ExampleOptions_login() {
	s := exampleServer()
	defer s.Close()
	opts := exampleOptions(s)
	opts.Handler = nil
	opts.Login = func(_ context.Context, challenge imapclient.Challenge) (imapclient.Credentials, error) {
		if challenge.Last != nil {
			return imapclient.Credentials{}, challenge.Last
		}
		password := "pass" // os.ReadFile
		return imapclient.Credentials{Username: "user", Password: imapclient.Secret(password)}, nil
	}
	c, err := imapclient.Dial(context.Background(), opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	fmt.Println("logged in")
	// Output: logged in
}

// Log the events of a session with log/slog.
func ExampleOptions_slog() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
	s := exampleServer()
	defer s.Close()
	opts := exampleOptions(s)
	opts.Handler = callbacks.Slog(logger)
	ctx := context.Background()
	c, err := imapclient.Dial(ctx, opts)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Examine(ctx, "INBOX"); err != nil {
		log.Fatal(err)
	}
	s.Expunge("INBOX", 1) // another client removes a message
	if err := c.Noop(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("done")
	// Output:
	// level=INFO msg="dial imap.example.com:143"
	// level=INFO msg="logged in as \"user\""
	// level=INFO msg=expunged account=example folder=INBOX seq=1
	// done
}
