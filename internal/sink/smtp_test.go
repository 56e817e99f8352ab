package sink

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/report"
)

// arfConfig is a sink of mode arf to a server.
func arfConfig(tb testing.TB, url string) Config {
	return Config{
		Name: "customers", Type: TypeSMTP, Remote: RemoteConfig{URL: url}, Digest: DigestConfig{Mode: ModeARF},
		SMTP: SMTPConfig{
			Sender: "Example Reports <fbl-forward@esp.example.com>", To: "abuse@{tenant}.example.com", EHLO: "sender.example.com",
			RedactKeyFile: fixture.File(tb, filepath.Join(tb.TempDir(), "key"), "0123456789abcdef0123456789abcdef"),
		},
		Limit: RateConfig{Rate{999999, time.Second}},
	}
}

func openSMTPSink(tb testing.TB, c Config, o Options) Sink {
	tb.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	s, err := Open(c, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { s.Close() })
	return s
}

// ourReport is a trusted record about a message of the tenant.
func ourReport(tenant string) report.Record {
	return report.Record{
		Schema: 1, ID: "00112233445566778899aabbccddeeff.1", Revision: 1, Event: report.Complaint, Class: report.ClassFBL,
		Provider: "yahoo", Feed: "yahoo", Dialect: "arf", FeedbackType: "abuse", UserAgent: "Yahoo!-Mail-Feedback/2.0", Version: "1",
		ReceivedAt: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), ArrivalDate: time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC), SourceIP: "192.0.2.7",
		OriginalMailFrom: "bounce+jane=mail.example.net@esp.example.com", OriginalRcptTo: "Jane@mail.example.net",
		Complainant: report.Named, Recipients: 1,
		Original: &report.Original{
			MessageID: "m1@esp.example.com", Date: time.Date(2026, 5, 4, 0, 59, 0, 0, time.UTC), From: "news@shop.example.com", FromDomain: "shop.example.com",
			To: []string{"jane@mail.example.net"}, Subject: "Grüße für jane@mail.example.net", ReturnPath: "bounce+jane=mail.example.net@esp.example.com",
			ListUnsubscribe: []string{"https://esp.example.com/u?a=jane%40mail.example.net"}, FeedbackID: "c7:" + tenant + ":esp",
		},
		Identity: &report.Identity{Status: "identified", Subscriber: "s42", Campaign: "c7", Tenant: tenant},
		Reporter: &report.Reporter{From: "feedback@arf.mail.yahoo.com", Auth: report.AuthPass, Trusted: true},
		Suppress: &report.Suppress{Verdict: report.SuppressYes},
	}
}

// itemsOf makes items of records, in one folder.
func itemsOf(tb testing.TB, records ...report.Record) []delivery.Item {
	tb.Helper()
	var rows []ledger.Row
	for i, rec := range records {
		b, err := json.Marshal(rec)
		if err != nil {
			tb.Fatal(err)
		}
		row := ledger.Row{FolderID: 1, Seq: int64(i + 1), Record: ledger.Record{
			ID: rec.ID, Revision: rec.Revision, At: rec.ReceivedAt, JSON: b, Event: string(rec.Event), Class: string(rec.Class), Provider: rec.Provider,
		}}
		if rec.Suppress != nil {
			row.Verdict = string(rec.Suppress.Verdict)
		}
		if rec.Identity != nil {
			row.Campaign = rec.Identity.Campaign
		}
		rows = append(rows, row)
	}
	return delivery.Items(rows)
}

// several are n complaints with ids of their own.
func several(tenant string, n int) (all []report.Record) {
	for i := range n {
		rec := ourReport(tenant)
		rec.ID = fmt.Sprintf("%032x.1", i+1)
		all = append(all, rec)
	}
	return all
}

func mailStatus(code int, enhanced string, text string) error {
	e := &smtp.SMTPError{Code: code, Message: text}
	if _, err := fmt.Sscanf(enhanced, "%d.%d.%d", &e.EnhancedCode[0], &e.EnhancedCode[1], &e.EnhancedCode[2]); err != nil {
		e.EnhancedCode = smtp.NoEnhancedCode
	}
	return e
}

