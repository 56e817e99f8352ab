package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

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
	maxUnsubscribeURL = 2000 // octets
	unsubscribeLimit  = 30 * time.Second
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

// onlyRemote reports a key of RemoteConfig with a value that is none of keys.
func (c Config) onlyRemote(keys ...string) error {
	v := reflect.ValueOf(c.Remote)
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("yaml")
		if !v.Field(i).IsZero() && !slices.Contains(keys, key) {
			return fmt.Errorf("%s is no key of the type %s", key, c.Type)
		}
	}
	if c.Remote.Timeout < 0 || c.Remote.Timeout > mostTimeout {
		return errTimeout
	}
	return nil
}

// host is a host, or all hosts below a name that begins with a dot.
type host struct {
	name, port string
	private    bool // it may have a private address
}

var (
	errNoHosts = errors.New("hosts is missing; name the hosts of your unsubscribe URLs, such as lists.example.com")
	errHost    = errors.New("is not of the form lists.example.com, .example.com or lists.example.com:8443")
	hostForm   = regexp.MustCompile(`^\.?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$`)
)

func (u UnsubscribeConfig) targets() (list []host, err error) {
	for i, text := range slices.Concat(u.Hosts, u.PrivateHosts) {
		h, ok := parseHost(text)
		if h.private = i >= len(u.Hosts); !ok && h.private {
			return nil, fmt.Errorf("private_hosts[%d] %w", i-len(u.Hosts), errHost)
		} else if !ok {
			return nil, fmt.Errorf("hosts[%d] %w", i, errHost)
		}
		list = append(list, h)
	}
	if list == nil {
		return nil, errNoHosts
	}
	return list, nil
}

func parseHost(text string) (h host, ok bool) {
	h = host{name: strings.ToLower(text), port: "443"}
	if name, port, err := net.SplitHostPort(h.name); err == nil {
		h.name, h.port = name, port
	}
	if n, err := strconv.ParseUint(h.port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != h.port {
		return host{}, false
	}
	if ip, err := netip.ParseAddr(h.name); err == nil {
		return h, ip.Zone() == ""
	}
	if below, is := strings.CutPrefix(h.name, "."); is {
		if registry, _ := publicsuffix.PublicSuffix(below); registry == below {
			return host{}, false // anybody may have a host below .com
		}
	}
	return h, hostForm.MatchString(h.name)
}

func (h host) has(name, port string) bool {
	if h.name[0] == '.' {
		return port == h.port && strings.HasSuffix(name, h.name) && name[0] != '.' && hostForm.MatchString(name)
	}
	return port == h.port && name == h.name
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
	limit := c.Remote.timeout(unsubscribeLimit)
	s := &unsubscribe{
		hosts: hosts, pace: c.Limit.Rate.pace(unsubscribeRate), log: log, counts: make(map[string]int64),
		public:  publicClient(limit, remote.IsPublic),
		private: publicClient(limit, func(netip.Addr) bool { return true }),
	}
	for _, client := range []*http.Client{s.public, s.private} {
		client.Transport.(*http.Transport).TLSClientConfig = conf.Clone()
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

// retryAfter is when a server wants the next request, from now on; 0: it does not say
// (RFC 9110 section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// Counts returns how often each status was the answer.
func (s *unsubscribe) Counts() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}

func (s *unsubscribe) Close() error { return nil }

// probe connects to each host, and sends no request.
func (s *unsubscribe) probe(ctx context.Context) (said string, err error) {
	var there, below []string
	for _, h := range s.hosts {
		if h.name[0] == '.' {
			below = append(below, h.name)
			continue
		}
		address := net.JoinHostPort(h.name, h.port)
		if err := connect(ctx, s.clientFor(h.name, h.port), h.name, address); err != nil {
			return "", fmt.Errorf("%s: %w", address, err)
		}
		there = append(there, h.name)
	}
	if said = strings.Join(there, ", ") + " answers with a certificate"; there == nil {
		said = "not tried: below " + strings.Join(below, ", ") + " no host is named"
	}
	return said, nil
}

// connect makes a TLS connection as client would.
func connect(ctx context.Context, client *http.Client, name, address string) error {
	ctx, stop := context.WithTimeout(ctx, client.Timeout)
	defer stop()
	transport := client.Transport.(*http.Transport)
	conn, err := transport.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	conf := transport.TLSClientConfig.Clone()
	conf.ServerName = name
	return tls.Client(conn, conf).HandshakeContext(ctx)
}
