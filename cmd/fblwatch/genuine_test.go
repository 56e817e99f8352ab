package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fblwatch/fblwatch/internal/imaptest"
	"github.com/fblwatch/fblwatch/internal/sample"
)

// reporter signs the reports of these tests.
const reporter = "arf.mail.yahoo.com"

// scripted is main with a DNS that has the keys of the tests and no others;
// where $DNS is not "works", it does not answer.
func scripted() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.LookupEnv, resolver: testKeys{dead: os.Getenv("DNS") != "works"}, drain: time.Second}
	os.Exit(p.run(ctx, os.Args))
}

// testKeys is a DNS with the key of keyOf for each domain that signs here.
type testKeys struct{ dead bool }

func (k testKeys) LookupTXT(_ context.Context, name string) ([]string, error) {
	domain, found := strings.CutPrefix(name, "s._domainkey.")
	if k.dead {
		return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	if !found || !slices.Contains([]string{reporter, "evil.example"}, domain) {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	public := keyOf(domain).Public().(ed25519.PublicKey)
	return []string{"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)}, nil
}

// keyOf is the key of a domain, the same each time.
func keyOf(domain string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(domain))
	return ed25519.NewKeyFromSeed(seed[:])
}

// signedBy puts a DKIM-Signature of the domain on top of a message.
func signedBy(message []byte, domain string) ([]byte, error) {
	var out bytes.Buffer
	err := dkim.Sign(&out, bytes.NewReader(message), &dkim.SignOptions{
		Domain: domain, Selector: "s", Signer: keyOf(domain), Hash: crypto.SHA256,
		HeaderKeys:             []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"},
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	return out.Bytes(), err
}

// yahooReport is Yahoo's n-th report about a message that passed SPF and DKIM as
// domain's, without a signature. found: it says so.
func yahooReport(n int, domain string, found bool) []byte {
	all := sample.Dialects()
	i := slices.IndexFunc(all, func(d sample.Dialect) bool { return d.Name == "yahoo" })
	message := all[i].Message(sample.NewComplaint(1, n))
	results := "Authentication-Results: mta1001.mail.bf1.yahoo.com; dkim=pass header.i=@" + domain + " header.s=s;\r\n" +
		" spf=pass smtp.mailfrom=mail." + domain + "; dmarc=pass(p=NONE) header.from=" + domain + ";\r\n"
	message = bytes.ReplaceAll(message, []byte("example.com"), []byte(domain))
	message = bytes.Replace(message, []byte("To: fbl@"+domain), []byte("To: fbl@example.com"), 1)
	at := bytes.LastIndex(message, []byte("Received: from mta."))
	if !found {
		return message
	}
	return slices.Concat(message[:at], []byte(results), message[at:])
}

// deliverGenuine: genuine FOLDER FIRST COUNT [KEY=VALUE...] delivers reports of
// Yahoo about messages of example.com, which Yahoo signed. about is another domain,
// signer another one that signs; top is a file with what the receiving server puts
// on top; age is since when they are there; found=no leaves out what Yahoo found;
// size is of a body that is longer.
func deliverGenuine(ts *testscript.TestScript, _ bool, args []string) {
	first, err := strconv.Atoi(args[1])
	ts.Check(err)
	count, err := strconv.Atoi(args[2])
	ts.Check(err)
	set := map[string]string{"about": "example.com", "signer": reporter, "age": "1h", "size": "0"}
	for _, pair := range args[3:] {
		key, value, _ := strings.Cut(pair, "=")
		set[key] = value
	}
	top := "Received: from sonic.example.net (sonic.example.net [198.51.100.9])\n\tby mx.example.com (Postfix) with ESMTPS id 4F; Mon, 02 Mar 2026 06:00:00 +0000\n"
	if set["top"] != "" {
		top = ts.ReadFile(set["top"])
	}
	age, err := time.ParseDuration(set["age"])
	ts.Check(err)
	size, err := strconv.Atoi(set["size"])
	ts.Check(err)
	for n := first; n < first+count; n++ {
		message := yahooReport(n, set["about"], set["found"] != "no")
		end := bytes.LastIndex(message, []byte("\r\n--=_"))
		message = slices.Concat(message[:end], bytes.Repeat([]byte("Buy now.\r\n"), size/10), message[end:])
		message, err = signedBy(message, set["signer"])
		ts.Check(err)
		message = slices.Concat([]byte(strings.ReplaceAll(top, "\n", "\r\n")), message)
		ts.Value(serverKey{}).(*imaptest.Server).AppendMessage(args[0], imaptest.Message{Body: message, Date: time.Now().Add(-age)})
	}
}
