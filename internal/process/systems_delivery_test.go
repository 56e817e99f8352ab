package process

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// The keys of these tests, small ones: one of everybody who is honest, one of the
// attacker.
var honest, dishonest = sync.OnceValue(newKey), sync.OnceValue(newKey)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err) // there is no randomness
	}
	return key
}

func rsaOf(domain string) *rsa.PrivateKey {
	if strings.HasSuffix(domain, evil) {
		return dishonest()
	}
	return honest()
}

// dnsOf is the DNS of all: keys are looked up by their whole name.
func dnsOf() txts {
	z := txts{records: map[string]string{}}
	for _, name := range []string{
		"arf." + yahoo, "s." + jmrp, "ses.amazonses.com", "mailru.corp.mail.ru", "zoho.fbl.zoho.com", "fbl.comcastfbl.senderscore.net", "c1.cfbl.example.net",
		"s." + evil, "s.sub." + evil,
		"arc-20240605.google.com", "fm1.messagingengine.com", "zohoarc.zohomail.com", "arcselector10001.microsoft.com",
	} {
		selector, domain, _ := strings.Cut(name, ".")
		der, err := x509.MarshalPKIXPublicKey(rsaOf(domain).Public())
		if err != nil {
			panic(err) // it is an RSA key
		}
		z.records[selector+"._domainkey."+domain] = "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
	}
	return z
}

// signer is how somebody signs: fields are the h=.
type signer struct {
	domain, selector string
	fields           []string
}

func (s signer) sign(t testing.TB, message string) string {
	t.Helper()
	return once(&signatures, fmt.Sprint(s, message), func() string {
		options := &dkim.SignOptions{Domain: s.domain, Selector: s.selector, Signer: rsaOf(s.domain), Hash: crypto.SHA256, HeaderKeys: s.fields,
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed}
		var out strings.Builder
		if err := dkim.Sign(&out, strings.NewReader(message), options); err != nil {
			t.Fatal(err)
		}
		return out.String()
	})
}

// signatures and verifications are dear, and needed for many systems.
var signatures, verifications sync.Map

// once is what do gives for the key, which is made once.
func once[T any](kept *sync.Map, key string, do func() T) T {
	if v, found := kept.Load(key); found {
		return v.(T)
	}
	v := do()
	kept.Store(key, v)
	return v
}

// today is one moment for all messages: what is signed once is the same.
var today = time.Now().UTC().Format(time.RFC1123Z)

// delivery is a message that reaches a receiving system, and what that system
// finds out about it.
type delivery struct {
	t         testing.TB
	message   string // as it was sent
	greeting  string // the word of its EHLO
	ip        string
	envelope  string // MAIL FROM
	host      string // of the pool, that takes it in
	received  string // date
	findings  []finding
	spf       string // pass or fail
	dmarc     string // pass, fail
	author    string // domain of From
	dns       txts
	sealer    *rsa.PrivateKey // of the one who seals
	recipient string
}

// finding is what a verifier says of one signature.
type finding struct {
	pass                               bool
	domain, identity, selector, octets string // the first of b=
	body                               bool   // what does not match is the body
}

// newDelivery verifies the signatures of the message as any server does.
func newDelivery(t testing.TB, z txts, message, greeting, ip, envelope, host string) *delivery {
	t.Helper()
	d := &delivery{
		t: t, dns: z, sealer: honest(), message: message, greeting: greeting, ip: ip, envelope: envelope, host: host, recipient: "fbl@example.org",
		received: today, spf: "pass", dmarc: "fail",
	}
	header, _, _ := strings.Cut(message, "\r\n\r\n")
	for _, f := range fieldsOf(header) {
		if name, value, _ := strings.Cut(f, ":"); strings.EqualFold(name, "from") {
			if list, err := netmail.ParseAddressList(strings.ReplaceAll(value, "\r\n", "")); err == nil {
				d.author = list[0].Address[strings.LastIndexByte(list[0].Address, '@')+1:]
			}
		}
	}
	d.findings = once(&verifications, message, func() []finding { return verified(t, z, message) })
	for _, f := range d.findings {
		if f.pass && (f.domain == d.author || strings.HasSuffix(d.author, "."+f.domain)) {
			d.dmarc = "pass"
		}
	}
	return d
}

