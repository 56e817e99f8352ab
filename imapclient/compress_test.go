package imapclient_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
)

// from is a connection that seems to come from elsewhere.
type from struct {
	net.Conn
	ip string
}

func (f from) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP(f.ip), Port: 143} }

// compressed is a server that offers COMPRESS.
func compressed(tb testing.TB, n int) *imaptest.Server {
	s := imaptest.Filled(tb, n, nil)
	s.AddMailbox("FBL")
	s.Caps = append(s.Caps, "COMPRESS=DEFLATE")
	return s
}

func TestCompressWhere(t *testing.T) {
	for _, test := range []struct {
		name     string
		compress imapclient.Compression
		ip       string
		caps     bool
		sent     bool
	}{
		{"auto, far", imapclient.CompressAuto, "198.51.100.7", true, true},
		{"auto, far, IPv6", imapclient.CompressAuto, "2001:db8::1", true, true},
		{"auto, here", imapclient.CompressAuto, "127.0.0.1", true, false},
		{"auto, here, IPv6", imapclient.CompressAuto, "::1", true, false},
		{"auto, private", imapclient.CompressAuto, "10.1.2.3", true, false},
		{"auto, private, IPv6", imapclient.CompressAuto, "fd00::1", true, false},
		{"auto, on this link", imapclient.CompressAuto, "fe80::1", true, false},
		{"auto, not offered", imapclient.CompressAuto, "198.51.100.7", false, false},
		{"on, here", imapclient.CompressOn, "127.0.0.1", true, true},
		{"on, not offered", imapclient.CompressOn, "198.51.100.7", false, false},
		{"off", imapclient.CompressOff, "198.51.100.7", true, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := compressed(t, 1)
			defer s.Close()
			if !test.caps {
				s.Caps = s.Caps[:len(s.Caps)-1]
			}
			opts := options(s, nil)
			opts.Compress = test.compress
			opts.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := s.Dial(ctx, network, addr)
				return from{conn, test.ip}, err
			}
			c, err := imapclient.Dial(t.Context(), opts)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if err := c.Noop(t.Context()); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			sent := strings.Contains(strings.Join(s.Transcript(), "\n"), "COMPRESS DEFLATE")
			if sent != test.sent || (c.Stats().Inflated > 0) != test.sent {
				t.Errorf("%s: sent %v, %+v", test.name, sent, c.Stats())
			}
		})
	}
}

// The same session, plain, compressed, and compressed under TLS.
func TestCompressedSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var whole []string
		for _, way := range []string{"plain", "refused", "compressed", "TLS"} {
			s := compressed(t, sweepMessages)
			s.Append("INBOX", []byte("Subject: large\r\n\r\n"+strings.Repeat("text that repeats\r\n", 10_000)))
			opts := options(s, nil)
			if way != "plain" {
				opts.Compress = imapclient.CompressOn
			}
			if way == "refused" {
				s.Hook = at(imaptest.Received, "COMPRESS", imaptest.Action{Do: imaptest.Answer, Text: "NO not today"})
			}
			if way == "TLS" {
				ca := imaptest.NewCA()
				s.ImplicitTLS, s.TLS = true, &tls.Config{Certificates: []tls.Certificate{ca.Certificate("imap.example.com")}}
				opts.Security, opts.TLS = imapclient.ImplicitTLS, &tls.Config{RootCAs: ca.Pool()}
			}
			got, err := sweep(t.Context(), opts)
			if err != nil {
				t.Errorf("%s: %v", way, err)
			}
			if whole == nil {
				whole = got
			}
			if !slices.Equal(got, whole) || len(got) < 10 {
				t.Errorf("%s: got\n%s\nwant\n%s", way, strings.Join(got, "\n"), strings.Join(whole, "\n"))
			}
			s.Close()
		}
	})
}

func TestCompressSaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := compressed(t, 0)
		s.Append("INBOX", []byte("Subject: large\r\n\r\n"+strings.Repeat("text that repeats\r\n", 10_000)))
		opts := options(s, nil)
		opts.Compress = imapclient.CompressOn
		c, err := imapclient.Dial(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		defer c.Close()
		if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		before := c.Stats()
		if _, err := bodies(t.Context(), c, []uint32{1}, 1<<20); err != nil {
			t.Fatal(err)
		}
		after := c.Stats()
		in, inflated, out := after.In-before.In, after.Inflated-before.Inflated, after.Out-before.Out
		if inflated < 190_000 || in > inflated/20 || out < 20 || out > 200 {
			t.Errorf("%d octets in, %d inflated, %d out", in, inflated, out)
		}
	})
}

// cutting ends a connection after so many octets have been read.
type cutting struct {
	net.Conn
	left int
}

func (c *cutting) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

func TestCompressedCutAtEveryByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := func(left int) ([]string, error) {
			s := compressed(t, sweepMessages)
			defer synctest.Wait()
			defer s.Close()
			opts := options(s, nil)
			opts.Compress = imapclient.CompressOn
			opts.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := s.Dial(ctx, network, addr)
				return &cutting{conn, left}, err
			}
			return sweep(t.Context(), opts)
		}
		whole, err := run(1 << 30)
		if err != nil {
			t.Fatal(err)
		}
		cuts := 0
		for left := 0; ; left++ {
			got, err := run(left)
			checkSweep(t, fmt.Sprintf("cut after %d octets", left), got, whole)
			if err == nil && slices.Equal(got, whole) {
				break
			}
			cuts++
		}
		if cuts < 1000 {
			t.Errorf("only %d cuts", cuts)
		}
	})
}

