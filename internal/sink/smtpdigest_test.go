package sink

import (
	"context"
	"errors"
	"iter"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

func digestConfig(url string) Config {
	return Config{
		Name: "digest", Type: TypeSMTP, Remote: RemoteConfig{URL: url}, Digest: DigestConfig{Mode: ModeDigest},
		SMTP: SMTPConfig{Sender: "Würfel <fblwatch@example.com>", To: "Ops <ops@example.com>, abuse@example.com"},
	}
}

// deadLetters are those of a ledger.
type deadLetters []ledger.DeadLetter

func (d deadLetters) DeadLetters(context.Context, string) iter.Seq2[ledger.DeadLetter, error] {
	return func(yield func(ledger.DeadLetter, error) bool) {
		for _, dead := range d {
			if !yield(dead, nil) {
				return
			}
		}
	}
}

// gatherInto sends one digest of records.
func gatherInto(ctx context.Context, s Sink, sent time.Time, items []delivery.Item) error {
	g := s.(Gatherer)
	g.Due(sent, time.Now())
	if len(items) > 0 {
		if _, err := s.Write(ctx, items); err != nil {
			return err
		}
	}
	return g.Send(ctx)
}

// What arrives, read by other readers than ours.
func TestMailDigest(t *testing.T) {
	m := serveMail(t, false, nil)
	sent := time.Date(2026, 5, 3, 0, 0, 0, 0, time.UTC)
	s := openSMTPSink(t, digestConfig("smtp://"+m.addr), Options{Dead: deadLetters{
		{Row: ledger.Row{Record: ledger.Record{ID: "old"}}, Sink: "crm", At: sent.Add(-time.Hour), Reason: "422"},
		{Row: ledger.Row{Record: ledger.Record{ID: "new"}}, Sink: "crm", At: sent.Add(time.Hour), Reason: "too\r\nlarge"},
	}})
	doubtful := ourReport("shop")
	doubtful.Suppress, doubtful.Provider = &report.Suppress{Verdict: report.SuppressReview, Codes: []report.Code{report.CodeTrustOff}}, "<b>Grüße\r\n.\r\n"
	if err := gatherInto(t.Context(), s, sent, itemsOf(t, ourReport("shop"), doubtful)); err != nil {
		t.Fatal(err)
	}
	mails := m.got()
	expect(t, "mails", len(mails), 1)
	expect(t, "MAIL FROM", mails[0].from, "fblwatch@example.com")
	expect(t, "RCPT TO", strings.Join(mails[0].to, " "), "ops@example.com abuse@example.com")
	h, types, parts := readParts(t, mails[0].body)
	expect(t, "Subject", h.Get("Subject"), "fblwatch: 2 records, 1 dead letter, 1 record to review")
	expect(t, "Auto-Submitted", h.Get("Auto-Submitted"), "auto-generated")
	if !strings.HasSuffix(h.Get("Message-Id"), "@example.com>") {
		t.Errorf("Message-ID %q", h.Get("Message-Id"))
	}
	from, err := h.AddressList("From")
	if err != nil || from[0].Name != "Würfel" {
		t.Errorf("From %v, %v", from, err)
	}
	to, err := h.AddressList("To")
	if err != nil || len(to) != 2 {
		t.Errorf("To %v, %v", to, err)
	}
	expect(t, "parts", strings.Join(types, " "), "text/plain text/html")
	text := strings.ReplaceAll(parts["text/plain"], "\r\n", "\n")
	for _, want := range []string{"\n  new  not taken by crm: too\ufffd\ufffdlarge\n", "\n  $ fblwatch review\n", " by <b>Grüße\ufffd\ufffd.\ufffd\ufffd, campaign c7: trust_off\n", "\n        1  yahoo\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "old") || strings.Contains(text, "jane") {
		t.Errorf("too much in\n%s", text)
	}
	if page := parts["text/html"]; !strings.Contains(page, "&lt;b&gt;Grüße") || strings.Contains(page, "<b>") {
		t.Errorf("not escaped:\n%s", page)
	}
	if err := gatherInto(t.Context(), s, time.Now(), nil); err != nil {
		t.Error(err)
	}
	expect(t, "mails of a day without records", len(m.got()), 1)
}

// Every answer that is no success makes the records wait, and a config may want a mail
// on a quiet day.
func TestMailDigestWaits(t *testing.T) {
	m := serveMail(t, false, func(m *mailServer) { m.MaxMessageBytes = 100 })
	c := digestConfig("smtp://" + m.addr)
	c.Digest.Empty = true
	s := openSMTPSink(t, c, Options{})
	err := gatherInto(t.Context(), s, time.Now(), nil)
	if err == nil || errors.As(err, new(delivery.Refusals)) || !strings.Contains(err.Error(), "takes at most 100") {
		t.Errorf("too large: %v", err)
	}
	m = serveMail(t, false, func(m *mailServer) {
		m.rcpt = func(to string) error {
			if to == "abuse@example.com" {
				return mailStatus(550, "5.1.1", "no such user")
			}
			return nil
		}
	})
	c.Remote.URL = "smtp://" + m.addr
	s = openSMTPSink(t, c, Options{})
	if err := gatherInto(t.Context(), s, time.Now(), nil); err == nil || errors.As(err, new(delivery.Refusals)) {
		t.Errorf("one of two addresses: %v", err)
	}
	expect(t, "mails", len(m.got()), 0)
	m.set(func() { m.rcpt = nil })
	if err := gatherInto(t.Context(), s, time.Now(), nil); err != nil {
		t.Error(err)
	}
	expect(t, "mails then", len(m.got()), 1)
}

// A Pump sends the mail with a real server, and acknowledges then.
func TestMailDigestPump(t *testing.T) {
	m := serveMail(t, false, nil)
	out := newOutbox(append(rows(1, 1, 1200), rows(2, 1, 3)...)...)
	s := openSMTPSink(t, digestConfig("smtp://"+m.addr), Options{})
	p := NewPump(Config{Name: "digest"}, out, s, new(fixture.Log).Logger())
	ctx, stop := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- p.Run(ctx) }()
	if err := p.Flush(ctx); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-result; err != nil {
		t.Error(err)
	}
	expect(t, "acknowledged", out.acked(1)+out.acked(2), 1203)
	mails := m.got()
	expect(t, "mails", len(mails), 1)
	h, _, _ := readParts(t, mails[0].body)
	expect(t, "Subject", h.Get("Subject"), "fblwatch: 1203 records")
}

