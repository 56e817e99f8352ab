package sink

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// errNotPublic means that a name or address of a message leads to no host on the
// Internet, but perhaps to one of our own.
var errNotPublic = errors.New("it is no public address")

// publicClient returns a client for URLs that came from a message, which an attacker may
// have written. It connects only to addresses that isPublic allows (remote.IsPublic), whatever
// a name is resolved to at that moment. It uses no proxy, which would resolve the name again,
// keeps no connection and no cookie, follows no redirect, and takes limit for all of a request.
func publicClient(limit time.Duration, isPublic func(netip.Addr) bool) *http.Client {
	dialer := &net.Dialer{Timeout: limit, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || !isPublic(to.Addr()) {
			return fmt.Errorf("%s: %w", address, errNotPublic)
		}
		return nil
	}}
	return &http.Client{
		Timeout: limit,
		Transport: noLocation{&http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, DisableKeepAlives: true,
			DisableCompression: true, MaxResponseHeaderBytes: maxAnswerHeader,
		}},
	}
}

// noLocation hides where a redirect leads, so that an http.Client follows none. Told by
// CheckRedirect, the Client would still fail on a Location that it cannot parse, and
// repeat it in the error.
type noLocation struct{ *http.Transport }

func (t noLocation) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.Transport.RoundTrip(request)
	if err == nil {
		response.Header.Del("Location")
	}
	return response, err
}

// maxAnswerHeader is how many octets the header of an answer may have.
const maxAnswerHeader = 64 << 10