// What each answer means for the records.
func TestSMTPAnswers(t *testing.T) {
	tear := func(n int) error { return errTear }
	for name, test := range map[string]struct {
		change  func(*mailServer)
		one     bool // one address for all tenants
		refused bool // else the records wait
		says    string
	}{
		"4xx on MAIL":              {change: func(m *mailServer) { m.mail = func(string) error { return mailStatus(451, "4.3.0", "busy now") } }, says: "451 4.3.0 busy now"},
		"5xx on MAIL":              {change: func(m *mailServer) { m.mail = func(string) error { return mailStatus(550, "5.7.1", "not you") } }, says: "550 5.7.1 not you"},
		"too large by MAIL":        {change: func(m *mailServer) { m.mail = func(string) error { return mailStatus(552, "5.3.4", "too big") } }, refused: true, says: "552 5.3.4 too big"},
		"too large by SIZE":        {change: func(m *mailServer) { m.MaxMessageBytes = 1000 }, refused: true, says: "takes at most 1000"},
		"4xx on RCPT":              {change: func(m *mailServer) { m.rcpt = func(string) error { return mailStatus(450, "4.2.1", "greylisted") } }, says: "450 4.2.1 greylisted"},
		"unknown user":             {change: func(m *mailServer) { m.rcpt = func(string) error { return mailStatus(550, "5.1.1", "no such user") } }, refused: true, says: "550 5.1.1 no such user"},
		"unknown user of all":      {one: true, change: func(m *mailServer) { m.rcpt = func(string) error { return mailStatus(550, "5.1.1", "no such user") } }, says: "550 5.1.1 no such user"},
		"no relay":                 {change: func(m *mailServer) { m.rcpt = func(string) error { return mailStatus(554, "5.7.1", "relay denied") } }, says: "554 5.7.1 relay denied"},
		"550 without a reason":     {change: func(m *mailServer) { m.rcpt = func(string) error { return mailStatus(550, "", "no") } }, says: "550"},
		"4xx on the message":       {change: func(m *mailServer) { m.end = func(int) error { return mailStatus(452, "4.3.1", "disk full") } }, says: "452 4.3.1 disk full"},
		"content":                  {change: func(m *mailServer) { m.end = func(int) error { return mailStatus(554, "5.6.0", "malformed") } }, refused: true, says: "554 5.6.0 malformed"},
		"content without a reason": {change: func(m *mailServer) { m.end = func(int) error { return mailStatus(554, "", "transaction failed") } }, refused: true, says: "554"},
		"too large by DATA":        {change: func(m *mailServer) { m.end = func(int) error { return mailStatus(552, "5.2.3", "too long") } }, refused: true, says: "552 5.2.3 too long"},
		"policy":                   {change: func(m *mailServer) { m.end = func(int) error { return mailStatus(550, "5.7.26", "no DMARC pass") } }, says: "550 5.7.26 no DMARC pass"},
		"torn":                     {change: func(m *mailServer) { m.end = tear }, says: "the message: "},
	} {
		t.Run(name, func(t *testing.T) {
			m := serveMail(t, false, test.change)
			c := arfConfig(t, "smtp://"+m.addr)
			if test.one {
				c.SMTP.To = "abuse@example.com"
			}
			s := openSMTPSink(t, c, Options{})
			done, err := s.Write(t.Context(), itemsOf(t, several("shop", 2)...))
			var refused delivery.Refusals
			if errors.As(err, &refused) != test.refused {
				t.Fatalf("refused: %v, want %v: %v", !test.refused, test.refused, err)
			}
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("says %v, want %q", err, test.says)
			}
			if want := map[bool]int{true: 2, false: 0}[test.refused]; done != want || test.refused && len(refused) != 2 {
				t.Errorf("%d done with %v", done, err)
			}
			if strings.ContainsAny(fmt.Sprint(err), "\r\n") {
				t.Errorf("several lines: %q", err)
			}
			expect(t, "mails", len(m.got()), 0)
		})
	}
}

// A refused record is between two that are taken; all go in one session, which goes on
// after RSET.
func TestSMTPSession(t *testing.T) {
	m := serveMail(t, false, func(m *mailServer) {
		m.end = func(n int) error {
			if n == 2 {
				return mailStatus(554, "5.6.0", "malformed")
			}
			return nil
		}
	})
	s := openSMTPSink(t, arfConfig(t, "smtp://"+m.addr), Options{})
	done, err := s.Write(t.Context(), itemsOf(t, several("shop", 3)...))
	var refused delivery.Refusals
	if !errors.As(err, &refused) || done != 3 || len(refused) != 1 || refused[0].First != 1 || refused[0].N != 1 {
		t.Fatalf("%d done, %v", done, err)
	}
	mails := m.got()
	expect(t, "mails", len(mails), 2)
	expect(t, "sessions", m.sessions, 1)
	expect(t, "EHLO", strings.Join(m.ehlo, " "), "sender.example.com")
	for _, mail := range mails {
		expect(t, "MAIL FROM", mail.from, "")
		expect(t, "RCPT TO", strings.Join(mail.to, " "), "abuse@shop.example.com")
		if mail.size == 0 || mail.size > int64(len(mail.body)) {
			t.Errorf("SIZE=%d of %d octets", mail.size, len(mail.body))
		}
	}
}

