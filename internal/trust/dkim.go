package trust

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fblwatch/fblwatch/report"
)

const (
	maxSignatures = 5                  // DKIM-Signatures that are verified
	maxAge        = 7 * 24 * time.Hour // a signer may withdraw or publish its key after that time
)

var (
	errExpired = errors.New("signature: expired before the message came")
	errLate    = errors.New("signature: expired since the message came")
	errStrict  = errors.New("signature: its key is not for domains below (t=s)")
)

// tooOld is the verdict on a message that is older than maxAge.
var tooOld = because(report.AuthUnchecked, report.CodeOld, "older than 7 days: its signatures prove nothing any more")

// codeOf is the code of an error of a signature.
func codeOf(err error) report.Code {
	switch {
	case errors.Is(err, errUnavailable):
		return report.CodeDNS
	case errors.Is(err, errNoKey), errors.Is(err, errKey), errors.Is(err, errTesting):
		return report.CodeKey
	case errors.Is(err, errLate):
		return report.CodeOld
	case errors.Is(err, errLimits):
		return report.CodeBeyond
	}
	return report.CodeDKIMFail
}

// signatures reads the DKIM-Signatures; err: one is beyond the limits. One that
// is malformed has no domain.
func (m *signable) signatures() (sigs []signature, err error) {
	for _, f := range m.named("dkim-signature") {
		s, wrong := readSignature(f)
		if errors.Is(wrong, errLimits) {
			return nil, wrong
		}
		if wrong != nil {
			s = signature{field: f, length: -1}
		}
		sigs = append(sigs, s)
	}
	return sigs, nil
}

// dkim verifies the signatures that may speak for from, until one decides. If the
// message is older than maxAge, they prove nothing by themselves: a good one of said, the
// domain for which a server says dkim=pass, confirms that; a bad one proves nothing.
func (c *Checker) dkim(ctx context.Context, m *signable, sigs []signature, from, said string, whole bool, received time.Time) verdict {
	relevant, old := c.relevant(sigs, from), c.now().Sub(received) > maxAge
	switch {
	case len(sigs) == 0:
		return because(report.AuthNone, report.CodeUnsigned, "not signed")
	case len(relevant) == 0:
		return because(report.AuthNone, report.CodeUnsigned, "not signed by "+from)
	case !c.config.Verifies():
		return because(report.AuthUnchecked, report.CodeDKIMOff, "signatures are not verified: trust.dkim is off")
	case old && said == "":
		return tooOld
	case !whole:
		return verdict{auth: report.AuthUnchecked, reason: needsWhole}
	}
	if old {
		relevant = slices.DeleteFunc(relevant, func(s signature) bool { return !below(said, s.domain) })
	}
	best := verdict{auth: report.AuthFail, method: "dkim"}
	for i := range relevant {
		if i == maxSignatures {
			if best.auth == report.AuthFail {
				best = because(report.AuthUnchecked, report.CodeBeyond, fmt.Sprintf("signature: none of the first %d of %d verifies; the others are not checked", maxSignatures, len(relevant)))
			}
			break
		}
		var v verdict
		if err := c.verify(ctx, m, &relevant[i], received); err == nil {
			v = m.vouched("dkim", relevant[i].domain, relevant[i:i+1], whole)
		} else if code := codeOf(err); code == report.CodeDKIMFail {
			v = verdict{auth: report.AuthFail, method: "dkim", reason: report.Reason{Code: code, Text: err.Error()}}
		} else {
			v = because(report.AuthUnchecked, code, err.Error())
		}
		if v.better(best) {
			best = v
		}
		if best.auth == report.AuthPass && best.coverage == "full" {
			break
		}
	}
	if code := best.reason.Code; old && (best.auth == report.AuthFail && code != report.CodeReframed || code == report.CodeKey) {
		return tooOld
	}
	return best
}

// relevant gives the signatures that may speak for from, those of known
// reporters first.
func (c *Checker) relevant(sigs []signature, from string) []signature {
	var known, others []signature
	for _, s := range sigs {
		switch {
		case !c.aligned(s.domain, from):
		case c.known(s.domain, c.from):
			known = append(known, s)
		default:
			others = append(others, s)
		}
	}
	return append(known, others...)
}

// expired is what the x= of a signature makes of it, whatever it is worth.
func (c *Checker) expired(s *signature, received time.Time) error {
	switch {
	case s.expires.IsZero() || !c.now().After(s.expires):
		return nil
	case received.After(s.expires):
		return errExpired
	}
	return errLate
}

// verify verifies one signature by the keys that the DNS has of it.
func (c *Checker) verify(ctx context.Context, m *signable, s *signature, received time.Time) error {
	if err := c.expired(s, received); err != nil {
		return err
	}
	if err := s.valid(); err != nil {
		return err
	}
	keys, err := c.keys.lookup(ctx, s.keyName(), c.known(s.domain, c.from))
	if err != nil {
		return fmt.Errorf("%w: %s", err, shown(s.keyName()))
	}
	if i, there := s.tags["i"]; there && domainOf(i) != s.domain {
		if keys = lenient(keys); len(keys) == 0 {
			return errStrict
		}
	}
	return s.verifyMessage(m, keys)
}
