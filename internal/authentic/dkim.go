package authentic

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"github.com/fblwatch/fblwatch/report"
)

const (
	maxSignatures = 5                  // DKIM-Signatures that are verified, from the top
	maxAge        = 7 * 24 * time.Hour // a signer may take its key away, or publish it, by then
)

var (
	errExpired = errors.New("signature: expired before the mail came")
	errLate    = errors.New("signature: expired since the mail came")
)

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
func (m *message) signatures() (sigs []signature, err error) {
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

// dkim verifies the signatures that may speak for from.
func (c *Checker) dkim(ctx context.Context, m *message, sigs []signature, from string, whole bool, received time.Time) verdict {
	sigs = sigs[:min(len(sigs), maxSignatures)]
	none := because(authNone, report.CodeUnsigned, "not signed")
	relevant := false
	for i := range sigs {
		relevant = relevant || c.aligned(sigs[i].domain, from)
		none.reason.Text = "not signed by " + from
	}
	switch {
	case !relevant:
		return none
	case !c.config.DKIM:
		return because(unchecked, report.CodeDKIMOff, "signatures are not verified: trust.dkim is off")
	case c.now().Sub(received) > maxAge:
		return because(unchecked, report.CodeOld, "older than 7 days: its signatures prove nothing any more")
	case !whole:
		return verdict{auth: unchecked, reason: needsWhole}
	}

	errs := make([]error, len(sigs))
	records := make(map[string]string)
	for i := range sigs {
		if s := &sigs[i]; c.aligned(s.domain, from) {
			errs[i] = c.prepare(ctx, m, s, received, records)
		} else {
			errs[i] = errMalformed
		}
	}
	if len(records) > 0 {
		verify(m, sigs, errs, records)
	}

	best := verdict{auth: fail, method: "dkim"}
	for i := range sigs {
		s := &sigs[i]
		if !c.aligned(s.domain, from) {
			continue
		}
		v := verdict{auth: fail, method: "dkim"}
		switch err := errs[i]; {
		case err == nil:
			v = m.pass("dkim", s.domain, sigs[i:i+1], whole)
		case errors.Is(err, errNoKey), errors.Is(err, errKey), errors.Is(err, errTesting), errors.Is(err, errUnavailable), errors.Is(err, errLate):
			v = because(unchecked, codeOf(err), err.Error())
		default:
			v.reason = report.Reason{Code: codeOf(err), Text: err.Error()}
		}
		if v.better(best) {
			best = v
		}
	}
	return best
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

// prepare looks up the key of a signature and verifies what go-msgauth does not:
// one with an l=. What is left to go-msgauth stands in records afterwards.
func (c *Checker) prepare(ctx context.Context, m *message, s *signature, received time.Time, records map[string]string) error {
	if err := c.expired(s, received); err != nil {
		return err
	}
	name := keyName(s.selector, s.domain)
	record, err := c.keys.lookup(ctx, name)
	if err != nil {
		return err
	}
	key, err := readKey(record)
	if err != nil {
		return err
	}
	if !s.speaksFor(key) {
		return errMalformed
	}
	if s.length < 0 {
		records[name] = record
		return nil
	}
	if s.tags["v"] != "1" || !s.covers("from") {
		return errMalformed
	}
	return s.verifyMessage(m, key)
}

// verify has go-msgauth verify the signatures that have no error yet, with the
// keys that are at hand; it asks nobody.
func verify(m *message, sigs []signature, errs []error, records map[string]string) {
	found, err := dkim.VerifyWithOptions(bytes.NewReader(m.all), &dkim.VerifyOptions{
		MaxVerifications: maxSignatures,
		LookupTXT: func(name string) ([]string, error) {
			for known, record := range records {
				if canonical(name) == canonical(known) {
					return []string{record}, nil
				}
			}
			return nil, errNoKey
		},
	})
	if errors.Is(err, dkim.ErrTooManySignatures) {
		err = nil
	}
	for i := range sigs {
		switch {
		case errs[i] != nil || sigs[i].length >= 0:
		case err != nil || len(found) != len(sigs) || canonical(found[i].Domain) != sigs[i].domain:
			errs[i] = errMalformed
		case found[i].Err != nil:
			errs[i] = fmt.Errorf("%w (%v)", errAltered, found[i].Err)
		}
	}
}
