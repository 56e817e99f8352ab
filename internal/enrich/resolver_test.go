package enrich

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// server answers the DNS over pipes: a *net.Resolver takes one for TCP.
type server struct {
	answers map[string][]dnsmessage.ResourceBody // by name
	serving sync.WaitGroup
}

func (s *server) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		s.serving.Go(func() {
			defer ours.Close()
			for s.answer(ours) == nil {
			}
		})
		return theirs, nil
	}}
}

func (s *server) answer(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	packet := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, packet); err != nil {
		return err
	}
	var m dnsmessage.Message
	if err := m.Unpack(packet); err != nil {
		return err
	}
	q := m.Questions[0]
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
	for _, body := range s.answers[q.Name.String()] {
		reply.Answers = append(reply.Answers, dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 60}, Body: body,
		})
	}
	if len(reply.Answers) == 0 {
		reply.RCode = dnsmessage.RCodeNameError
	}
	packed, err := reply.AppendPack(make([]byte, 2, 1<<16))
	if err != nil {
		return err
	}
	binary.BigEndian.PutUint16(packed, uint16(len(packed)-2))
	_, err = conn.Write(packed)
	return err
}

func ptr(name string) dnsmessage.ResourceBody {
	return &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(name)}
}

func netipOf(t *testing.T, text string) netip.Addr {
	t.Helper()
	ip, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	return ip
}

// TestResolver: with the real *net.Resolver, hostile octets in labels, next to a
// good name, and an answer as long as one can be.
func TestResolver(t *testing.T) {
	s := &server{answers: map[string][]dnsmessage.ResourceBody{
		"1.48.175.192.in-addr.arpa.": {ptr("evil\n\x1b[2J\x00.example.com."), ptr("=cmd|'x'!A1.example.com."), ptr("Mail.example.com.")},
		"2.48.175.192.in-addr.arpa.": {ptr("evil\n.example.com.")},
		"mail.example.com.":          {&dnsmessage.AResource{A: netipOf(t, public4).As4()}},
		"n00.example.com.":           {&dnsmessage.AResource{A: netipOf(t, "192.175.48.3").As4()}},
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.f.4.0.0.0.2.6.2.ip6.arpa.": {ptr("six.example.com.")},
		"six.example.com.": {&dnsmessage.AAAAResource{AAAA: netipOf(t, public6).As16()}},
	}}
	for i := range 1900 {
		name := fmt.Sprintf("n%02d.example.com.", 1899-i)
		s.answers["3.48.175.192.in-addr.arpa."] = append(s.answers["3.48.175.192.in-addr.arpa."], ptr(name))
	}
	defer s.serving.Wait()
	e, err := New(Config{ReverseDNS: true, Timeout: 10 * time.Second}, s.resolver())
	if err != nil {
		t.Fatal(err)
	}
	for ip, want := range map[string]string{
		public4:        "mail.example.com",
		"192.175.48.2": "",
		"192.175.48.3": "n00.example.com",
		"192.175.48.4": "",
		public6:        "six.example.com",
	} {
		if got := sourceOf(t, e, ip).ReverseDNS; got != want {
			t.Errorf("%s: got %q, want %q", ip, got, want)
		}
	}
}
