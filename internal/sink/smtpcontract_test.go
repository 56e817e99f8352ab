package sink

import (
	"bytes"
	"encoding/json"
	"net"
	"net/mail"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/fblwatch/fblwatch/internal/ledger"
)

// reportRows are records that are sent on.
func reportRows(folder, seq int64, n int) []ledger.Row {
	all := rows(folder, seq, n)
	rec := ourReport("shop")
	for i := range all {
		rec.ID = all[i].ID
		b, err := json.Marshal(rec)
		if err != nil {
			panic(err) // it is the same but for the id
		}
		all[i].JSON, all[i].Event, all[i].Class, all[i].Provider, all[i].At = b, string(rec.Event), string(rec.Class), rec.Provider, rec.ReceivedAt
	}
	return all
}

// forwardedID is the id in the header of a message of ours.
func forwardedID(body []byte) string {
	m, err := mail.ReadMessage(bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	return m.Header.Get("X-Fblwatch-Forwarded")
}

func init() {
	contracts["smtp"] = contract{rows: reportRows, many: 100, start: func(t *testing.T) receiver {
		var mu sync.Mutex
		var refused []string
		var stalled chan struct{}
		isDown := false
		m := serveMail(t, false, func(m *mailServer) {
			m.rcpt = func(string) error {
				mu.Lock()
				down, wait := isDown, stalled
				mu.Unlock()
				if wait != nil {
					<-wait
				}
				if down {
					return mailStatus(451, "4.3.0", "down")
				}
				return nil
			}
			m.check = func(body []byte) error {
				mu.Lock()
				defer mu.Unlock()
				if slices.Contains(refused, forwardedID(body)) {
					return mailStatus(554, "5.6.0", "malformed\x1b")
				}
				return nil
			}
		})
		c := arfConfig(t, "smtp://"+m.addr)
		locked := func(change func()) {
			mu.Lock()
			defer mu.Unlock()
			change()
		}
		return receiver{
			open: func() (Sink, error) { return Open(c, Options{}) },
			written: func() (ids []string) {
				for _, mail := range m.got() {
					ids = append(ids, forwardedID(mail.body))
				}
				return ids
			},
			down:   func(is bool) { locked(func() { isDown = is }) },
			refuse: func(id string) { locked(func() { refused = append(refused, id) }) },
			stall: func(is bool) {
				locked(func() {
					if is {
						stalled = make(chan struct{})
					} else {
						close(stalled)
						stalled = nil
					}
				})
			},
		}
	}}
}

// BenchmarkForward compares with go-smtp's client, which sends the same octets in one
// session: the whole sink, most of whose time goes to the redaction, and its sending of
// messages that are written.
func BenchmarkForward(b *testing.B) {
	m := serveMail(b, false, func(m *mailServer) { m.forget = true })
	s := openSMTPSink(b, arfConfig(b, "smtp://"+m.addr), Options{}).(*forwarder)
	var ours, sends, bares []time.Duration
	const n = 200
	items := itemsOf(b, several("shop", n)...)
	var bodies [][]byte
	for i := range items {
		body, err := s.message(&items[i], "abuse@shop.example.com")
		if err != nil {
			b.Fatal(err)
		}
		bodies = append(bodies, body)
	}
	for b.Loop() {
		items := itemsOf(b, several("shop", n)...)
		start := time.Now()
		if done, err := s.Write(b.Context(), items); done != n || err != nil {
			b.Fatal(done, err)
		}
		ours = append(ours, time.Since(start))
		start = time.Now()
		for _, body := range bodies {
			if err := s.server.send(b.Context(), "", []string{"abuse@shop.example.com"}, body); err != nil {
				b.Fatal(err)
			}
		}
		s.server.close()
		sends = append(sends, time.Since(start))
		start = time.Now()
		conn, err := net.Dial("tcp", m.addr)
		if err != nil {
			b.Fatal(err)
		}
		client := smtp.NewClient(conn)
		for _, body := range bodies {
			if err := client.SendMail("", []string{"abuse@shop.example.com"}, bytes.NewReader(body)); err != nil {
				b.Fatal(err)
			}
		}
		if err := client.Quit(); err != nil {
			b.Fatal(err)
		}
		bares = append(bares, time.Since(start))
	}
	slices.Sort(ours)
	slices.Sort(sends)
	slices.Sort(bares)
	median := len(ours) / 2
	b.ReportMetric(n/ours[median].Seconds(), "records/s")
	b.ReportMetric(float64(sends[median])/float64(bares[median]), "x_bare_sending")
	b.ReportMetric(float64(ours[median])/float64(bares[median]), "x_bare")
}
