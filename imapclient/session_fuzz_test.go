package imapclient

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// turns is a connection whose other end sends each part, up to a tagged answer, after
// one more command. If none comes it goes on.
type turns struct {
	canned
	parts  [][]byte
	writes atomic.Int64
	due    int64 // writes before the next part
}

var partEnd = regexp.MustCompile(`(?m)^[TW][0-9]+ .*\n`)

// newTurns first says hello, to which so many commands belong.
func newTurns(hello string, commands int64, input []byte, pack func([]byte) []byte) *turns {
	c := &turns{canned: canned{r: strings.NewReader(hello)}, due: commands + 1}
	from := 0
	for _, at := range append(partEnd.FindAllIndex(input, 100), []int{0, len(input)}) {
		if part := input[from:at[1]]; len(part) > 0 {
			c.parts = append(c.parts, pack(part))
		}
		from = at[1]
	}
	return c
}

func (c *turns) Read(p []byte) (int, error) {
	if n, err := c.r.Read(p); err == nil || len(c.parts) == 0 {
		return n, err
	}
	for range 10 {
		if c.writes.Load() >= c.due {
			break
		}
		time.Sleep(20 * time.Microsecond)
	}
	c.r, c.parts = bytes.NewReader(c.parts[0]), c.parts[1:]
	c.due++
	return c.r.Read(p)
}

func (c *turns) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return len(p), nil
}

// packer compresses one part after the other, as a server's COMPRESS does.
func packer() func([]byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed)
	return func(part []byte) []byte {
		b.Reset()
		w.Write(part)
		w.Flush()
		return bytes.Clone(b.Bytes())
	}
}

// FuzzSession runs go-imap over the tap. It must never be the one to give up:
// that would be a line the tap should have kept from it. Every message must have
// been asked for, and come once. A prefix below 0 is for a compressed session: an
// even one packs the input well, an odd one takes it for packed.
func FuzzSession(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, input []byte, prefix int64) {
		const greeting = "* PREAUTH hi\r\n* CAPABILITY IMAP4rev1 IDLE ENABLE QRESYNC NOTIFY NAMESPACE QUOTA MOVE UIDPLUS"
		hello, commands, pack := greeting+"\r\nS1 OK\r\n", int64(1), bytes.Clone
		if prefix < 0 {
			hello, commands = greeting+" COMPRESS=DEFLATE\r\nS1 OK\r\nS2 OK\r\n", 2
			if prefix%2 == 0 {
				pack = packer()
			}
		}
		prefix = max(1, min(max(prefix, -prefix), 1<<20))
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		conn := newTurns(hello, commands, input, pack)
		c, err := Dial(ctx, Options{
			Host: "imap.example.com", Security: NoTLS, Insecure: true, Debug: true,
			Dial:  func(context.Context, string, string) (net.Conn, error) { return conn, nil },
			Login: func(context.Context, Challenge) (Credentials, error) { return Credentials{}, errors.New("no login") },
		})
		if err != nil {
			return // the connection ended at once
		}
		defer c.Close()
		if _, err = c.Examine(ctx, "INBOX"); over(err) {
			gaveUp(t, c, err)
			return
		}
		if _, err = c.Search(ctx, 1, 0); over(err) {
			gaveUp(t, c, err)
			return
		}
		given := map[uint32]bool{}
		for m, err := range c.Fetch(ctx, []uint32{1, 2, 3, 4, 5, 6, 7, 8, 9}, prefix) {
			if err != nil {
				gaveUp(t, c, err)
				return
			}
			if m.UID < 1 || m.UID > 9 || given[m.UID] {
				t.Fatalf("message %d, once more or not asked for", m.UID)
			}
			given[m.UID] = true
			if (m.Gone || m.Bodyless) && len(m.Body) > 0 || int64(len(m.Body)) > prefix {
				t.Fatalf("%+v", m)
			}
			m.Release()
		}
		c.Idle(ctx, time.Microsecond)
		c.Noop(ctx)
		extensions(ctx, t, c)
		checkGathered(t, c)
		gaveUp(t, c, ctx.Err())
	})
}

// extensions runs every command that is not go-imap's.
func extensions(ctx context.Context, t *testing.T, c *Client) {
	c.LSub(ctx, "*")
	c.Namespace(ctx)
	if quotas, err := c.Quota(ctx, "INBOX"); len(quotas) > maxQuotas {
		t.Fatal(len(quotas), err)
	}
	c.Create(ctx, "New")
	c.Notify(ctx, "INBOX", "FBL")
	if sel, err := c.SelectSince(ctx, "INBOX", Since{UIDValidity: 1, ModSeq: 2, UID: 9}); err != nil && sel != (Selected{}) {
		t.Fatal(sel, err)
	}
	uids := []uint32{1, 2, 9}
	c.Store(ctx, uids, `\Seen`)
	c.Copy(ctx, uids, "New")
	c.Move(ctx, uids, "New")
	c.Expunge(ctx, uids)
	c.Idle(ctx, time.Microsecond)
	c.Idle(ctx, time.Microsecond)
	for _, name := range c.Changed() {
		if name != "INBOX" && name != "FBL" {
			t.Fatalf("%q has changed, and nobody asked", name)
		}
	}
}

// over reports whether an error ends a session.
func over(err error) bool {
	var re *ResponseError
	return err != nil && !errors.As(err, &re) && !errors.Is(err, ErrUIDValidity)
}

func gaveUp(t *testing.T, c *Client, err error) {
	t.Helper()
	cause := c.tap.ended()
	if errors.Is(err, context.DeadlineExceeded) {
		t.Fatal("hangs")
	}
	if cause == ErrClosed || errors.Is(cause, ErrProtocol) && strings.Contains(cause.Error(), "imapwire") {
		t.Fatalf("go-imap gave up: %v, %v", err, cause)
	}
}
