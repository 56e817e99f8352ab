package sink

import (
	"context"
	"errors"
	"regexp"
	"strconv"
	"time"
)

// RateConfig is the key of the types that limit how much they send.
type RateConfig struct {
	Rate Rate `yaml:"rate"` // "": the type's own
}

// Rate is so many a length of time: 2/s, 30/m, 100/h, 1000/d. The zero value is no rate.
type Rate struct {
	N   int
	Per time.Duration
}

var (
	errRate  = errors.New("rate is not of the form 2/s, 30/m, 100/h or 1000/d")
	rateForm = regexp.MustCompile(`^([1-9][0-9]{0,5})/([smhd])$`)
	rateUnit = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
)

// UnmarshalText reads a Rate.
func (r *Rate) UnmarshalText(text []byte) error {
	parts := rateForm.FindStringSubmatch(string(text))
	if parts == nil {
		return errRate
	}
	n, err := strconv.Atoi(parts[1])
	*r = Rate{N: n, Per: rateUnit[parts[2]]}
	return err
}

// pacer keeps events apart. It is not for concurrent use.
type pacer struct {
	apart time.Duration
	next  time.Time
}

// pace returns a pacer for r, or for own if r is zero.
func (r Rate) pace(own Rate) *pacer {
	if r == (Rate{}) {
		r = own
	}
	return &pacer{apart: r.Per / time.Duration(r.N)}
}

// wait returns when the next event may be, or when ctx ends.
func (p *pacer) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if pause := time.Until(p.next); pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.next = time.Now().Add(p.apart)
	return nil
}
