package enrich

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

// The addresses of these tests are public, but nobody's: AS112's, which answers
// for what nobody does (RFC 7534 section 3.1, RFC 7535).
const (
	public4 = "192.175.48.1"
	public6 = "2620:4f:8000::1"
)

// zone is a DNS.
type zone struct {
	names map[string][]string // by address
	hosts map[string]string   // by name with its dot: addresses, and !, which gives an error beside them
	err   error               // of LookupAddr, for every address without names
	slow  time.Duration       // how long each question takes

	mu      sync.Mutex
	reverse int // questions so far
	forward []string
}

var (
	errServFail = &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	errNoHost   = &net.DNSError{Err: "no such host", IsNotFound: true}
)

const never = 1000 * time.Hour

// wait is how a *net.Resolver ends with its context.
func (z *zone) wait(ctx context.Context) error {
	select {
	case <-time.After(z.slow):
		return nil
	case <-ctx.Done():
		return &net.DNSError{Err: ctx.Err().Error(), IsTimeout: errors.Is(ctx.Err(), context.DeadlineExceeded)}
	}
}

func (z *zone) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	z.mu.Lock()
	z.reverse++
	z.mu.Unlock()
	if err := z.wait(ctx); err != nil {
		return nil, err
	}
	if names := z.names[addr]; len(names) > 0 {
		return names, nil
	}
	if z.err != nil {
		return nil, z.err
	}
	return nil, errNoHost
}

func (z *zone) LookupNetIP(ctx context.Context, network, host string) (addrs []netip.Addr, err error) {
	z.mu.Lock()
	z.forward = append(z.forward, host)
	z.mu.Unlock()
	if err := z.wait(ctx); err != nil {
		return nil, err
	}
	for _, text := range strings.Fields(z.hosts[host]) {
		if text == "!" {
			err = errServFail
			continue
		}
		if addr := netip.MustParseAddr(text); addr.Unmap().Is4() == (network == "ip4") {
			addrs = append(addrs, addr)
		}
	}
	if len(addrs) == 0 && err == nil {
		err = errNoHost
	}
	return addrs, err
}

func (z *zone) enricher(t testing.TB) *Enricher {
	t.Helper()
	e, err := New(Config{ReverseDNS: true}, z)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestReverseDNS: a name is told only where it leads back to the address, and is
// a host's.
func TestReverseDNS(t *testing.T) {
	long := strings.Repeat("a.", 120) + "example.com" // 251 octets
	for name, test := range map[string]struct {
		ip    string
		names []string
		hosts map[string]string
		err   error
		want  string
		kept  time.Duration
	}{
		"leads back":           {public4, []string{"mail.example.com."}, map[string]string{"mail.example.com.": public4}, nil, "mail.example.com", keepName},
		"leads back, IPv6":     {public6, []string{"mail.example.com."}, map[string]string{"mail.example.com.": public4 + " " + public6}, nil, "mail.example.com", keepName},
		"in capitals, no dot":  {public4, []string{"MAIL.Example.COM"}, map[string]string{"mail.example.com.": "::ffff:" + public4}, nil, "mail.example.com", keepName},
		"leads elsewhere":      {public4, []string{"mail.example.com."}, map[string]string{"mail.example.com.": "192.175.48.2"}, nil, "", keepNone},
		"leads nowhere":        {public4, []string{"mail.example.com."}, nil, nil, "", keepNone},
		"no name":              {public4, nil, nil, nil, "", keepNone},
		"no answer":            {public4, nil, nil, errServFail, "", keepFailure},
		"no answer after it":   {public4, []string{"mail.example.com."}, map[string]string{"mail.example.com.": "!"}, nil, "", keepFailure},
		"half an answer":       {public4, []string{"mail.example.com."}, map[string]string{"mail.example.com.": "! " + public4}, nil, "mail.example.com", keepName},
		"the first in order":   {public4, []string{"c.example.com.", "b.example.com.", "a.example.com."}, map[string]string{"c.example.com.": public4, "b.example.com.": public4}, nil, "b.example.com", keepName},
		"one fails, one leads": {public4, []string{"a.example.com.", "b.example.com."}, map[string]string{"a.example.com.": "!", "b.example.com.": public4}, nil, "b.example.com", keepName},
		"253 octets":           {public4, []string{"aa." + long[:250]}, map[string]string{"aa." + long[:250] + ".": public4}, nil, "aa." + long[:250], keepName},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				z := &zone{names: map[string][]string{test.ip: test.names}, hosts: test.hosts, err: test.err}
				e := z.enricher(t)
				ask := func(questions int) {
					t.Helper()
					if got := sourceOf(t, e, test.ip).ReverseDNS; got != test.want || z.reverse != questions {
						t.Errorf("%q after %d questions, want %q after %d", got, z.reverse, test.want, questions)
					}
				}
				ask(1)
				time.Sleep(test.kept - 1)
				ask(1)
				time.Sleep(time.Nanosecond)
				ask(2)
			})
		})
	}
}

