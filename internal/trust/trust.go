// Package trust checks whether a report is genuine, and whether the reported message is
// ours: anybody can send a report, and sign it with a domain of their own.
//
// It believes the results of our own mail servers (Authentication-Results, RFC 8601),
// those of a known sealer (ARC, RFC 8617), and its own verification (DKIM, RFC 6376,
// with RFC 8301 and RFC 8463). Without a key or an answer, the verdict is "unchecked",
// never "fail". The place of a field in the header decides whether it counts: see trail.
package trust

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/mail"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// needsWhole is the reason of a verdict that the start of a message is not enough
// for.
var needsWhole = report.Reason{Code: report.CodeTooLong, Text: "the whole message is needed"}

// Checker checks messages. It is safe for concurrent use.
type Checker struct {
	config Config
	ips    []netip.Prefix
	table  report.Providers
	keys   *keys
	now    func() time.Time

	// Of one report, by the table:
	signers []string // domains and addresses that speak for its provider
	hosts   []string // domains of the provider's hosts
	from    string   // its author's address
}

// New gives a Checker that knows the built-in providers and these; a nil resolver
// is the system's. The error is one of Config.Validate.
func New(config Config, resolver Resolver, table report.Providers) (*Checker, error) {
	if err := config.Validate(); err != nil {
		return nil, err
	}
	if resolver == nil {
		resolver = SystemResolver()
	}
	c := &Checker{config: config, table: table, now: time.Now}
	c.keys = newKeys(resolver, func() time.Time { return c.now() })
	for _, s := range config.Own.IPs {
		prefix, _ := parsePrefix(s) // Validate has read it
		c.ips = append(c.ips, prefix)
	}
	return c, nil
}

// verdict is what is known of the sender of a message.
type verdict struct {
	auth                     report.Auth
	domain, method, coverage string
	reason                   report.Reason // zero where auth is pass; else it has a Code, except where nothing was found
}

// because is a verdict that is no pass.
func because(auth report.Auth, code report.Code, text string) verdict {
	return verdict{auth: auth, reason: report.Reason{Code: code, Text: text}}
}

// better orders what several signatures give.
func (v verdict) better(than verdict) bool {
	rank := map[report.Auth]int{report.AuthFail: 1, report.AuthUnchecked: 2, report.AuthPass: 3}
	return rank[v.auth] > rank[than.auth] || rank[v.auth] == rank[than.auth] &&
		(than.reason.Code == "" && than.auth != report.AuthPass || v.coverage == "full" && than.coverage != "full")
}

const secondHand = "its sender does not vouch for the report: it is in an attached or quoted message, or in a header that need not be signed"

// Check finds out who sent a message, from which r was read, and whether to trust it. It
// sets the Reporter of r's records, which have their Identity. received is when
// it came to us, the zero time: now. signed: each record's subscriber is a token
// that a key of ours made; in a report of class cfbl that replaces a known reporter.
// more: the verdict needs the whole message, and r was read from its start. It takes no longer than Config.Timeout.
func (c *Checker) Check(ctx context.Context, message []byte, r *report.Report, records []report.Record, received time.Time, signed bool) (more bool) {
	if len(records) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.timeout())
	defer cancel()
	if received.IsZero() {
		received = c.now()
	}
	c = c.about(r, records[0].Dialect)
	account := ""
	if box := records[0].Mailbox; box != nil {
		account = box.Account
	}
	v, _ := c.check(ctx, message, !r.Partial(), r, received, account)
	c.judge(report.Reporter{
		From: r.Outer.From, FromDomain: r.Outer.FromDomain,
		Auth: v.auth, AuthDomain: v.domain, AuthMethod: v.method, Coverage: v.coverage, Code: v.reason.Code, Reason: v.reason.Text,
	}, r, records, signed)
	return v.reason.Code == report.CodeTooLong
}

// Judge is Check with what an earlier Check found about the sender: the rules of trust
// may have changed since.
func (c *Checker) Judge(found report.Reporter, r *report.Report, records []report.Record, signed bool) {
	if len(records) > 0 {
		c.about(r, records[0].Dialect).judge(found, r, records, signed)
	}
}

// about is a Checker that knows the provider of one report.
func (c *Checker) about(r *report.Report, dialect string) *Checker {
	one, row := *c, c.table.Of(r)
	one.signers = signers(&row, dialect)
	one.hosts, one.from = slices.Concat(row.Hosts, one.signers), r.Outer.From
	return &one
}

