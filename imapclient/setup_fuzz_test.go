package imapclient

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

// told keeps every event that is text.
type told struct {
	callbacks.Nop
	mu   sync.Mutex // Debug comes from any goroutine
	text strings.Builder
}

func (h *told) add(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text.WriteString(text)
}

func (h *told) Notify(_ callbacks.Mailbox, _ callbacks.Level, code, text string) { h.add(code + text) }
func (h *told) Log(_ callbacks.Level, text string)                               { h.add(text) }
func (h *told) Debug(line string)                                                { h.add(line) }

// FuzzSetup checks the part before go-imap: whatever the server sends, it ends, shows
// no secret, and makes no more trials than it gets credentials.
func FuzzSetup(f *testing.F) {
	for _, caps := range []string{"AUTH=PLAIN SASL-IR ID COMPRESS=DEFLATE", "AUTH=XOAUTH2", "AUTH=OAUTHBEARER SASL-IR", "AUTH=LOGIN", "", "LOGINDISABLED", "AUTH=EXTERNAL"} {
		for _, rest := range []string{
			"S1 OK\r\nS2 OK\r\nS3 OK\r\nS4 OK\r\n",
			"+ eyJzdGF0dXMiOiI0MDEifQ==\r\nS1 NO [EXPIRED] x\r\n",
			"+ \r\n+ UGFzc3dvcmQ6\r\nS1 OK [CAPABILITY IMAP4rev1 ID] x\r\n* ID ({3}\r\nabc NIL)\r\nS2 NO x\r\n",
			"+ !\r\n+\r\n* BYE [LIMIT] Suggested Backoff Time: 9 milliseconds\r\n",
		} {
			f.Add([]byte("* OK [CAPABILITY IMAP4rev1 " + caps + "] hi\r\n" + rest))
		}
	}
	f.Add([]byte("* PREAUTH [CAPABILITY IMAP4rev1] hi\r\n* CAPABILITY {3}\r\nabc\r\nS1 OK\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		const password, token = "Tr0ub4dor", "ya29.token"
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		conns, h := 0, &told{}
		c, err := Dial(ctx, Options{
			Host: "imap.example.com", Security: NoTLS, Insecure: true, Debug: true, Handler: h, Compress: CompressOff,
			Dial: func(context.Context, string, string) (net.Conn, error) {
				conns++
				return &canned{r: strings.NewReader(string(input))}, nil
			},
			Login: func(_ context.Context, ch Challenge) (Credentials, error) {
				if ch.Trial > 2 {
					return Credentials{}, ch.Last
				}
				return Credentials{Username: "user", Password: password, Token: token}, nil
			},
		})
		if err == nil {
			c.Close()
		}
		said := h.text.String() + fmt.Sprint(err)
		if err != nil && strings.Count(err.Error(), packageName) != 1 {
			t.Errorf("not one prefix in %q", err)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatal("hangs")
		}
		if conns < 1 || conns > 2 {
			t.Errorf("%d connections", conns)
		}
		for _, secret := range []string{password, token} {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))} {
				if strings.Contains(said, form) && !strings.Contains(string(input), form) {
					t.Errorf("%q was told: %q", form, said)
				}
			}
		}
	})
}