// The configs of the page work as they are, but for the server's address.
func TestSMTPDocs(t *testing.T) {
	dir := t.TempDir()
	m := serveMail(t, true, func(m *mailServer) { m.mechs = []string{"PLAIN"} })
	plain := serveMail(t, false, nil)
	password := fixture.File(t, filepath.Join(dir, "mail.pass"), "c4n4ry\n")
	key := fixture.File(t, filepath.Join(dir, "redact.key"), "0123456789abcdef")
	got := 0
	for _, list := range docConfigs(t, "smtp") {
		for _, c := range list {
			switch c.Digest.Mode {
			case ModeDigest:
				c.Remote.URL, c.Remote.CAFile, c.Remote.PasswordFile = "smtps://"+m.addr, m.caFile, password
				if _, err := Probe(t.Context(), c); err != nil {
					t.Error(err)
				}
				s := openSMTPSink(t, c, Options{})
				if err := gatherInto(t.Context(), s, time.Time{}, itemsOf(t, ourReport("shop"))); err != nil {
					t.Error(err)
				}
				expect(t, "to", strings.Join(m.got()[0].to, " "), "postmaster@example.com abuse@example.com")
				expect(t, "due", c.Digest.every().Due(time.Date(2026, 1, 1, 7, 0, 0, 0, time.UTC), time.Date(2026, 1, 1, 8, 0, 0, 0, time.UTC)), time.Date(2026, 1, 2, 7, 0, 0, 0, time.UTC))
			case ModeARF:
				c.Remote.URL, c.SMTP.RedactKeyFile = "smtp://"+plain.addr, key
				s := openSMTPSink(t, c, Options{})
				if _, err := s.Write(t.Context(), itemsOf(t, ourReport("shop"), ourReport("acme"))); err != nil {
					t.Error(err)
				}
				expect(t, "to", plain.got()[0].to[0]+" "+plain.got()[1].to[0], "abuse@shop.example.com fbl@acme.example.net")
			}
			got++
		}
	}
	expect(t, "configs", got, 2)
}
