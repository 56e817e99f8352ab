package sink

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/report"
)

// tenantMark is what a tenant's name stands for in SMTPConfig.To.
const tenantMark = "{tenant}"

// defaultRate is that of a sink that names none.
var defaultRate = Rate{1000, time.Hour}

func (c SMTPConfig) validateARF() error {
	if c.RedactKeyFile == "" {
		return errors.New("redact_key_file is missing: reports go to others without the complainant's address; write 16 octets or more of your own into a file")
	}
	if c.To == "" && len(c.Tenants) == 0 {
		return errors.New("to and tenants are missing; name an address for reports")
	}
	if c.To != "" {
		if err := checkAddress(strings.ReplaceAll(c.To, tenantMark, "t")); err != nil {
			return fmt.Errorf("to %w; {tenant} is the only word in braces", err)
		}
		if strings.ContainsAny(strings.ReplaceAll(c.To, tenantMark, ""), "{}") {
			return fmt.Errorf("to %w; {tenant} is the only word in braces", errNoAddress)
		}
		tail := c.To[strings.LastIndexByte(c.To, '@')+1:]
		if i := strings.LastIndex(tail, tenantMark); i >= 0 {
			tail = strings.TrimPrefix(tail[i:], tenantMark)
			if strings.Count(tail, ".") < 2 || tail[0] != '.' {
				return errors.New("to: the domain must end in one of yours behind {tenant}, such as {tenant}.example.com")
			}
		}
	}
	for name, addr := range c.Tenants {
		if err := checkAddress(addr); err != nil {
			return fmt.Errorf("tenants.%s %w", name, err)
		}
	}
	return nil
}

func (c SMTPConfig) filter() (*privacy.Filter, error) {
	filter, err := privacy.Hashes(c.RedactKeyFile)
	if err != nil {
		return nil, fmt.Errorf("redact_key_file: %w", err)
	}
	return filter, nil
}

// CheckWatched reports an address of the config that leads back to a mailbox that is
// read. watched are USER@HOST of the accounts.
func (c Config) CheckWatched(watched []string) error {
	if c.Type != TypeSMTP || c.Digest.Mode != ModeARF {
		return nil
	}
	for name, addr := range c.SMTP.Tenants {
		if isWatched(addr, watched) {
			return fmt.Errorf("tenants.%s is the address of a mailbox that is read: its reports would come again", name)
		}
	}
	if isWatched(c.SMTP.To, watched) {
		return errors.New("to is the address of a mailbox that is read: its reports would come again")
	}
	return nil
}

// isWatched reports whether mail to addr may end in one of the mailboxes USER@HOST,
// where HOST is the domain of the address or the IMAP server below it.
func isWatched(addr string, watched []string) bool {
	domain := message.DomainOf(addr)
	local, _, _ := strings.Cut(addr, "@")
	local, _, _ = strings.Cut(local, "+")
	return slices.ContainsFunc(watched, func(box string) bool {
		user := box[:max(0, strings.LastIndexByte(box, '@'))]
		user, _, _ = strings.Cut(user, "+")
		return strings.EqualFold(user, local) && message.Within(message.DomainOf(box), domain)
	})
}

// Forwarder returns the address that a sink of mode arf sends from, in lower case; "":
// it is another sink.
func (c Config) Forwarder() string {
	if c.Type != TypeSMTP || c.Digest.Mode != ModeARF {
		return ""
	}
	from, err := plainAddress(c.SMTP.Sender)
	if err != nil {
		return ""
	}
	return strings.ToLower(from.Address)
}

// forwarder sends trusted reports on to the tenants that they are about.
type forwarder struct {
	config  SMTPConfig
	server  *smtpServer
	filter  *privacy.Filter
	watched []string
	quota   quota
	log     *slog.Logger
}

func openARF(c Config, o Options, server *smtpServer) (Sink, error) {
	filter, err := c.SMTP.filter()
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	s := &forwarder{config: c.SMTP, server: server, filter: filter, watched: o.Watched, log: o.Log}
	s.quota = quota{rate: cmp.Or(c.Limit.Rate, defaultRate), sink: c.Name, acts: o.Acts}
	return s, nil
}