func verified(t testing.TB, z txts, message string) (all []finding) {
	t.Helper()
	found, err := dkim.VerifyWithOptions(strings.NewReader(message), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return z.LookupTXT(t.Context(), name) },
	})
	if err != nil {
		return nil // it is no message to a verifier
	}
	header, _, _ := strings.Cut(message, "\r\n\r\n")
	n := 0
	for _, f := range fieldsOf(header) {
		name, value, _ := strings.Cut(f, ":")
		if !strings.EqualFold(name, "dkim-signature") {
			continue
		}
		tags := map[string]string{}
		for tag := range strings.SplitSeq(value, ";") {
			k, v, _ := strings.Cut(tag, "=")
			tags[strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
		if tags["i"] == "" {
			tags["i"] = "@" + tags["d"]
		}
		one := finding{domain: tags["d"], identity: tags["i"], selector: tags["s"], octets: (strings.Join(strings.Fields(tags["b"]), "") + "AAAAAAAA")[:8]}
		if n < len(found) {
			one.pass = found[n].Err == nil
			one.body = found[n].Err != nil && strings.Contains(found[n].Err.Error(), "body hash")
		}
		all = append(all, one)
		n++
	}
	return all
}

// fieldsOf splits a header into its fields, with their folding.
func fieldsOf(header string) (fields []string) {
	for line := range strings.SplitSeq(header, "\r\n") {
		if n := len(fields); n > 0 && line != "" && (line[0] == ' ' || line[0] == '\t') {
			fields[n-1] += "\r\n" + line
		} else {
			fields = append(fields, line)
		}
	}
	return fields
}

// results is how a system writes what it finds of the signatures: one text for
// each, by what it comes to, or another one where there is none.
type results struct {
	before, sep, after  string
	pass, fail, altered string // altered: of the body; "": as fail
	none                string
	one                 bool // a single result for all
}

func (r results) of(d *delivery) string {
	if len(d.findings) == 0 {
		return r.none
	}
	var all []string
	for _, f := range d.findings {
		text := r.fail
		switch {
		case f.pass:
			text = r.pass
		case f.body && r.altered != "":
			text = r.altered
		}
		all = append(all, strings.NewReplacer("{d}", f.domain, "{i}", f.identity, "{s}", f.selector, "{b}", f.octets, "{qb}", quoted(f.octets)).Replace(text))
	}
	if r.one {
		all = slices.DeleteFunc(all, func(s string) bool { return s != r.pass })
		if len(all) == 0 {
			all = []string{r.fail}
		}
		all = all[:1]
	}
	return r.before + strings.Join(all, r.sep) + r.after
}

// quoted is a value as it must stand in a field.
func quoted(s string) string {
	if strings.ContainsAny(s, "/+=") {
		return `"` + s + `"`
	}
	return s
}

// fill writes a system's text over the message: its words in braces stand for
// what this delivery is about.
func (d *delivery) fill(text string, more ...string) string {
	return strings.NewReplacer(append(more, "{greeting}", d.greeting, "{ip}", d.ip, "{envelope}", d.envelope, "{domain}", d.envelope[strings.LastIndexByte(d.envelope, '@')+1:],
		"{host}", d.host, "{date}", d.received, "{to}", d.recipient, "{spf}", d.spf, "{Spf}", strings.ToUpper(d.spf[:1])+d.spf[1:], "{dmarc}", d.dmarc, "{author}", d.author)...).Replace(text)
}

// over puts fields on top of the message; they are written with \n.
func (d *delivery) over(fields string) string {
	return strings.ReplaceAll(strings.ReplaceAll(fields, "\r\n", "\n"), "\n", "\r\n") + d.message
}

// dropped takes the fields away that drop says of.
func dropped(message string, drop func(name, value string) bool) string {
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	var kept []string
	for _, f := range fieldsOf(header) {
		if name, value, _ := strings.Cut(f, ":"); !drop(strings.ToLower(strings.TrimSpace(name)), value) {
			kept = append(kept, f)
		}
	}
	return strings.Join(kept, "\r\n") + "\r\n\r\n" + body
}

// withoutID takes Authentication-Results of these ids away, as RFC 8601 section
// 5 has it.
func withoutID(message string, ids ...string) string {
	return dropped(message, func(name, value string) bool {
		if name != "authentication-results" {
			return false
		}
		id, _, _ := strings.Cut(value, ";")
		id, _, _ = strings.Cut(strings.TrimSpace(id), " ")
		for _, own := range ids {
			if own == "*" || strings.EqualFold(id, own) {
				return true
			}
		}
		return false
	})
}

// renamed has Exchange's name for what others found.
func renamed(message string) string {
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	fields := fieldsOf(header)
	for i, f := range fields {
		if name, value, _ := strings.Cut(f, ":"); strings.EqualFold(strings.TrimSpace(name), "authentication-results") {
			fields[i] = "Authentication-Results-Original:" + value
		}
	}
	return strings.Join(fields, "\r\n") + "\r\n\r\n" + body
}

// sealed gives the fields of the next ARC set over the message (RFC 8617), with
// that l= in its signature, -1: none.
func sealed(t testing.TB, key *rsa.PrivateKey, message, domain, selector, found string, fields []string, length int) string {
	t.Helper()
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	body = strings.TrimRight(body, "\r\n") + "\r\n"
	extra := ""
	if length >= 0 {
		body, extra = body[:length], fmt.Sprintf("l=%d; ", length)
	}
	hash := sha256.Sum256([]byte(body))
	var data strings.Builder
	sets := map[string]string{}
	for _, f := range fieldsOf(header) {
		name, value, _ := strings.Cut(f, ":")
		if i, _, _ := strings.Cut(value, ";"); strings.HasPrefix(strings.ToLower(name), "arc-") {
			sets[strings.TrimSpace(i)+strings.ToLower(name)] = relaxed(f) + "\r\n"
		}
	}
	for _, name := range fields {
		for _, f := range fieldsOf(header) {
			if n, _, _ := strings.Cut(f, ":"); strings.EqualFold(n, name) {
				data.WriteString(relaxed(f) + "\r\n")
			}
		}
	}
	signed := func(data, field string) string {
		hash := sha256.Sum256([]byte(data + relaxed(field)))
		sig, err := key.Sign(rand.Reader, hash[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		return field + base64.StdEncoding.EncodeToString(sig)
	}
	n, before, chain := len(sets)/3+1, "", "none"
	for i := 1; i < n; i++ {
		before, chain = before+sets[fmt.Sprintf("i=%darc-authentication-results", i)]+sets[fmt.Sprintf("i=%darc-message-signature", i)]+sets[fmt.Sprintf("i=%darc-seal", i)], "pass"
	}
	results := fmt.Sprintf("ARC-Authentication-Results: i=%d; %s", n, found)
	signature := signed(data.String(), fmt.Sprintf("ARC-Message-Signature: i=%d; a=rsa-sha256; c=relaxed/simple; d=%s; s=%s; %sh=%s; bh=%s; b=",
		n, domain, selector, extra, strings.ToLower(strings.Join(fields, ":")), base64.StdEncoding.EncodeToString(hash[:])))
	seal := signed(before+relaxed(strings.ReplaceAll(results, "\n", "\r\n"))+"\r\n"+relaxed(signature)+"\r\n",
		fmt.Sprintf("ARC-Seal: i=%d; a=rsa-sha256; t=%d; cv=%s; d=%s; s=%s; b=", n, time.Now().Unix(), chain, domain, selector))
	return seal + "\n" + signature + "\n" + results + "\n"
}

// relaxed is a field as RFC 6376 section 3.4.2 has it, without its line break.
func relaxed(field string) string {
	name, value, _ := strings.Cut(field, ":")
	return strings.ToLower(strings.TrimSpace(name)) + ":" + strings.Join(strings.Fields(value), " ")
}

// altered puts a warning into the text of the report, as gateways do; where
// there is none, in front of its parts.
func altered(message string) string {
	const text, warning = "This is an email abuse report.\r\n", "CAUTION: This message came from outside.\r\n"
	if strings.Contains(message, text) {
		return strings.Replace(message, text, warning+text, 1)
	}
	return strings.Replace(message, "\r\n\r\n--", "\r\n\r\n"+warning+"\r\n--", 1)
}
