package process

import (
	"bytes"
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/fblwatch/fblwatch/internal/enrich"
	"github.com/fblwatch/fblwatch/internal/privacy"
	"github.com/fblwatch/fblwatch/internal/sample"
	"github.com/fblwatch/fblwatch/report"
)

// Reading again lifts no brake, and a rule that makes many yes at once meets it.
func TestReprocessBrake(t *testing.T) {
	g := Rules{Trust: checker(t, trusting())}
	g.Brake = NewBrake(0, nil) // the day is full
	s := shelve(t, g, sample.Signed(1), 1<<20)
	s.is("review*")
	if got := s.again(Rules{Trust: checker(t, trusting())}); got != Same {
		t.Errorf("held back: %s", got)
	}

	s = shelve(t, Rules{}, sample.Signed(1), 1<<20)
	s.is("review")
	if got := s.again(g); got != Revises {
		t.Errorf("trusted now: %s", got)
	}
	s.is("review*")

	s = shelve(t, Rules{Trust: checker(t, trusting())}, sample.Signed(1), 1<<20)
	if got := s.again(g); got != Same {
		t.Errorf("acted upon: %s", got)
	}
	s.is("yes")
}

// is fails the test unless the shelf has one record of that verdict, with an
// asterisk where the brake held it back.
func (s shelf) is(want string) {
	s.t.Helper()
	var got []string
	for _, r := range s.records() {
		verdict := string(r.Suppress.Verdict)
		if slices.Contains(r.Suppress.Codes, report.CodeOverBrake) {
			verdict += "*"
		}
		got = append(got, verdict)
	}
	if !slices.Equal(got, []string{want}) {
		s.t.Errorf("verdicts %q, want %q", got, want)
	}
}

// resolver is a DNS in which 192.0.2.1 has a name, or that never answers.
type resolver struct{ silent bool }

func (r resolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	if r.silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return []string{"mail.example.com."}, nil
}

func (r resolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{publicAddress}, nil
}

// publicAddress is nobody's: AS112's (RFC 7535).
var publicAddress = netip.MustParseAddr("2620:4f:8000::1:1")

// TestReprocessSource: what was not known of the address when the message came is
// added; what was known stands, whatever the DNS says today.
func TestReprocessSource(t *testing.T) {
	message := bytes.Replace(sample.Report(1, 0), []byte("Source-IP: 192.0.2.2\r\n"), []byte("Source-IP: "+publicAddress.String()+"\r\n"), 1)
	for name, filter := range map[string]*privacy.Filter{"plain": nil, "hashed": filter(t, "hash", "keep")} {
		t.Run(name, func(t *testing.T) {
			reading := func(dns resolver) Rules {
				e, err := enrich.New(enrich.Config{ReverseDNS: true, Timeout: time.Millisecond}, dns)
				if err != nil {
					t.Fatal(err)
				}
				return Rules{Enrich: e, Privacy: filter}
			}
			s := shelve(t, reading(resolver{silent: true}), message, 1<<20)
			if got := s.records()[0]; got.Source != nil {
				t.Fatalf("%+v", got.Source)
			}
			if outcome := s.again(reading(resolver{silent: true})); outcome != Same {
				t.Errorf("while the DNS is silent: %s", outcome)
			}
			if outcome := s.again(reading(resolver{})); outcome != Revises {
				t.Errorf("once it answers: %s", outcome)
			}
			got := s.records()[0]
			if got.Revision != 2 || got.Source == nil || got.Source.ReverseDNS != "mail.example.com" {
				t.Errorf("revision %d: %+v", got.Revision, got.Source)
			}
			for _, g := range []Rules{reading(resolver{}), reading(resolver{silent: true}), {Privacy: filter}} {
				if outcome := s.again(g); outcome != Same {
					t.Errorf("afterwards: %s", outcome)
				}
			}
		})
	}
}