// Takes is that of a Chooser.
func (s *forwarder) Takes(item *delivery.Item) (skip string) {
	if item.Kind == delivery.KindAlarm {
		return "an alarm"
	}
	if class := report.Class(item.Class); class != report.ClassFBL && class != report.ClassCFBL {
		return "another class than fbl and cfbl"
	}
	if event := report.Event(item.Event); event != report.Complaint && event != report.OptOut {
		return "another event than complaint and opt_out"
	}
	rec, err := item.Record()
	switch {
	case err != nil:
		return "no record that can be read"
	case rec.Reporter == nil || !rec.Reporter.Trusted:
		return "not trusted"
	case rec.Suppress != nil && !rec.Suppress.DecidedAt.IsZero():
		return "a person's decision about a report that was sent"
	case isForwarded(rec):
		return "forwarded before"
	case len(originalHeader(rec.Original)) == 0:
		return "no reported message"
	}
	_, skip = s.address(rec)
	return skip
}

// tenantName is what may stand in an address for a tenant.
var tenantName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// address returns where a report goes, or why nowhere.
func (s *forwarder) address(rec *report.Record) (addr, skip string) {
	tenant := ""
	if rec.Identity != nil {
		tenant = rec.Identity.Tenant
	}
	addr = s.config.Tenants[tenant]
	switch {
	case addr != "":
	case s.config.To == "":
		return "", "no address for its tenant"
	case !strings.Contains(s.config.To, tenantMark):
		addr = s.config.To
	case tenant == "":
		return "", "no tenant"
	case !tenantName.MatchString(tenant):
		return "", "a tenant that cannot be a part of an address"
	default:
		addr = strings.ReplaceAll(s.config.To, tenantMark, tenant)
	}
	if checkAddress(addr) != nil {
		return "", "a tenant that cannot be a part of an address"
	}
	if isWatched(addr, s.watched) {
		return "", "an address of a mailbox that is read"
	}
	return addr, ""
}

// Write sends a message for each item. The session ends with it.
func (s *forwarder) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	if err := s.quota.load(ctx); err != nil {
		return 0, err
	}
	defer s.server.close()
	sent := 0
	defer func() {
		if sent == 0 {
			return
		}
		if err := s.quota.save(context.WithoutCancel(ctx)); err != nil {
			s.log.Warn("the rate is not noted; it begins anew at the next start", "err", err)
		}
	}()
	var refused delivery.Refusals
	for i := range items {
		if wait := s.quota.wait(time.Now()); wait > 0 {
			return i, s.settled(refused, &delivery.Later{After: wait, Err: fmt.Errorf("sink: the rate of %d in %v is reached", s.quota.rate.N, s.quota.rate.Per), Planned: true})
		}
		reason, err := s.forward(ctx, &items[i])
		switch {
		case err != nil:
			return i, s.settled(refused, err)
		case reason != "":
			refused = append(refused, delivery.Refusal{First: i, N: 1, Reason: reason})
		default:
			s.quota.spend(time.Now())
			sent++
		}
	}
	return len(items), s.settled(refused, nil)
}

// settled returns the refusals, if there are any: what was behind them comes again.
func (s *forwarder) settled(refused delivery.Refusals, err error) error {
	if len(refused) > 0 {
		return refused
	}
	return err
}

// forward sends one report. reason: it is at fault.
func (s *forwarder) forward(ctx context.Context, item *delivery.Item) (reason string, err error) {
	rec, err := item.Record()
	if err != nil {
		return err.Error(), nil
	}
	to, skip := s.address(rec)
	if skip != "" {
		return skip, nil
	}
	body, err := s.message(item, to)
	if err != nil {
		return err.Error(), nil
	}
	err = s.server.send(ctx, "", []string{to}, body)
	if failed := (*smtpError)(nil); errors.As(err, &failed) && s.isRefusal(failed) {
		return failed.Error(), nil
	}
	return "", err
}

// isRefusal reports whether an answer is about this report: it is too large, its
// content is refused, or its tenant's address does not exist. An answer to every mail
// of ours is not: a policy, a login, an address that the config gives to all.
func (s *forwarder) isRefusal(e *smtpError) bool {
	if e.code/100 != 5 {
		return false
	}
	switch e.step {
	case "MAIL":
		return e.code == 552 || e.about("5.3.4")
	case "RCPT":
		many := strings.Contains(s.config.To, tenantMark) || len(s.config.Tenants) > 0
		return many && e.about("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1")
	case "END":
		return (e.code == 552 || e.code == 554) && !e.about("5.7") || e.about("5.6", "5.3.4", "5.2.3")
	}
	return false
}

func (s *forwarder) Close() error { return nil }
