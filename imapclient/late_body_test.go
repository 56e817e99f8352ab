package imapclient_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

// A message that comes behind the answer to its FETCH is not one of the next mailbox.
func TestLateBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			fmt.Fprint(server, "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n")
			fetches := 0
			for lines := bufio.NewScanner(server); lines.Scan(); {
				tag, command, _ := strings.Cut(lines.Text(), " ")
				switch {
				case strings.HasPrefix(command, "EXAMINE"):
					fmt.Fprint(server, "* 2 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n")
				case strings.HasPrefix(command, "UID FETCH"):
					if fetches++; fetches > 1 {
						break
					}
					fmt.Fprintf(server, "%s OK done\r\n* 1 FETCH (UID 1 BODY[] {3}\r\no", tag)
					time.Sleep(time.Second)
					fmt.Fprint(server, "ne)\r\n")
					continue
				}
				fmt.Fprintf(server, "%s OK done\r\n", tag)
			}
		}()
		c, err := imapclient.Dial(t.Context(), imapclient.Options{
			Host: "imap.example.com", Security: imapclient.NoTLS, Insecure: true, Login: login,
			Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for _, mailbox := range []string{"INBOX", "other"} {
			if _, err := c.Examine(t.Context(), mailbox); err != nil {
				t.Fatal(err)
			}
			for m, err := range c.FetchOnce(t.Context(), []uint32{1, 2}, 1000) {
				t.Errorf("%s: %+v, %v", mailbox, m, err)
			}
		}
	})
}

// Without an answer to the SEARCH, FetchListed yields no message.
func TestListNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			fmt.Fprint(server, "* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n")
			for lines := bufio.NewScanner(server); lines.Scan(); {
				tag, command, _ := strings.Cut(lines.Text(), " ")
				switch {
				case strings.HasPrefix(command, "EXAMINE"):
					fmt.Fprintf(server, "* 50 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n%s OK done\r\n", tag)
				case strings.HasPrefix(command, "UID FETCH"):
					all := ""
					for uid := 1; uid <= 50; uid++ {
						all += fmt.Sprintf("* %d FETCH (UID %d BODY[]<0> {3}\r\none)\r\n", uid, uid)
					}
					fmt.Fprint(server, all)
					return
				case !strings.HasPrefix(command, "UID SEARCH"):
					fmt.Fprintf(server, "%s OK done\r\n", tag)
				}
			}
		}()
		c, err := imapclient.Dial(t.Context(), imapclient.Options{
			Host: "imap.example.com", Security: imapclient.NoTLS, Insecure: true, Login: login,
			Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		prefix := func(bool) int64 { return 1000 }
		n := 0
		for m, err := range c.FetchListed(t.Context(), 1, 0, prefix, func([]uint32, error) { t.Error("listed") }) {
			if n++; m != nil || err == nil || n > 1 {
				t.Errorf("%+v, %v", m, err)
			}
		}
	})
}
