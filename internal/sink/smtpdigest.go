package sink

import (
	"bytes"
	"context"
	"fmt"
	"io"
	netmail "net/mail"
	"time"

	"github.com/emersion/go-message/mail"

	"github.com/fblwatch/fblwatch/internal/digest"
	"github.com/fblwatch/fblwatch/internal/message"
)

// mailDigest sends digests by mail.
type mailDigest struct {
	gathered
	server *smtpServer
	from   *netmail.Address
	to     []*netmail.Address
}

func openMailDigest(c Config, o Options, server *smtpServer) (Sink, error) {
	from, err := plainAddress(c.SMTP.Sender)
	if err != nil {
		return nil, err
	}
	to, err := digestTo(c.SMTP.To)
	if err != nil {
		return nil, err
	}
	return &mailDigest{gathered{config: c.Digest, dead: o.Dead}, server, from, to}, nil
}

// Send is that of a Gatherer.
func (s *mailDigest) Send(ctx context.Context) error {
	worth, err := s.finish(ctx)
	if err != nil || !worth {
		return err
	}
	body, err := s.message(&s.sum, time.Now())
	if err != nil {
		return err
	}
	defer s.server.close()
	return s.server.send(ctx, s.from.Address, addressesOf(s.to), body)
}

// message is the mail: the digest as text, and as HTML.
func (s *mailDigest) message(sum *digest.Digest, now time.Time) ([]byte, error) {
	html, err := sum.HTML()
	if err != nil {
		return nil, err
	}
	var h mail.Header
	h.SetAddressList("From", []*mail.Address{(*mail.Address)(s.from)})
	to := make([]*mail.Address, len(s.to))
	for i, a := range s.to {
		to[i] = (*mail.Address)(a)
	}
	h.SetAddressList("To", to)
	h.SetSubject(sum.Title())
	h.SetDate(now.UTC())
	if err := h.GenerateMessageIDWithHostname(message.DomainOf(s.from.Address)); err != nil {
		return nil, err
	}
	h.Set("Auto-Submitted", "auto-generated") // RFC 3834
	var b bytes.Buffer
	w, err := mail.CreateInlineWriter(&b, h)
	if err != nil {
		return nil, err
	}
	for _, part := range []struct{ subtype, text string }{{"plain", sum.Text()}, {"html", html}} {
		var h mail.InlineHeader
		h.SetContentType("text/"+part.subtype, map[string]string{"charset": "utf-8"})
		h.Set("Content-Transfer-Encoding", "quoted-printable")
		p, err := w.CreatePart(h)
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(p, part.text); err != nil {
			return nil, err
		}
		if err := p.Close(); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	return b.Bytes(), nil
}

// Close ends nothing: there is no session between two digests.
func (s *mailDigest) Close() error { return nil }
