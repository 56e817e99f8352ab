package imapclient_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

const (
	benchMessages = 20_000
	benchOctets   = 2000 // of a message
)

// cannedServer answers FETCH from memory, so that the time measured is the client's.
type cannedServer struct {
	ln      net.Listener
	answers [][]byte // one a message
}

func newCannedServer(b *testing.B) *cannedServer {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	s := &cannedServer{ln: ln}
	message := bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz\r\n"), benchOctets/38+1)[:benchOctets]
	for uid := 1; uid <= benchMessages; uid++ {
		s.answers = append(s.answers, fmt.Appendf(nil,
			"* %d FETCH (UID %d INTERNALDATE \" 1-Jan-2026 00:00:00 +0000\" RFC822.SIZE %d BODY[]<0> {%d}\r\n%s)\r\n", uid, uid, len(message), len(message), message))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.serve(conn)
		}
	}()
	b.Cleanup(func() { ln.Close(); <-done })
	return s
}

// serve speaks with one client until it hangs up.
func (s *cannedServer) serve(conn net.Conn) {
	defer conn.Close()
	w := bufio.NewWriterSize(conn, 256<<10)
	fmt.Fprint(w, "* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n")
	w.Flush()
	for r := bufio.NewScanner(conn); r.Scan(); w.Flush() {
		words := strings.Fields(r.Text())
		if len(words) > 3 && words[1] == "UID" && words[2] == "FETCH" {
			for part := range strings.SplitSeq(words[3], ",") {
				from, to := 0, 0
				if n, _ := fmt.Sscanf(part, "%d:%d", &from, &to); n == 1 {
					to = benchMessages // n:*
				}
				for _, answer := range s.answers[from-1 : to] {
					w.Write(answer)
				}
			}
		}
		if len(words) > 1 && words[1] == "EXAMINE" {
			fmt.Fprint(w, "* OK [UIDVALIDITY 1]\r\n")
		}
		fmt.Fprintf(w, "%s OK done\r\n", words[0])
	}
}

// count reads all messages and only counts their octets: the least that any client
// can do.
func (s *cannedServer) count(b *testing.B) time.Duration {
	conn, err := net.Dial("tcp", s.ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	start := time.Now()
	fmt.Fprint(conn, "a UID FETCH 1:* (UID)\r\n")
	left := 0
	for _, answer := range s.answers {
		left += len(answer)
	}
	if _, err := io.CopyN(io.Discard, conn, int64(left)); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// BenchmarkFetch reads 20,000 messages of 2,000 octets over loopback. "ratio" is
// its time against that of counting the same octets.
func BenchmarkFetch(b *testing.B) {
	for _, way := range []string{"one set", "sets of 1000"} {
		b.Run(way, func(b *testing.B) {
			s := newCannedServer(b)
			host, port := split(b, s.ln.Addr().String())
			uids := make([]uint32, benchMessages)
			for i := range uids {
				uids[i] = uint32(i + 1)
			}
			var ours, raw time.Duration
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				raw += s.count(b)
				c, err := imapclient.Dial(context.Background(), imapclient.Options{Host: host, Port: port, Security: imapclient.NoTLS, Login: login})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := c.Examine(context.Background(), "INBOX"); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				start := time.Now()
				n := 0
				messages := c.Fetch(context.Background(), uids, 8192)
				if way == "one set" {
					messages = c.FetchFrom(context.Background(), 1, 8192)
				}
				for m, err := range messages {
					if err != nil || len(m.Body) != benchOctets {
						b.Fatal(m, err)
					}
					n++
					m.Release()
				}
				ours += time.Since(start)
				if n != benchMessages {
					b.Fatalf("%d messages", n)
				}
				b.StopTimer()
				c.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(ours)/float64(raw), "ratio")
			b.ReportMetric(float64(benchMessages*b.N)/ours.Seconds(), "messages/s")
		})
	}
}
