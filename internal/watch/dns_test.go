package watch

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/process"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/internal/trust"
)

// nameserver is a resolver with a key for each of the signers.
type nameserver struct {
	records map[string]string
	takes   time.Duration // an answer; below 0: there is none
	broken  atomic.Bool   // says so at once
	silent  atomic.Bool
	asked   atomic.Int32
}

var errBroken = errors.New("server misbehaving")

func (n *nameserver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	n.asked.Add(1)
	takes := time.After(n.takes)
	switch {
	case n.broken.Load():
		return nil, errBroken
	case n.silent.Load():
		takes = nil
	}
	select {
	case <-takes:
		return []string{n.records[name]}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// twelve are the domains of providers, which all sign with one key, of RSA as they
// do.
func twelve(t testing.TB) (domains []string, key *rsa.PrivateKey, n *nameserver) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	n = &nameserver{records: make(map[string]string)}
	for i := range 12 {
		domain := fmt.Sprintf("fbl.provider-%d.example", i)
		n.records["s._domainkey."+domain] = "v=DKIM1; p=" + base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PublicKey(&key.PublicKey))
		domains = append(domains, domain)
	}
	return domains, key, n
}

// signedReports are reports of about 6 kB, signed by the domains in turn.
func signedReports(t testing.TB, many int, domains []string, key *rsa.PrivateKey) (all [][]byte) {
	t.Helper()
	for i := range many {
		domain := domains[i%len(domains)]
		message := bytes.ReplaceAll(sample.Report(i, 6000), []byte("fbl.example.net"), []byte(domain))
		var signed bytes.Buffer
		if err := dkim.Sign(&signed, bytes.NewReader(message), &dkim.SignOptions{
			Domain: domain, Selector: "s", Signer: key, Hash: crypto.SHA256,
			HeaderKeys:             []string{"From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"},
			HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		}); err != nil {
			t.Fatal(err)
		}
		all = append(all, signed.Bytes())
	}
	return all
}

// sweepSigned reads them all from a server that costs next to nothing, and tells
// what that took.
func sweepSigned(t testing.TB, l ledger.Ledger, messages [][]byte, reading process.Rules) time.Duration {
	t.Helper()
	s := &endless{messages: len(messages), message: func(n int) []byte { return messages[n] }, came: time.Now()}
	a := account(nil, l)
	a.IMAP.Dial, a.Rules = s.dial, reading
	start := time.Now()
	runOnce(t, a)
	return time.Since(start)
}

// believing is a Reading that trusts the domains, and asks n for their keys; nil:
// it verifies nothing.
func believing(t testing.TB, domains []string, n *nameserver, timeout time.Duration) process.Rules {
	t.Helper()
	trust, err := trust.New(trust.Config{
		Own: trust.Own{IPs: []string{"192.0.2.0/24"}}, Reporters: domains, DKIM: new(n != nil), Timeout: timeout,
	}, n, nil)
	if err != nil {
		t.Fatal(err)
	}
	return process.Rules{Trust: trust, DNS: n != nil}
}

// sweepVerdicts counts the current records by verdict and what is known of the sender.
func sweepVerdicts(t testing.TB, l ledger.Reader) map[string]int {
	t.Helper()
	count := make(map[string]int)
	for _, r := range decoded(t, l) {
		count[string(r.Suppress.Verdict)+" "+string(r.Reporter.Auth)]++
	}
	return count
}

// BenchmarkDNS is what the intake of 10,000 reports of 12 domains takes while the
// DNS answers within 50 ms, fails at once, or never answers, in the same run:
// against an intake whose DNS answers at once, and against one that verifies
// nothing. The fastest of its runs counts for each: what else the machine does
// counts for little.
func BenchmarkDNS(b *testing.B) {
	const many = 10_000
	domains, key, n := twelve(b)
	messages := signedReports(b, many, domains, key)
	ways := []string{"off", "at-once", "50ms", "fails", "silent"}
	took := make(map[string][]float64)
	for i := 0; b.Loop(); i++ {
		for j := range ways {
			way := ways[(i+j)%len(ways)]
			n.takes = 0
			if way == "50ms" {
				n.takes = 50 * time.Millisecond
			}
			n.broken.Store(way == "fails")
			n.silent.Store(way == "silent")
			reading, want := believing(b, domains, n, 0), "review unchecked"
			switch way {
			case "50ms", "at-once":
				want = "yes pass"
			case "off":
				reading = believing(b, domains, nil, 0)
			}
			l := openLedger(b)
			took[way] = append(took[way], sweepSigned(b, l, messages, reading).Seconds())
			if got := sweepVerdicts(b, l); got[want] != many {
				b.Fatalf("%s: %v", way, got)
			}
		}
	}
	for _, way := range ways[1:] {
		b.ReportMetric(slices.Min(took[way])/slices.Min(took["off"]), way+"/off")
	}
	b.ReportMetric(slices.Min(took["50ms"])/slices.Min(took["at-once"]), "50ms/at-once")
	b.ReportMetric(many/slices.Min(took["off"]), "off-messages/s")
	b.ReportMetric(0, "ns/op")
}

// TestDeadResolver: what comes while the DNS is down is unchecked, and takes no
// longer than else; when it is back, reading the kept messages again makes it yes.
func TestDeadResolver(t *testing.T) {
	const many = 300
	domains, key, n := twelve(t)
	messages := signedReports(t, many, domains, key)
	messages[many-1] = slices.Concat(messages[many-1][:len(messages[many-1])-20], []byte("altered\r\n"), messages[many-1][len(messages[many-1])-20:])
	for name, down := range map[string]*atomic.Bool{"fails": &n.broken, "silent": &n.silent} {
		t.Run(name, func(t *testing.T) {
			n.asked.Store(0)
			down.Store(true)
			l := openLedger(t)
			const timeout = 300 * time.Millisecond
			took := sweepSigned(t, l, messages, believing(t, domains, n, timeout))
			if got := sweepVerdicts(t, l); got["review unchecked"] != many {
				t.Errorf("while it is down: %v", got)
			}
			if asked := n.asked.Load(); asked > 12 {
				t.Errorf("%d questions", asked)
			}
			if took > 20*timeout { // one time limit for all, and what reading takes
				t.Errorf("took %v", took)
			}

			down.Store(false)
			again := believing(t, domains, n, timeout) // another process
			var revisions []ledger.Revision
			for kept, err := range l.KeptMessages(t.Context(), time.Time{}) {
				if err != nil {
					t.Fatal(err)
				}
				var rows []ledger.Row
				for row, err := range l.Records(t.Context(), ledger.Query{ID: kept.ReportID, Replaced: true}) {
					if err != nil {
						t.Fatal(err)
					}
					rows = append(rows, row)
				}
				revision, outcome, err := again.Reprocess(t.Context(), kept, rows, time.Now())
				if err != nil || outcome != process.Revises {
					t.Fatalf("%s, %v", outcome, err)
				}
				revisions = append(revisions, revision)
			}
			if done, err := l.Revise(t.Context(), revisions); err != nil || len(done.Stale) > 0 {
				t.Fatalf("%+v, %v", done, err)
			}
			if got := sweepVerdicts(t, l); got["yes pass"] != many-1 || got["review fail"] != 1 {
				t.Errorf("when it is back: %v", got)
			}
		})
	}
}
