package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"
)

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
	transport := client.Transport.(noLocation)
	conn, err := transport.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	conf := transport.TLSClientConfig.Clone()
	conf.ServerName = name
	return tls.Client(conn, conf).HandshakeContext(ctx)
}
