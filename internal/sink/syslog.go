package sink

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/delivery"
)

// SyslogConfig are the keys of the type syslog, beside those of RemoteConfig.
type SyslogConfig struct {
	Facility  string `yaml:"facility"`   // "": local0
	Severity  string `yaml:"severity"`   // "": info
	SDID      string `yaml:"sd_id"`      // of the element with the columns, NAME@NUMBER (RFC 5424 section 6.3.2); "": no element
	MaxOctets int    `yaml:"max_octets"` // what the receiver takes of one message; 0: 8192
}

const (
	syslogTimeout = time.Minute
	syslogPort    = "6514" // RFC 5425 section 4.1
	// syslogMost is what a receiver should take (RFC 5425 section 4.3.1), and rsyslog's
	// default. syslogLeast is what each one must take.
	syslogMost  = 8192
	syslogLeast = 2048
	maxSaid     = 64 << 10 // octets that a receiver may send, which has nothing to say
)

// syslogSchemes are the schemes of its URLs; true: with TLS.
var syslogSchemes = map[string]bool{"syslog+tls": true, "syslog": false}

var syslogKind = kind{
	keys:     func(c *Config) []any { return []any{&c.Remote, &c.Syslog} },
	validate: func(c Config) error { return c.Syslog.validate(c.Remote) },
	open:     func(c Config, _ Options) (Sink, error) { return openSyslog(c) },
	probe: func(ctx context.Context, c Config) (string, error) {
		s, err := openSyslog(c)
		if err != nil {
			return "", err
		}
		if err := s.send(ctx, nil); err != nil {
			return "", err
		}
		return s.address + " takes a connection, and ends it when we do", nil
	},
}

func (s SyslogConfig) validate(r RemoteConfig) error {
	if err := r.validate(syslogSchemes); err != nil {
		return err
	}
	_, facility := facilities[cmp.Or(s.Facility, "local0")]
	_, severity := severities[cmp.Or(s.Severity, "info")]
	u := r.parsed()
	switch {
	case r.User != "":
		return errors.New("user is no key of the type syslog; it knows clients by cert_file")
	case u.Path != "" || u.RawQuery != "":
		return errors.New("url has more than a host and a port")
	case u.Scheme == "syslog" && u.Port() == "":
		return errors.New("url names no port; syslog without TLS has none of its own")
	case !facility:
		return errors.New("facility is none of " + names(facilities))
	case !severity:
		return errors.New("severity is none of " + names(severities))
	case s.SDID != "" && !isSDID(s.SDID):
		return errors.New("sd_id is not NAME@NUMBER, of at most 32 octets, such as fblwatch@32473; the number is that of your enterprise (RFC 5424 section 6.3.2)")
	case s.MaxOctets != 0 && s.MaxOctets < syslogLeast:
		return fmt.Errorf("max_octets is below %d, which every receiver takes (RFC 5425 section 4.3.1)", syslogLeast)
	}
	return nil
}

// names lists the keys by their values.
func names(values map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(values), func(a, b string) int { return cmp.Compare(values[a], values[b]) })
	return strings.Join(keys, ", ")
}

// syslog sends records to a syslog server. Each Write has a connection of its own. Syslog has
// no acknowledgement, but a receiver that is told the end of a connection ends it, too,
// once it has read all of it. That is when records count as delivered.
type syslog struct {
	address string
	tls     *tls.Config // nil: without TLS
	timeout time.Duration
	max     int
	form    syslogForm
	buf     []byte // of one message
}

// openSyslog opens a sink of the type syslog: RFC 5424 over TCP with octet counting
// (RFC 6587 section 3.4.1) or TLS (RFC 5425). It connects when there is something to
// send.
func openSyslog(c Config) (*syslog, error) {
	u := c.Remote.parsed()
	s := &syslog{
		address: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), syslogPort)),
		timeout: c.Remote.timeout(syslogTimeout),
		max:     cmp.Or(c.Syslog.MaxOctets, syslogMost),
		form:    c.Syslog.form(),
	}
	s.form.host, _ = os.Hostname() // "" is no name
	if syslogSchemes[u.Scheme] {
		var err error
		if s.tls, err = c.Remote.tls().Config(); err != nil {
			return nil, fmt.Errorf("sink: %w", err)
		}
	}
	return s, nil
}

func (s *syslog) Write(ctx context.Context, items []delivery.Item) (done int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	var refused delivery.Refusals
	fits := make([]*delivery.Item, 0, len(items))
	for i := range items {
		s.buf = s.form.append(s.buf[:0], &items[i])
		if len(s.buf) > s.max {
			reason := fmt.Sprintf("a message of %d octets; max_octets is %d", len(s.buf), s.max)
			refused = append(refused, delivery.Refusal{First: i, N: 1, Reason: reason})
			continue
		}
		fits = append(fits, &items[i])
	}
	if len(fits) > 0 {
		if err := s.send(ctx, fits); err != nil {
			return 0, err
		}
	}
	if refused != nil {
		return len(items), refused
	}
	return len(items), nil
}

func (s *syslog) Close() error { return nil }

// send sends items over a connection of their own, and waits until the receiver has
// read them.
func (s *syslog) send(ctx context.Context, items []*delivery.Item) error {
	err := s.exchange(ctx, items)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("sink: %s: %w", s.address, err)
	}
	return nil
}

func (s *syslog) exchange(ctx context.Context, items []*delivery.Item) error {
	conn, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	w := bufio.NewWriterSize(patient{conn, s.timeout}, 64<<10)
	for _, item := range items {
		s.buf = s.form.append(s.buf[:0], item)
		fmt.Fprintf(w, "%d ", len(s.buf))
		if _, err := w.Write(s.buf); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return end(conn, s.timeout)
}

func (s *syslog) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if s.tls == nil {
		return (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
	}
	return (&tls.Dialer{Config: s.tls}).DialContext(ctx, "tcp", s.address)
}

// patient gives each write the same time.
type patient struct {
	net.Conn
	timeout time.Duration
}

func (p patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(p.timeout)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

var (
	errEarly = errors.New("the receiver ended the connection before it had read everything")
	errSays  = errors.New("the receiver sends data; it is no syslog server")
	errStays = errors.New("the receiver does not end a connection that we have ended; it may not have read everything")
)

// end tells the receiver the end of the connection, and waits for its own: first of TLS,
// then of TCP. A receiver ends a connection by itself when it stops or has too many. If it
// leaves octets unread, its kernel resets the connection: Read or acknowledged reports that.
//
// In TLS the receiver must answer close_notify by close_notify (RFC 5425 section 4.4).
// Older versions of syslog-ng do not, so the end of TCP will do.
func end(conn net.Conn, timeout time.Duration) error {
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if secure, isTLS := conn.(*tls.Conn); isTLS {
		if err := endLayer(secure); err != nil {
			return err
		}
		conn = secure.NetConn()
	}
	plain := conn.(*net.TCPConn)
	if err := endLayer(plain); err != nil {
		return err
	}
	return acknowledged(plain, timeout)
}

// endLayer ends one layer of a connection, and waits until the receiver has ended it.
func endLayer(conn interface {
	io.Reader
	CloseWrite() error
}) error {
	if err := conn.CloseWrite(); err != nil {
		return err
	}
	_, err := io.CopyN(io.Discard, conn, maxSaid)
	switch {
	case err == nil:
		return errSays
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errStays
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil
	}
	return err
}