// A server that ends the session after some messages gets the others in the next one.
func TestSMTPReconnect(t *testing.T) {
	n := 0
	m := serveMail(t, false, func(m *mailServer) {
		m.mail = func(string) error {
			if n++; n%3 == 0 {
				return mailStatus(421, "4.7.0", "too many messages in this session")
			}
			return nil
		}
	})
	s := openSMTPSink(t, arfConfig(t, "smtp://"+m.addr), Options{})
	if done, err := s.Write(t.Context(), itemsOf(t, several("shop", 6)...)); done != 6 || err != nil {
		t.Fatalf("%d done, %v", done, err)
	}
	var ids []string
	for _, mail := range m.got() {
		ids = append(ids, report.Parse(mail.body).Extensions["x-fblwatch-forwarded"][0])
	}
	expect(t, "mails", len(ids), 6)
	expect(t, "in order", slices.IsSorted(ids), true)
	expect(t, "sessions", m.sessions, 3)
}

// After a torn connection the record comes again, octet by octet.
func TestSMTPTorn(t *testing.T) {
	var first []byte
	m := serveMail(t, false, nil)
	m.end = func(n int) error {
		if n == 1 {
			return errTear
		}
		return nil
	}
	s := openSMTPSink(t, arfConfig(t, "smtp://"+m.addr), Options{})
	items := itemsOf(t, several("shop", 1)...)
	if done, err := s.Write(t.Context(), items); done != 0 || err == nil || errors.As(err, new(delivery.Refusals)) {
		t.Fatalf("%d done, %v", done, err)
	}
	for range 2 { // again, and once more by mistake
		if done, err := s.Write(t.Context(), items); done != 1 || err != nil {
			t.Fatalf("%d done, %v", done, err)
		}
	}
	mails := m.got()
	first = mails[0].body
	expect(t, "mails", len(mails), 2)
	expect(t, "the same octets", string(mails[1].body), string(first))
	if now := report.Parse(first); now.ID != report.Parse(mails[1].body).ID {
		t.Error("a reader of ours takes them for two reports")
	}
}

