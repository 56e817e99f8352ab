package trust

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// recipe is a report and how it is signed; the zero value of most fields is what a
// careful signer does.
type recipe struct {
	name, want string

	from   string   // the author; default feedback@ the reporter
	fields string   // more fields of the header, each with its CRLF
	body   string   // "": a report's; "-": none
	domain string   // of d=
	key    string   // "ed25519" or the bits of an RSA key; default "2048"
	canon  string   // as c= has it; default relaxed/relaxed
	length int      // of the body that is signed; 0: all
	h      string   // names of the fields; default allFields
	field  string   // the DKIM-Signature, with {a}, {c}, {d}, {s}, {h}, {bh}, {l} and {b} to be filled in
	record []string // of the key, with {k} and {p}; nil: a plain one
	change func(string) string
	more   []recipe // further signatures, each above the last one; of them only how to sign
}

const plainField = "DKIM-Signature: v=1; a={a}; c={c}; d={d}; s={s};\r\n\th={h};\r\n\tbh={bh};\r\n\tb={b}"

var notSlug = regexp.MustCompile(`[^a-z0-9]+`)

func (s *recipe) slug() string {
	return strings.Trim(notSlug.ReplaceAllString(strings.ToLower(s.name), "-"), "-")
}

// message makes the report, and publishes its keys.
func (s *recipe) message(t testing.TB, dns *zone) string {
	t.Helper()
	from := s.from
	if from == "" {
		from = "feedback@" + reporter
	}
	header, body, _ := strings.Cut(complaint(from, oursOriginal), "\r\n\r\n")
	header = dated.ReplaceAllString(header, "\r\nDate: Mon, 01 Jun 2026 10:00:00 +0000")
	switch s.body {
	case "":
	case "-":
		body = ""
	default:
		body = s.body
	}
	message := s.fields + header + "\r\n\r\n" + body
	for i, one := range append([]recipe{*s}, s.more...) {
		message = one.sign(t, message, fmt.Sprintf("%s-%d", s.slug(), i), dns) + "\r\n" + message
	}
	if s.change != nil {
		message = s.change(message)
	}
	return message
}

var (
	blanks   = regexp.MustCompile(`[ \t]+`)
	trailing = regexp.MustCompile(`[ \t]+\r\n`)
	dated    = regexp.MustCompile(`\r\nDate: [^\r]*`)
	aroundB  = regexp.MustCompile(`[ \t\r\n]*\{b\}[ \t\r\n]*`)
	empties  = regexp.MustCompile(`(\r\n)*$`)
)

// simple and relaxed canonicalisation (RFC 6376 section 3.4) once more, by the
// RFC's words.
func canonField(raw string, relaxed bool) string {
	if !relaxed {
		return raw
	}
	name, value, _ := strings.Cut(strings.ReplaceAll(raw, "\r\n", ""), ":")
	return strings.ToLower(strings.Trim(name, " \t")) + ":" + strings.Trim(blanks.ReplaceAllString(value, " "), " ") + "\r\n"
}

func canonBody(body string, relaxed bool) string {
	if body != "" && !strings.HasSuffix(body, "\r\n") {
		body += "\r\n"
	}
	if relaxed {
		body = blanks.ReplaceAllString(trailing.ReplaceAllString(body, "\r\n"), " ")
	}
	if body = empties.ReplaceAllString(body, ""); body != "" || !relaxed {
		body += "\r\n"
	}
	return body
}

func (s *recipe) sign(t testing.TB, message, selector string, dns *zone) string {
	t.Helper()
	key, domain, canon, h, field := s.key, s.domain, s.canon, s.h, s.field
	if key == "" {
		key = "2048"
	}
	if domain == "" {
		domain = reporter
	}
	if canon == "" {
		canon = "relaxed/relaxed"
	}
	if h == "" {
		h = strings.Join(allFields, ":")
	}
	if field == "" {
		field = plainField
	}
	header, body, _ := strings.Cut(message, "\r\n\r\n")
	headerCanon, bodyCanon, _ := strings.Cut(canon, "/")
	body = canonBody(body, bodyCanon == "relaxed")
	if s.length > 0 {
		body = body[:min(s.length, len(body))]
	}
	kind, signer, public := testKey(t, key)
	encode := base64.StdEncoding.EncodeToString
	field = strings.NewReplacer("{a}", kind+"-sha256", "{c}", canon, "{d}", domain, "{s}", selector, "{h}", h,
		"{l}", strconv.Itoa(s.length), "{bh}", encode(digest(body))).Replace(field)

	var all []string
	for line := range strings.SplitSeq(header, "\r\n") {
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			all[len(all)-1] += line + "\r\n"
		} else {
			all = append(all, line+"\r\n")
		}
	}
	var data strings.Builder
	taken := make([]bool, len(all))
	for name := range strings.SplitSeq(h, ":") {
		name = strings.ToLower(strings.Trim(name, " \t\r\n"))
		for i := len(all) - 1; i >= 0; i-- {
			if has, _, _ := strings.Cut(all[i], ":"); !taken[i] && strings.ToLower(strings.Trim(has, " \t")) == name {
				taken[i] = true
				data.WriteString(canonField(all[i], headerCanon == "relaxed"))
				break
			}
		}
	}
	data.WriteString(strings.TrimSuffix(canonField(aroundB.ReplaceAllString(field, ""), headerCanon == "relaxed"), "\r\n"))
	made := encode(signer(digest(data.String())))

	records := s.record
	if records == nil {
		records = []string{"v=DKIM1; k={k}; p={p}"}
	}
	name := strings.ToLower(selector + "._domainkey." + domain)
	for _, record := range records {
		if record != "" {
			dns.records[name] = append(dns.records[name], strings.NewReplacer("{k}", kind, "{p}", encode(public), "{p1}", encode(public[:21]), "{p2}", encode(public)[28:]).Replace(record))
		}
	}
	return strings.Replace(field, "{b}", made, 1)
}

func digest(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// testKeys are the RSA keys of testdata/rsa.txt, by their bits.
var testKeys = sync.OnceValues(func() (map[string]*rsa.PrivateKey, error) {
	text, err := os.ReadFile("testdata/rsa.txt")
	keys := make(map[string]*rsa.PrivateKey)
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		one := big.NewInt(1)
		p, _ := new(big.Int).SetString(f[1], 16)
		q, _ := new(big.Int).SetString(f[2], 16)
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}, Primes: []*big.Int{p, q}}
		key.D = new(big.Int).ModInverse(big.NewInt(65537), new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)))
		key.Precompute()
		keys[f[0]] = key
	}
	return keys, err
})

// testKey gives what signs a digest with a key, and the key's public half as p=
// has it.
func testKey(t testing.TB, name string) (kind string, signer func([]byte) []byte, public []byte) {
	t.Helper()
	if name == "ed25519" {
		key := ed25519.NewKeyFromSeed(digest(name))
		return "ed25519", func(d []byte) []byte { return ed25519.Sign(key, d) }, key.Public().(ed25519.PublicKey)
	}
	keys, err := testKeys()
	if err != nil || keys[name] == nil {
		t.Fatalf("no key %s: %v", name, err)
	}
	key := keys[name]
	if public, err = x509.MarshalPKIXPublicKey(&key.PublicKey); err != nil {
		t.Fatal(err)
	}
	return "rsa", func(d []byte) []byte {
		sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, d)
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}, public
}
