package sink

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/plainfile"
	"github.com/fblwatch/fblwatch/internal/profile"
	"github.com/fblwatch/fblwatch/internal/remote"
)

// HTTPConfig are the keys of the type http beside those of RemoteConfig, DigestConfig and
// profile.Options.
type HTTPConfig struct {
	Token     imapclient.Secret `yaml:"token"` // sent as Authorization: Bearer TOKEN (RFC 6750)
	TokenFile string            `yaml:"token_file"`
}

var httpKind = kind{
	keys:     func(c *Config) []any { return []any{&c.HTTP, &c.Acting, &c.Remote, &c.Profile, &c.Digest} },
	validate: validateHTTP,
	open:     openHTTP,
	probe:    probeHTTP,
}

var httpSchemes = map[string]bool{"https": true, "http": false}

// requestTimeout is how long a receiver may take for one request.
const requestTimeout = 30 * time.Second

var (
	errToken   = errors.New("token_file is given beside token; write one of them")
	errTwoAuth = errors.New("token is given beside user; write one of them")
)

func validateHTTP(c Config) error {
	if err := c.Remote.validate(httpSchemes); err != nil {
		return err
	}
	token := c.HTTP.source()
	switch {
	case token.Ways() > 1:
		return errToken
	case token.Ways() > 0 && c.Remote.User != "":
		return errTwoAuth
	}
	if err := checkHeaders(c.Profile.Headers, c.Remote.User != "" || token.Ways() > 0); err != nil {
		return err
	}
	place, err := parsePlace(c.Remote)
	if err != nil {
		return err
	}
	p, err := profile.New(c.profileOptions())
	if err != nil {
		return err
	}
	return c.validateHTTPDigest(p, place)
}

func (c HTTPConfig) source() remote.Source {
	return remote.Source{Key: "token", Value: c.Token, File: c.TokenFile}
}

// defaultProfile is the profile of a sink that names none.
const defaultProfile = "native"

const maxSigningKey = 64 << 10 // octets

func (c Config) profileOptions() profile.Options {
	o := c.Profile
	o.Profile = cmp.Or(o.Profile, defaultProfile)
	switch {
	case o.SigningKey != "":
		o.Secret = func() ([]byte, error) { return []byte(o.SigningKey.Reveal()), nil }
	case o.SigningKeyFile != "":
		o.Secret = func() ([]byte, error) { return plainfile.Read(context.Background(), o.SigningKeyFile, maxSigningKey) }
	}
	return o
}

// httpSink sends items as requests that a profile writes. The requests of a Write are
// stored before the first one is sent. After a failure or a crash they are sent again
// unchanged.
type httpSink struct {
	name    string
	profile profile.Profile
	client  *httpClient
	place   profile.Path
	batches batches
}

func openHTTP(c Config, o Options) (Sink, error) {
	p, err := profile.New(c.profileOptions())
	if err != nil {
		return nil, err
	}
	if c.Digest.Mode == ModeDigest {
		return newHTTPDigest(c, o, p)
	}
	return newHTTP(c, o, p)
}

func newHTTP(c Config, o Options, p profile.Profile) (*httpSink, error) {
	client, err := newHTTPClient(c, p)
	if err != nil {
		return nil, err
	}
	place, err := parsePlace(c.Remote)
	if err != nil {
		return nil, err
	}
	settled, err := yaml.Marshal(c.Profile) // secrets are not in it
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(c.Remote.URL), settled...))
	return &httpSink{
		name: c.Name, profile: p, client: client, place: place,
		batches: batches{sink: c.Name, log: o.Log, stored: o.Stored, config: hex.EncodeToString(sum[:8])},
	}, nil
}

// Takes leaves out what the profile has no use for, and what has no place in the URL.
func (s *httpSink) Takes(item *delivery.Item) (skip string) {
	if skip := s.profile.Takes(item); skip != "" {
		return skip
	}
	_, skip = s.place.Of(item)
	return skip
}

// Resends is for Resender.
func (s *httpSink) Resends() bool { return s.batches.stored != nil }

func (s *httpSink) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var refused delivery.Refusals
	for done < len(items) {
		requests, beside, err := s.batch(ctx, items[done:])
		if err == nil {
			var n int
			n, refused, err = s.sendAll(ctx, requests, done, refused)
			done += n
		}
		if err == nil && !beside {
			s.batches.drop(items[0].FolderID)
		}
		if err != nil && len(refused) == 0 {
			return done, err
		} else if err != nil || groupAtEnd(refused) {
			return done, refused // Pump comes back with the rest
		}
	}
	if len(refused) > 0 {
		return done, refused
	}
	return done, nil
}

// groupAtEnd reports whether the last refusal is about several items.
func groupAtEnd(refused delivery.Refusals) bool {
	return len(refused) > 0 && refused[len(refused)-1].N > 1
}

// sendAll sends requests for the items from first on, until one fails or is refused as a
// group. n is the number of items of those before, and of those refused. It adds refusals
// of items to refused.
func (s *httpSink) sendAll(ctx context.Context, requests []request, first int, refused delivery.Refusals) (n int, _ delivery.Refusals, err error) {
	for i := range requests {
		r := &requests[i]
		err := s.send(ctx, r)
		var some delivery.Refusals
		if errors.As(err, &some) && some.Fit(r.N) {
			for _, one := range some {
				one.First += first + n
				refused = append(refused, one)
			}
			err = nil
		}
		if err != nil {
			return n, refused, err
		}
		n += r.N
		if groupAtEnd(refused) {
			break
		}
	}
	return n, refused, nil
}

// send sends a request and judges the answer.
func (s *httpSink) send(ctx context.Context, r *request) error {
	if r.Refused != "" {
		return delivery.Refusals{{N: 1, Reason: r.Refused}}
	}
	answer, err := s.client.do(ctx, r.Place, r.Request, r.Key)
	if err != nil {
		return err
	}
	return s.client.explain(answer, s.profile.Judge(answer, r.N))
}

func (s *httpSink) Close() error {
	s.client.close()
	return nil
}