// How a session begins, by URL and options.
func TestSMTPLogin(t *testing.T) {
	auth := func(mechanisms ...string) func(*mailServer) {
		return func(m *mailServer) { m.mechs = mechanisms }
	}
	for name, test := range map[string]struct {
		implicit bool
		change   func(*mailServer)
		config   func(r *RemoteConfig, m *mailServer)
		login    string // as the server got it
		fails    string
	}{
		"STARTTLS and PLAIN": {change: auth("PLAIN", "LOGIN"), login: "PLAIN fbl c4n4ry",
			config: func(r *RemoteConfig, m *mailServer) { r.CAFile, r.User, r.Password = m.caFile, "fbl", "c4n4ry" }},
		"STARTTLS and LOGIN": {change: auth("LOGIN"), login: "LOGIN fbl c4n4ry",
			config: func(r *RemoteConfig, m *mailServer) { r.CAFile, r.User, r.Password = m.caFile, "fbl", "c4n4ry" }},
		"implicit TLS": {implicit: true, change: auth("PLAIN"), login: "PLAIN fbl c4n4ry",
			config: func(r *RemoteConfig, m *mailServer) { r.CAFile, r.User, r.Password = m.caFile, "fbl", "c4n4ry" }},
		"wrong password": {change: auth("PLAIN"), login: "PLAIN fbl c4n4ry-wrong", fails: "the password <secret> is wrong",
			config: func(r *RemoteConfig, m *mailServer) { r.CAFile, r.User, r.Password = m.caFile, "fbl", "c4n4ry-wrong" }},
		"no password without TLS": {change: func(m *mailServer) { m.mechs, m.TLSConfig, m.AllowInsecureAuth = []string{"PLAIN"}, nil, true }, fails: "does not offer STARTTLS",
			config: func(r *RemoteConfig, m *mailServer) { r.Insecure, r.User, r.Password = true, "fbl", "c4n4ry" }},
		"unknown authority": {fails: "certificate signed by unknown authority",
			config: func(r *RemoteConfig, m *mailServer) { r.User, r.Password = "fbl", "c4n4ry" }},
		"no mechanism": {change: auth("GSSAPI"), fails: "none of AUTH PLAIN and AUTH LOGIN",
			config: func(r *RemoteConfig, m *mailServer) { r.CAFile, r.User, r.Password = m.caFile, "fbl", "c4n4ry" }},
		"this machine": {},
		"TLS asked for": {change: func(m *mailServer) { m.TLSConfig = nil }, fails: "does not offer STARTTLS",
			config: func(r *RemoteConfig, m *mailServer) { r.CAFile = m.caFile }},
	} {
		t.Run(name, func(t *testing.T) {
			m := serveMail(t, test.implicit, test.change)
			c := arfConfig(t, map[bool]string{true: "smtps://", false: "smtp://"}[test.implicit]+m.addr)
			if test.config != nil {
				test.config(&c.Remote, m)
			}
			said, err := Probe(t.Context(), c)
			if test.fails == "" && err != nil || test.fails != "" && (err == nil || !strings.Contains(err.Error(), test.fails)) {
				t.Fatalf("Probe: %q, %v, want %q", said, err, test.fails)
			}
			if strings.Contains(fmt.Sprint(said, err), "c4n4ry") {
				t.Errorf("the password is in %s %v", said, err)
			}
			s := openSMTPSink(t, c, Options{})
			if _, err := s.Write(t.Context(), itemsOf(t, several("shop", 1)...)); (err == nil) != (test.fails == "") {
				t.Errorf("Write: %v", err)
			}
			if test.login != "" && !slices.Contains(m.logins, test.login) || test.login == "" && len(m.logins) > 0 {
				t.Errorf("logins %q, want %q", m.logins, test.login)
			}
			expect(t, "mails", len(m.got()), map[bool]int{true: 1, false: 0}[test.fails == ""])
		})
	}
}

// Another machine needs STARTTLS, unless the config says otherwise.
func TestSMTPSecured(t *testing.T) {
	for url, want := range map[string]bool{"smtp://192.0.2.1": true, "smtp://127.0.0.1:25": false, "smtp://[::1]": false, "smtp://localhost": false} {
		for _, insecure := range []bool{false, true} {
			s := &smtpServer{config: RemoteConfig{URL: url, Insecure: insecure}}
			expect(t, url, s.secured(), want && !insecure)
		}
	}
}

// A server that says nothing, too much or nonsense costs bounded time and memory, and
// no record.
func TestSMTPHostileServer(t *testing.T) {
	for name, greeting := range map[string]string{
		"silent":   "",
		"endless":  strings.Repeat("220-x\r\n", 1<<20),
		"one line": strings.Repeat("2", 8<<20),
		"nonsense": "HTTP/1.1 400 Bad Request\r\n\r\n",
		"no mail":  "554 5.3.2 no mail here\r\n",
		"cut":      "220-mail.example.com",
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan struct{})
			defer func() { l.Close(); <-served }()
			go func() {
				defer close(served)
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = conn.Write([]byte(greeting))
					if name != "cut" {
						_, _ = bufio.NewReader(conn).ReadString(0)
					}
					conn.Close()
				}
			}()
			c := arfConfig(t, "smtp://"+l.Addr().String())
			c.Remote.Timeout = 200 * time.Millisecond
			s := openSMTPSink(t, c, Options{})
			start := time.Now()
			done, err := s.Write(t.Context(), itemsOf(t, several("shop", 1)...))
			if done != 0 || err == nil || errors.As(err, new(delivery.Refusals)) {
				t.Errorf("%d done, %v", done, err)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			if len(fmt.Sprint(err)) > 1000 {
				t.Errorf("an error of %d octets", len(err.Error()))
			}
		})
	}
}

// A context that ends ends the session.
func TestSMTPCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := serveMail(t, false, func(m *mailServer) {
		m.rcpt = func(string) error {
			cancel()
			time.Sleep(100 * time.Millisecond)
			return nil
		}
	})
	s := openSMTPSink(t, arfConfig(t, "smtp://"+m.addr), Options{})
	if done, err := s.Write(ctx, itemsOf(t, several("shop", 1)...)); done != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d done, %v", done, err)
	}
	if done, err := s.Write(ctx, itemsOf(t, several("shop", 1)...)); done != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d done, %v", done, err)
	}
}