// deflating is the server of one connection up to COMPRESS, and then sends what
// answer makes of the answer to a NOOP.
func deflating(answer func(w io.Writer, text string)) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			r := bufio.NewReader(server)
			fmt.Fprint(server, "* PREAUTH hi\r\n")
			r.ReadString('\n')
			fmt.Fprint(server, "* CAPABILITY IMAP4rev1 COMPRESS=DEFLATE\r\nS1 OK\r\n")
			r.ReadString('\n')
			fmt.Fprint(server, "S2 OK\r\n")
			r = bufio.NewReader(flate.NewReader(r))
			r.ReadString('\n')
			answer(server, "T1 OK done\r\n")
			r.ReadString('\n')
		}()
		return client, nil
	}
}

// pack compresses with a sync flush at the end.
func pack(text ...string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	for _, t := range text {
		io.WriteString(w, t)
	}
	w.Flush()
	return b.Bytes()
}

// partial compresses with what zlib calls a partial flush: a block of fixed codes
// (RFC 1951 section 3.2.6), then an empty one, and only the whole octets of both.
func partial(text string) []byte {
	var bits []byte
	put := func(value, n int) { // from the highest bit
		for n--; n >= 0; n-- {
			bits = append(bits, byte(value>>n&1))
		}
	}
	put(0b010, 3) // not the last; 01 from its lowest bit
	for _, c := range []byte(text) {
		put(0x30+int(c), 8)
	}
	put(0, 7)
	put(0b010, 3)
	put(0, 7)
	out := make([]byte, len(bits)/8)
	for i := range len(out) * 8 {
		out[i/8] |= bits[i] << (i % 8)
	}
	return out
}

func TestStrangeDeflate(t *testing.T) {
	const much = 16 << 20
	for _, test := range []struct {
		name   string
		answer func(w io.Writer, text string)
		err    string
	}{
		{"stored blocks, never flushed", func(w io.Writer, text string) {
			n := uint16(len(text))
			w.Write(append(binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16([]byte{0}, n), ^n), text...))
		}, ""},
		{"a partial flush", func(w io.Writer, text string) { w.Write(partial(text)) }, ""},
		{"in drips", func(w io.Writer, text string) {
			for _, b := range pack(text) {
				time.Sleep(time.Second)
				w.Write([]byte{b})
			}
		}, ""},
		{"no DEFLATE", func(w io.Writer, text string) { io.WriteString(w, text) }, "protocol error: COMPRESS"},
		{"a last block", func(w io.Writer, text string) { w.Write([]byte{1, 0, 0, 0xff, 0xff}) }, "ended"},
		{"a line of 16 MiB", func(w io.Writer, text string) { w.Write(pack("* XYZZY ", strings.Repeat("x", much))) }, "a line of over 1048576 octets"},
		{"a literal of 16 MiB", func(w io.Writer, text string) {
			w.Write(pack(fmt.Sprintf("* LIST () \"/\" {%d}\r\n", much), strings.Repeat("x", much)))
		}, "a literal of 16777216 octets"},
		{"literals without end", func(w io.Writer, text string) {
			w.Write(pack("* LIST {500000}\r\n", strings.Repeat(strings.Repeat("x", 500000)+" {500000}\r\n", much/500000)))
		}, "a literal of 500000 octets"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, err := imapclient.Dial(t.Context(), imapclient.Options{
					Host: "imap.example.com", Security: imapclient.NoTLS, Insecure: true, Login: login,
					Compress: imapclient.CompressOn, Dial: deflating(test.answer),
				})
				if err != nil {
					t.Fatal(err)
				}
				err = c.Noop(t.Context())
				c.Close()
				if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
					t.Errorf("error: %v, want %q", err, test.err)
				}
				if n := c.Stats().Inflated; n > 2<<20 {
					t.Errorf("%d octets were inflated", n)
				}
				time.Sleep(time.Hour) // for the server to end
			})
		})
	}
}

// A real server compresses with zlib.
func TestDovecotCompress(t *testing.T) {
	d := realserver.Dovecot(t)
	for n := range 200 {
		d.Deliver("INBOX", slices.Concat(imaptest.Body(n+1), bytes.Repeat(fmt.Appendf(nil, "%d lines of text\r\n", n), 200)))
	}
	host, port := split(t, d.TLSAddr())
	cred := imapclient.Credentials{Username: d.User(), Password: imapclient.Secret(d.Password())}
	read := func(compress imapclient.Compression) (imapclient.Stats, []string) {
		opts := imapclient.Options{Host: host, Port: port, TLS: &tls.Config{RootCAs: d.CA()}, Login: once(cred), Compress: compress}
		c, err := imapclient.Dial(t.Context(), opts)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Examine(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		uids, err := c.Search(t.Context(), 1, 0)
		if err != nil || len(uids) != 200 {
			t.Fatal(uids, err)
		}
		got, err := bodies(t.Context(), c, uids, 8192)
		if err != nil {
			t.Fatal(err)
		}
		return c.Stats(), got
	}
	off, plain := read(imapclient.CompressOff)
	on, got := read(imapclient.CompressOn)
	auto, _ := read(imapclient.CompressAuto)
	want(t, got, plain...)
	if off.Inflated != 0 || auto.Inflated != 0 || on.Inflated < off.In*9/10 || on.In > off.In/5 {
		t.Errorf("off %+v, auto %+v, on %+v", off, auto, on)
	}
}