// TestHostileNames: the owner of an address may give it any name.
func TestHostileNames(t *testing.T) {
	for _, name := range []string{
		"", ".", "..", "localhost", "mail", "192.175.48.1", "1.2.3.4.", "mail..example.com", ".example.com", "-a.example.com", "a-.example.com",
		"a b.example.com", "a\tb.example.com", "a\nb.example.com", "a\x00b.example.com", "\x1b[2J.example.com", "a\u202eb.example.com",
		"=cmd|x.example.com", "@a.example.com", "<b>.example.com", "\"a\".example.com", "a,b.example.com", "a_b.example.com", "m\u00fcller.example.com", "\xff.example.com",
		"user1=example.net.bounces.example.com", "../../etc/passwd.example.com", strings.Repeat("a", 64) + ".example.com",
		strings.Repeat("a.", 121) + "xexample.com.", strings.Repeat("x", 1<<20) + ".example.com",
	} {
		host := strings.ToLower(strings.TrimSuffix(name, ".")) + "."
		z := &zone{names: map[string][]string{public4: {name}}, hosts: map[string]string{host: public4}}
		if got := sourceOf(t, z.enricher(t), public4).ReverseDNS; got != "" || len(z.forward) != 0 {
			t.Errorf("%.80q gives %.80q, %d questions", name, got, len(z.forward))
		}
	}
}

// Of a thousand names few are tried; the good ones are found among bad ones.
func TestManyNames(t *testing.T) {
	z := &zone{names: make(map[string][]string), hosts: map[string]string{"n0003.example.com.": public4, "n0010.example.com.": "192.175.48.2"}}
	for i := range 1000 {
		z.names[public4] = append(z.names[public4], fmt.Sprintf("n%04d.example.com.", 999-i), "bad name."+fmt.Sprint(i))
		z.names["192.175.48.2"] = append(z.names["192.175.48.2"], fmt.Sprintf("n%04d.example.com.", i))
	}
	if got := sourceOf(t, z.enricher(t), public4).ReverseDNS; got != "n0003.example.com" {
		t.Errorf("got %q", got)
	}
	z.forward = nil
	if got := sourceOf(t, z.enricher(t), "192.175.48.2").ReverseDNS; got != "" || len(z.forward) != maxNames {
		t.Errorf("got %q after %d names", got, len(z.forward))
	}
}

// TestNotAsked: nobody is asked about addresses that are no public host's.
func TestNotAsked(t *testing.T) {
	z := &zone{}
	e := z.enricher(t)
	for _, ip := range []string{
		"", "x", "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.1.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.0.1",
		"198.19.0.1", "198.51.100.1", "203.0.113.255", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::ffff:10.0.0.1",
		"::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "3fff::1", "2001::1", "64:ff9b::a00:1", "100::1",
	} {
		if got := sourceOf(t, e, ip); got != (report.Source{}) || z.reverse != 0 {
			t.Errorf("%s was asked about: %+v", ip, got)
		}
		z.reverse = 0
	}
	for _, ip := range []string{public4, public6, "::ffff:" + public4, "100.128.0.1", "172.32.0.1", "2001:200::1"} {
		if z.reverse = 0; sourceOf(t, z.enricher(t), ip) != (report.Source{}) || z.reverse != 1 {
			t.Errorf("%s: %d questions", ip, z.reverse)
		}
	}
}

// Values that are set already stay, without a question, and shared ones do not change.
func TestSourceStands(t *testing.T) {
	z := &zone{names: map[string][]string{public4: {"mail.example.com."}}, hosts: map[string]string{"mail.example.com.": public4}}
	e := z.enricher(t)
	shared := &report.Source{Country: "DE"}
	records := []report.Record{{SourceIP: public4, Source: shared}}
	if e.Records(t.Context(), records); *records[0].Source != (report.Source{Country: "DE", ReverseDNS: "mail.example.com"}) || shared.ReverseDNS != "" {
		t.Errorf("%+v of %+v", *records[0].Source, *shared)
	}
	records[0].Source, z.reverse = &report.Source{ReverseDNS: "old.example.com"}, 0
	if z.enricher(t).Records(t.Context(), records); records[0].Source.ReverseDNS != "old.example.com" || z.reverse != 0 {
		t.Errorf("%+v, %d questions", *records[0].Source, z.reverse)
	}
}

// All records of a report have one source; each has its own copy.
func TestOneQuestionAReport(t *testing.T) {
	z := &zone{names: map[string][]string{public4: {"mail.example.com."}}, hosts: map[string]string{"mail.example.com.": public4}}
	records := []report.Record{{SourceIP: public4}, {SourceIP: public4}, {}, {SourceIP: public4}}
	z.enricher(t).Records(t.Context(), records)
	for i, want := range []string{"mail.example.com", "mail.example.com", "", "mail.example.com"} {
		if s := records[i].Source; want == "" && s != nil || want != "" && (s == nil || s.ReverseDNS != want) {
			t.Errorf("record %d: %+v", i, s)
		}
	}
	if z.reverse != 1 || records[0].Source == records[1].Source {
		t.Errorf("%d questions", z.reverse)
	}
}

func TestAnswersAreBounded(t *testing.T) {
	z := &zone{}
	e := z.enricher(t)
	for i := range 2 * maxAnswers {
		sourceOf(t, e, fmt.Sprintf("2620:4f:8000::%x", i))
	}
	if n := len(e.dns.answers); n > maxAnswers {
		t.Errorf("keeps %d answers", n)
	}
	if z.reverse != 2*maxAnswers {
		t.Errorf("%d questions", z.reverse)
	}
}
