package privacy

import (
	"regexp"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/fblwatch/fblwatch/report"
)

// mostPeople of one report are looked for; where there are more, texts that may
// name them are dropped.
const mostPeople = 100_000

// people are the addresses to hide, in their canonical form.
type people struct {
	addresses map[string]bool
	tooMany   bool
	lists     map[list]bool // that are in addresses
}

// list is one that many records of a report may share.
type list struct {
	first  *string
	length int
	own    string
}

// recipientFields are the names of fields that hold recipients: of the report
// part, of JSON (its path), of the reported message's header.
var recipientFields = regexp.MustCompile(`(?i)(rcpt|recipient|destination|smtp_to|emailaddress|(delivered|original|envelope|apparently)-to)[a-z-]*$|(^|\.)(to|cc|bcc)$`)

var anAddress = regexp.MustCompile(`[^\s<>()\[\],;:"'=/@]+@[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]`)

// forAddress is the recipient in a Received field (RFC 5321 section 4.4).
var forAddress = regexp.MustCompile(`(?i)\sfor\s+<?([^\s<>;]+@[^\s<>;]+)`)

func (p *people) ofRecord(rec *report.Record) {
	p.add(rec.OriginalRcptTo)
	var own []string // of those who send to everybody
	if rec.Reporter != nil {
		own = append(own, rec.Reporter.From)
	}
	if o := rec.Original; o != nil {
		p.addOthers(o.To, append(own, o.From))
	}
	if rec.Identity != nil {
		p.addIn(rec.Identity.Subscriber)
	}
	p.ofExtensions(rec.Extensions)
	p.addVERP(rec.OriginalMailFrom)
	if rec.Original != nil {
		p.addVERP(rec.Original.ReturnPath)
	}
}

func (p *people) ofReport(r *report.Report) {
	for _, rcpt := range r.OriginalRcptTo {
		p.add(rcpt)
	}
	own := []string{r.Outer.From}
	if r.Original != nil {
		p.addOthers(r.Original.To, append(own, r.Original.From))
	}
	p.ofExtensions(r.Extensions)
	for name, value := range r.Header(report.FromOriginal).Fields() {
		switch {
		case name == "to": // among Original.To
		case recipientFields.MatchString(name):
			p.addIn(value)
		case name == "received":
			for _, match := range forAddress.FindAllStringSubmatch(value, -1) {
				p.add(match[1])
			}
		}
	}
	for _, more := range r.More {
		p.ofReport(more)
	}
	p.addVERP(r.OriginalMailFrom)
	if r.Original != nil {
		p.addVERP(r.Original.ReturnPath)
	}
}

// addVERP adds the recipient in an envelope sender. If the beginning of the address is
// not clear, it adds every candidate.
func (p *people) addVERP(sender string) {
	local, _, _ := strings.Cut(strings.ToLower(strings.Trim(sender, "<> \t")), "@")
	i := strings.LastIndexByte(local, '=')
	if i <= 0 || strings.ContainsAny(local, " \t") || strings.Contains(local, redacted) {
		return
	}
	name, domain := local[:i], local[i+1:]
	if suffix, known := publicsuffix.PublicSuffix(domain); !known || suffix == domain {
		return
	}
	for at := range name {
		if p.addresses[name[at:]+"@"+domain] {
			return // it is known
		}
	}
	if name = name[strings.LastIndexByte(name, '=')+1:]; !endsInDigest(name) { // hidden before
		p.add(name + "@" + domain)
	}
}

func (p *people) ofExtensions(extensions map[string][]string) {
	for name, values := range extensions {
		if recipientFields.MatchString(name) && !p.has(values, "\x00\x00") { // no list of senders
			for _, v := range values {
				p.addIn(v)
			}
		}
	}
}

// has reports whether the list was added before, and notes that it is now.
func (p *people) has(addresses []string, own string) bool {
	if len(addresses) == 0 {
		return true
	}
	l := list{&addresses[0], len(addresses), own}
	known := p.lists[l]
	if p.lists == nil {
		p.lists = make(map[list]bool)
	}
	p.lists[l] = true
	return known
}

func (p *people) addOthers(addresses, own []string) {
	if p.has(addresses, strings.Join(own, "\x00")) {
		return
	}
	for _, addr := range addresses {
		others := true
		for _, mine := range own {
			others = others && !strings.EqualFold(addr, mine)
		}
		if others {
			p.add(addr)
		}
	}
}

func (p *people) addAll(addresses []string) {
	for _, addr := range addresses {
		p.add(addr)
	}
}

// addIn adds the addresses within a text.
func (p *people) addIn(text string) {
	for _, addr := range anAddress.FindAllString(text, -1) {
		p.add(addr)
	}
}

// add adds an address, and the same without its +tag. A digest for a local part
// names nobody.
func (p *people) add(addr string) {
	addr = canonical(addr)
	at := strings.LastIndexByte(addr, '@')
	if at <= 0 || isDigest(addr[:at]) {
		return
	}
	if p.addresses == nil {
		p.addresses = make(map[string]bool)
	}
	if len(p.addresses) >= mostPeople {
		p.tooMany = true
		return
	}
	p.addresses[addr] = true
	if plus := strings.IndexByte(addr[:at], '+'); plus > 0 {
		p.addresses[addr[:plus]+addr[at:]] = true
	}
}

func endsInDigest(local string) bool {
	for _, n := range []int{32, 40, 64} {
		if len(local) >= n && isDigest(local[len(local)-n:]) {
			return true
		}
	}
	return false
}

func isDigest(local string) bool {
	if len(local) != 32 && len(local) != 40 && len(local) != 64 {
		return false
	}
	return strings.Trim(local, hexDigits) == ""
}
