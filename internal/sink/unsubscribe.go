package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/profile"
	"github.com/fblwatch/fblwatch/internal/remote"
)

// TypeUnsubscribe is the type of a sink that unsubscribes complainants (RFC 8058).
const TypeUnsubscribe = "unsubscribe"

// UnsubscribeConfig are the keys of the type unsubscribe. A host is lists.example.com,
// .example.com for all below it, or either with a port; without one it is 443.
type UnsubscribeConfig struct {
	Hosts        []string `yaml:"hosts"`         // of URLs that it may use
	PrivateHosts []string `yaml:"private_hosts"` // likewise, and they may have private addresses
}

const (
	maxUnsubscribeURL = 2000                         // octets
	oneClick          = "List-Unsubscribe=One-Click" // RFC 8058 section 3.1
)

var unsubscribeRate = Rate{N: 2, Per: time.Second}

// Why it has no use for a record. Each is a count, too.
const (
	skipNoOneClick = "the message has no one-click unsubscription"
	skipNoHost     = "no https URL of a host that the config names"
)

var unsubscribeKind = kind{
	keys: func(c *Config) []any { return []any{&c.Unsubscribe, &c.Acting, &c.Limit, &c.Remote} },
	validate: func(c Config) error {
		if err := c.onlyRemote("ca_file", "timeout"); err != nil {
			return err
		}
		_, err := c.Unsubscribe.targets()
		return err
	},
	open: func(c Config, o Options) (Sink, error) { return openUnsubscribe(c, o.Log) },
	probe: func(ctx context.Context, c Config) (string, error) {
		s, err := openUnsubscribe(c, slog.New(slog.DiscardHandler))
		if err != nil {
			return "", err
		}
		defer s.Close()
		return s.probe(ctx)
	},
}

type unsubscribe struct {
	hosts   []host
	public  *http.Client
	private *http.Client // for hosts that may have private addresses
	pace    *pacer
	log     *slog.Logger

	mu     sync.Mutex
	counts map[string]int64
}

func openUnsubscribe(c Config, log *slog.Logger) (*unsubscribe, error) {
	hosts, err := c.Unsubscribe.targets()
	if err != nil {
		return nil, err
	}
	conf, err := c.Remote.tls().Config()
	if err != nil {
		return nil, err
	}
	limit := c.Remote.timeout(requestTimeout)
	s := &unsubscribe{
		hosts: hosts, pace: c.Limit.Rate.pace(unsubscribeRate), log: log, counts: make(map[string]int64),
		public:  publicClient(limit, remote.IsPublic),
		private: publicClient(limit, func(netip.Addr) bool { return true }),
	}
	for _, client := range []*http.Client{s.public, s.private} {
		client.Transport.(noLocation).TLSClientConfig = conf.Clone()
	}
	return s, nil
}

// clientFor returns the client for a host; nil: the config does not name it.
func (s *unsubscribe) clientFor(name, port string) (client *http.Client) {
	for _, h := range s.hosts {
		if h.has(name, port) && h.private {
			return s.private
		} else if h.has(name, port) {
			client = s.public
		}
	}
	return client
}

// target is where to send a request, and by which client.
type target struct {
	*url.URL
	client *http.Client
}

// target returns the target to unsubscribe a record's complainant with, or why there is
// none: the first of the message's own URLs that is https, of a named host and not too
// long.
func (s *unsubscribe) target(item *delivery.Item) (to target, skip string) {
	r, err := item.Record()
	if err != nil || r.Original == nil || !strings.EqualFold(strings.TrimSpace(r.Original.ListUnsubscribePost), oneClick) {
		return target{}, skipNoOneClick
	}
	for _, text := range r.Original.ListUnsubscribe {
		if to = s.allowed(text); to.client != nil {
			return to, ""
		}
	}
	return target{}, skipNoHost
}

// allowed returns the target that text is, without a client if it is none to use.
func (s *unsubscribe) allowed(text string) target {
	if len(text) > maxUnsubscribeURL || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`\"<>^{|}`+"`", r) }) {
		return target{} // no URI (RFC 3986 section 2)
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.User != nil || u.Opaque != "" {
		return target{}
	}
	name, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = "443"
	}
	u.Scheme, u.Host = "https", net.JoinHostPort(name, port)
	return target{u, s.clientFor(name, port)}
}

// Takes is for Chooser.
func (s *unsubscribe) Takes(item *delivery.Item) (skip string) {
	_, skip = s.target(item)
	return skip
}

func (s *unsubscribe) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	var refused delivery.Refusals
	for i := range items {
		reason, err := s.post(ctx, &items[i])
		switch {
		case err != nil && refused != nil:
			return i, refused // the item comes again, and then its error counts
		case err != nil:
			return i, err
		case reason != "":
			refused = append(refused, delivery.Refusal{First: i, N: 1, Reason: reason})
		}
	}
	if refused != nil {
		return len(items), refused
	}
	return len(items), nil
}

// post unsubscribes one complainant. refused is the answer of a server that knows the
// URL not, or no more.
func (s *unsubscribe) post(ctx context.Context, item *delivery.Item) (refused string, err error) {
	to, skip := s.target(item)
	if skip != "" {
		return skip, nil
	}
	if err := s.pace.wait(ctx); err != nil {
		return "", err
	}
	answer, err := s.request(ctx, to)
	if err != nil {
		return "", fmt.Errorf("sink: %s: %w", to.Host, err)
	}
	s.mu.Lock()
	s.counts["answered "+strconv.Itoa(answer.Status)]++
	s.mu.Unlock()
	s.log.Info("asked to unsubscribe", "record", item.ID, "host", to.Host, "status", answer.Status)
	s.log.Debug("answer to unsubscribe", "record", item.ID, "answer", answer.String())
	switch answer.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity:
		return "answered " + answer.String(), nil
	}
	if answer.Status/100 == 2 {
		return "", nil
	}
	err = fmt.Errorf("sink: %s answered %s", to.Host, answer)
	if after := retryAfter(answer.Header, time.Now()); after > 0 {
		err = &delivery.Later{After: after, Err: err}
	}
	return "", err
}

// request sends the one-click request (RFC 8058 sections 3.1 and 3.2): no cookies, nothing of
// the person but what the URL holds. Its errors do not hold the URL.
func (s *unsubscribe) request(ctx context.Context, to target) (a profile.Answer, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(oneClick))
	if err != nil {
		return a, errors.New("no URL to send a request to")
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("User-Agent", "fblwatch")
	response, err := to.client.Do(request)
	if err != nil {
		if outer := (*url.Error)(nil); errors.As(err, &outer) {
			err = outer.Err
		}
		if errors.Is(err, errNotPublic) {
			err = fmt.Errorf("%w; list the host under private_hosts if that is right", err)
		}
		return a, err
	}
	defer response.Body.Close()
	// What arrives of the answer is for people: its status is enough.
	body, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	return profile.Answer{Status: response.StatusCode, Header: response.Header, Body: body}, nil
}

// Counts returns how often each status was the answer.
func (s *unsubscribe) Counts() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

func (s *unsubscribe) Close() error { return nil }
