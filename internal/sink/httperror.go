package sink

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
	"github.com/fblwatch/fblwatch/internal/profile"
)

// failure says where a request failed without an answer, and what to do about it.
func (c *httpClient) failure(err error) error {
	hint := ""
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, new(x509.UnknownAuthorityError)):
		hint = "; name the certificate of its authority in ca_file, or its own fingerprint in pin"
	case errors.As(err, new(x509.HostnameError)):
		hint = "; write the host of url as the certificate has it, or its fingerprint in pin"
	case errors.As(err, &header):
		hint = "; the port may be one without TLS"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		hint = "; the receiver ended the connection before its answer was complete"
	}
	return fmt.Errorf("%s: %w%s", shownURL(c.base), err, hint)
}

// explain says of a judgement where it comes from, what to do about it, and when to try
// again. Refusals stay as they are.
func (c *httpClient) explain(answer profile.Answer, err error) error {
	if err == nil || errors.As(err, new(delivery.Refusals)) {
		return err
	}
	c.auth.forget()
	hint := ""
	switch answer.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		hint = "; check " + c.authKeys()
	case http.StatusNotFound, http.StatusGone, http.StatusMethodNotAllowed:
		hint = "; check the path of url"
	case http.StatusProxyAuthRequired:
		hint = "; check the proxy of the environment"
	}
	later := (*delivery.Later)(nil)
	named := errors.As(err, &later)
	err = fmt.Errorf("%s: %w%s", shownURL(c.base), err, hint)
	if after := retryAfter(answer.Header, time.Now()); after > 0 && !named {
		return &delivery.Later{After: after, Err: err}
	}
	return err
}

// authKeys names the keys of the config that prove who we are.
func (c *httpClient) authKeys() string {
	switch {
	case c.auth.user != "":
		return "user and password, and what that user may do there"
	case c.auth.source.Ways() > 0:
		return "token, and what it allows"
	case len(c.headers) > 0:
		return "headers"
	}
	return "what proof the receiver wants: token_file, or user with password_file, or signing_key"
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