func (c *Checker) judge(found report.Reporter, r *report.Report, records []report.Record, signed bool) {
	token := signed && records[0].Class == report.ClassCFBL && below(r.Outer.FromDomain, found.AuthDomain) && !isMailboxes(found.AuthDomain)
	known := c.known(found.AuthDomain, r.Outer.From)
	original := &origin{header: r.Header(report.FromOriginal), stranger: !known}
	for i := range records {
		reporter := found
		switch reporter.Trusted = false; {
		case reporter.Auth != report.AuthPass:
		case !r.FirstHand():
			reporter.Code, reporter.Reason = report.CodeSecondHand, secondHand
		case !known && !token:
			reporter.Code, reporter.Reason = report.CodeReporterUnknown, reporter.AuthDomain+" is no known reporter"
			if isMailboxes(reporter.AuthDomain) {
				reporter.Reason += ": anybody can have a mailbox there; trust.reporters can list the address"
			}
		case !known && namesAnother(&records[i]):
			reporter.Code, reporter.Reason = report.CodeReporterUnknown, reporter.AuthDomain+" is no known reporter, and our token is not of the recipient that it names"
		default:
			why := c.foreign(original, &records[i], signed)
			reporter.Code, reporter.Reason, reporter.Trusted = why.Code, why.Text, why.Code == ""
		}
		records[i].Reporter = &reporter
	}
}

// namesAnother reports whether a report names a recipient other than the subscriber of
// its token: everybody with a message of ours has a token.
func namesAnother(rec *report.Record) bool {
	return rec.OriginalRcptTo != "" && (rec.Identity == nil || !strings.EqualFold(rec.OriginalRcptTo, rec.Identity.Subscriber))
}

// check also gives the trail that the verdict goes by; nil: the header cannot be read.
func (c *Checker) check(ctx context.Context, message []byte, whole bool, r *report.Report, received time.Time, account string) (verdict, *trail) {
	m, err := readMessage(message)
	if errors.Is(err, io.ErrUnexpectedEOF) && !whole {
		return verdict{auth: report.AuthUnchecked, reason: needsWhole}, nil
	}
	if err != nil {
		return because(report.AuthUnchecked, report.CodeMalformed, errHeader.Error()), nil
	}
	m.account = account
	t := c.follow(m)
	from := canonical(r.Outer.FromDomain)
	if from == "" {
		return because(report.AuthNone, report.CodeNoFrom, "no From address"), t
	}
	if name := m.doubled(); name != "" {
		return because(report.AuthFail, report.CodeTwoFields, "more than one "+name), t
	}
	if !m.isFrom(r.Outer.From) {
		return because(report.AuthFail, report.CodeFrom, "its From is not the one address that was read"), t
	}
	sigs, err := m.signatures()
	if err != nil {
		return because(report.AuthUnchecked, report.CodeBeyond, err.Error()), t
	}
	return c.weigh(ctx, m, t, sigs, from, whole, received), t
}

// weigh decides by what our servers found, a sealer, and the signatures themselves, in
// that order. What may be the sender's word needs a signature that says the same; and
// so does a pass of a signature that is not there, or of which the same server also says
// otherwise, as there are servers that write the words of their client for their own.
func (c *Checker) weigh(ctx context.Context, m *signable, t *trail, sigs []signature, from string, whole bool, received time.Time) verdict {
	o := c.signedBy(t.voices(ofDKIM), sigs, from)
	about, there := signing(sigs, o.domain)
	denied := t.denies(o.domain)
	o.open = o.open || denied || !there && !t.behind // a gateway may take signatures away
	if o.domain != "" && (!o.open || there && !denied && !c.config.Verifies()) {
		return m.vouched("a-r", o.domain, about, whole)
	}
	v := c.arc(ctx, m, t, sigs, from, whole, received)
	if v.auth == report.AuthPass || v.auth == report.AuthFail {
		return v
	}
	if d := c.dkim(ctx, m, sigs, from, o.domain, whole, received); d.better(v) {
		v = d
	}
	if v.auth == report.AuthPass || v.reason.Code == report.CodeTooLong || v.reason.Code == report.CodeReframed {
		return v
	}
	if o.domain != "" {
		if v.auth == report.AuthUnchecked && there {
			return v
		}
		o.doubt = report.Reason{Code: report.CodeContradicted, Text: resultsOf(o.by) + " says dkim=pass for " + shown(o.domain) + ", but may be the sender's"}
	}
	if o.doubt.Code == report.CodeContradicted {
		return because(report.AuthUnchecked, o.doubt.Code, o.doubt.Text+"; "+v.reason.Text)
	}
	why := o.doubt
	if domain, by, open := c.sentBy(t.voices(ofSPF), from); domain != "" && v.auth != report.AuthFail {
		if t.taken && !(open && c.config.Verifies()) {
			return verdict{auth: report.AuthPass, domain: domain, method: "spf", coverage: "full"}
		}
		if why.Code == "" {
			why = t.noSPF(domain, by, open)
		}
	}
	return c.mend(v, why, t, sigs, from)
}

// arc is what a sealer that we believe says of the message's signatures.
func (c *Checker) arc(ctx context.Context, m *signable, t *trail, sigs []signature, from string, whole bool, received time.Time) verdict {
	none, sealers := verdict{auth: report.AuthNone}, c.config.ARCSealers
	if !t.system.refused {
		sealers = slices.Concat(sealers, t.system.Sealers)
	}
	switch {
	case len(m.named("arc-seal")) == 0:
		return none
	case len(sealers) == 0:
		t.seal.Text = "trust.arc_sealers is empty"
		return none
	case c.now().Sub(received) > maxAge:
		t.seal.Text = "older than 7 days: a seal proves nothing any more"
		return none
	case !whole:
		return verdict{auth: report.AuthUnchecked, reason: needsWhole}
	}
	said, sealer, why := c.sealed(ctx, m, sealers, received)
	if t.seal = why; why.Code != "" {
		return because(report.AuthUnchecked, why.Code, "arc: "+why.Text)
	}
	if said == nil {
		return none
	}
	by := voice{id: said.id}
	by.add(said.results)
	o := c.signedBy([]voice{by}, sigs, from)
	if o.domain == "" {
		t.seal.Text = "the seal is good, and says no dkim=pass that counts for " + shown(from)
		return none
	}
	about, _ := signing(sigs, o.domain)
	if sealer.count("dkim-signature") < len(sigs) {
		about = nil // another one may have been added since
	}
	v := m.vouched("arc", o.domain, about, whole)
	if v.auth == report.AuthPass && v.coverage == "full" && !sealer.full(m) {
		v = m.vouched("arc", o.domain, []signature{*sealer}, whole)
	}
	t.sealed, t.seal.Text = v.auth == report.AuthPass, "the seal is good: "+string(v.auth)
	return v
}

// isFrom reports whether the From is this address and no other: what several
// readers read differently proves no author.
func (m *signable) isFrom(address string) bool {
	fields := m.named("from")
	if len(fields) == 0 || len(fields[0].raw) > maxAddress {
		return false
	}
	list, err := addresses.ParseList(strings.ToValidUTF8(strings.ReplaceAll(fields[0].value(), "\r\n", ""), "?"))
	return err == nil && len(list) == 1 && list[0].Address == address
}

// addresses reads names in any charset: they are not used.
var addresses = mail.AddressParser{WordDecoder: &mime.WordDecoder{CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil }}}

// vouched is the verdict on a message that domain vouches for with sigs. Where one of
// them leaves the Content-Type or the end of the body unsigned, or none is
// there, somebody may have changed how the message is split into parts.
func (m *signable) vouched(method, domain string, sigs []signature, whole bool) verdict {
	v := verdict{auth: report.AuthPass, domain: domain, method: method, coverage: "full"}
	for i := range sigs {
		if !sigs[i].full(m) {
			v.coverage = "partial"
		}
	}
	if len(sigs) == 0 {
		v.coverage = "partial"
	}
	if v.coverage == "full" {
		return v
	}
	plain := m.frame().Plain
	for i := range sigs {
		plain = plain && (!sigs[i].short(m) || sigs[i].closes(m))
	}
	switch {
	case plain:
	case !whole:
		return verdict{auth: report.AuthUnchecked, reason: needsWhole}
	default:
		v.auth, v.reason = report.AuthFail, report.Reason{Code: report.CodeReframed, Text: "what is signed leaves open how the message is to be read"}
	}
	return v
}
