package sink

import (
	"context"
	"errors"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/profile"
)

var (
	errHTTPMode    = errors.New("mode is not digest")
	errDigester    = errors.New("mode: digest needs the profile slack")
	errDigestActs  = errors.New("act is given beside mode: digest, which acts on nobody")
	errDigestPlace = errors.New("url names a value of the record, but a digest is about many")
)

func (c Config) validateHTTPDigest(p profile.Profile, place profile.Path) error {
	if err := c.Digest.validate(); err != nil || c.Digest.Mode == "" {
		return err
	}
	_, digests := p.(profile.Digester)
	switch {
	case c.Digest.Mode != ModeDigest:
		return errHTTPMode
	case !digests:
		return errDigester
	case c.Acting.Act != nil:
		return errDigestActs
	case !place.Fixed():
		return errDigestPlace
	}
	return nil
}

// httpDigest sends digests in the form of a profile.
type httpDigest struct {
	gathered
	client   *httpClient
	place    string
	digester profile.Digester
}

func newHTTPDigest(c Config, o Options, p profile.Profile) (*httpDigest, error) {
	client, err := newHTTPClient(c, p)
	if err != nil {
		return nil, err
	}
	place, err := parsePlace(c.Remote)
	if err != nil {
		return nil, err
	}
	where, _ := place.Of(nil) // it is fixed
	return &httpDigest{gathered{config: c.Digest, dead: o.Dead}, client, where, p.(profile.Digester)}, nil
}

// Send is that of a Gatherer.
func (s *httpDigest) Send(ctx context.Context) error {
	worth, err := s.finish(ctx)
	if err != nil || !worth {
		return err
	}
	r, err := s.digester.Digest(&s.sum)
	if err != nil {
		return err
	}
	answer, err := s.client.do(ctx, s.place, r, "")
	if err != nil {
		return err
	}
	err = s.client.profile.Judge(answer, 1)
	var refused delivery.Refusals
	if errors.As(err, &refused) {
		err = errors.New("answered " + refused[0].Reason) // no record is at fault
	}
	return s.client.explain(answer, err)
}

func (s *httpDigest) Close() error {
	s.client.close()
	return nil
}
