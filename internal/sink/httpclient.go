package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/profile"
)

const (
	connectTimeout = 15 * time.Second // TCP connection, and TLS handshake, each
	idleTimeout    = 90 * time.Second // of a connection between requests
	mostRedirects  = 3
)

// httpClient sends requests to one server, one at a time.
type httpClient struct {
	base    *url.URL
	profile profile.Profile
	auth    auth
	headers map[string]imapclient.Secret
	limit   time.Duration // of one request

	// transport follows no redirect, keeps no cookie, and names no URL in its errors.
	transport http.RoundTripper
}

func newHTTPClient(c Config, p profile.Profile) (*httpClient, error) {
	tlsConfig, err := c.Remote.tls().Config()
	if err != nil {
		return nil, err
	}
	limit := c.Remote.timeout(requestTimeout)
	return &httpClient{
		base: c.Remote.parsed(), profile: p, limit: limit, headers: c.Profile.Headers,
		auth: newAuth(c),
		transport: &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: connectTimeout}).DialContext, TLSHandshakeTimeout: connectTimeout,
			TLSClientConfig: tlsConfig, ForceAttemptHTTP2: true, IdleConnTimeout: idleTimeout,
			MaxResponseHeaderBytes: maxAnswerHeader, DisableCompression: true,
		},
	}, nil
}

// ownHeaders are the fields that the sink sets itself.
var ownHeaders = []string{
	"Host", "Content-Length", "Content-Type", "Transfer-Encoding", "Connection", "Trailer", profile.IdempotencyKey,
	"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature",
}

// checkHeaders checks the names of a config's headers. authorized: the config has
// another key for Authorization.
func checkHeaders(headers map[string]imapclient.Secret, authorized bool) error {
	for name := range headers {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case slices.Contains(ownHeaders, canonical):
			return fmt.Errorf("headers.%s is set by the sink itself", name)
		case authorized && canonical == "Authorization":
			return errors.New("headers.Authorization is given beside user or token; write one of them")
		}
	}
	return nil
}

func (c *httpClient) close() {
	if t, ok := c.transport.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// do makes one attempt: it adds what is new in each, and follows redirects. place is the
// URL's path and query before those of r. key is the Idempotency-Key, "" for none.
func (c *httpClient) do(ctx context.Context, place string, r profile.Request, key string) (profile.Answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.limit, fmt.Errorf("no whole answer within %v", c.limit))
	defer cancel()
	answer, err := c.attempt(ctx, place, r, key)
	if err == nil {
		return answer, nil
	}
	c.auth.forget()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return answer, c.failure(err)
}

func (c *httpClient) attempt(ctx context.Context, place string, r profile.Request, key string) (profile.Answer, error) {
	to, err := c.target(place, r.Path)
	if err != nil {
		return profile.Answer{}, err
	}
	if r.Method == "" {
		r.Method = http.MethodPost
	}
	r.Header = r.Header.Clone()
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	if key != "" {
		r.Header.Set(profile.IdempotencyKey, key)
	}
	if r.Method != http.MethodHead {
		if err := c.profile.Sign(&r, time.Now()); err != nil {
			return profile.Answer{}, fmt.Errorf("signature: %w", err)
		}
	}
	r.Header.Set("User-Agent", "fblwatch")
	for name, value := range c.headers {
		r.Header.Set(name, value.Reveal())
	}
	authorization, err := c.auth.header(ctx)
	if err != nil {
		return profile.Answer{}, err
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization.Reveal())
	}
	for redirects := 0; ; redirects++ {
		request, err := http.NewRequestWithContext(ctx, r.Method, to.String(), bytes.NewReader(r.Body))
		if err != nil {
			return profile.Answer{}, err
		}
		request.Header = r.Header
		answer, err := c.exchange(request)
		if err != nil || !redirected(answer.Status) {
			return answer, err
		}
		if to, err = redirectOf(to, answer, redirects); err != nil {
			return answer, err
		}
	}
}

// exchange sends a request, and reads the answer.
func (c *httpClient) exchange(request *http.Request) (a profile.Answer, err error) {
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return a, err
	}
	defer response.Body.Close()
	a = profile.Answer{Status: response.StatusCode, Header: response.Header}
	if a.Body, err = io.ReadAll(io.LimitReader(response.Body, profile.MaxAnswer)); err != nil {
		return a, fmt.Errorf("its answer was cut: %w", err)
	}
	a.Body = c.mask(a.Body, request.Header)
	return a, nil
}

var errPath = errors.New("the profile's path does not begin with a slash or a question mark")

// target is the URL of a request. The host is that of the config, whatever the path is.
func (c *httpClient) target(place, path string) (*url.URL, error) {
	place, query, _ := strings.Cut(place, "?")
	if path != "" {
		if path[0] != '/' && path[0] != '?' {
			return nil, errPath
		}
		below, more, _ := strings.Cut(path, "?")
		if below != "" {
			place = strings.TrimSuffix(place, "/") + below
		}
		query = strings.Trim(query+"&"+more, "&")
	}
	to, err := url.Parse(originOf(c.base) + place)
	if err != nil || to.Host != c.base.Host {
		return nil, errPath // not err: it holds the URL
	}
	to.RawQuery = query
	return to, nil
}

func redirected(status int) bool {
	return slices.Contains([]int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect}, status)
}

// redirectOf returns where a redirect leads: on the same host, and not away from TLS.
func redirectOf(from *url.URL, answer profile.Answer, redirects int) (*url.URL, error) {
	location := answer.Header.Get("Location")
	to, err := from.Parse(location)
	switch {
	case err != nil, location == "", to.Hostname() == "", to.Scheme != "http" && to.Scheme != "https":
		return nil, fmt.Errorf("answered %d and leads nowhere", answer.Status)
	case answer.Status == http.StatusSeeOther: // another page than the one that takes records, such as a login
		return nil, fmt.Errorf("answered %d, see %s; check the path of url", answer.Status, shownURL(to))
	case !strings.EqualFold(to.Hostname(), from.Hostname()) || to.Scheme == from.Scheme && to.Port() != from.Port() || from.Scheme == "https" && to.Scheme != "https":
		return nil, fmt.Errorf("answered %d and leads to %s; write that url if it is right", answer.Status, shownURL(to))
	case redirects == mostRedirects:
		return nil, fmt.Errorf("leads on and on, at last to %s", shownURL(to))
	}
	to.User, to.Fragment = nil, ""
	return to, nil
}

// originOf is a URL's scheme, host and port.
func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }
