package imapclient

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

// Security is how the connection is encrypted.
type Security int

const (
	ImplicitTLS Security = iota // TLS from the first octet (RFC 8314), port 993
	STARTTLS                    // TLS by command (RFC 9051 section 6.2.1), port 143; ErrNoSTARTTLS if the server does not offer it
	NoTLS                       // no TLS, port 143; to loopback addresses only, unless Options.Insecure
)

// Options are the server and the way to open a session. Set Host and Login; the
// zero value of every other field is usable.
type Options struct {
	// Account is the Account of every callbacks.Mailbox. It is for people.
	Account string

	Host     string   // name or IP address
	Port     int      // 0: 993 for ImplicitTLS, 143 otherwise
	Security Security // default: ImplicitTLS

	// TLS is cloned. ServerName defaults to Host. MinVersion is at least TLS 1.2.
	// Set RootCAs to trust other authorities, and Certificates to log in by
	// EXTERNAL.
	TLS *tls.Config

	// Pin, if set, is the only certificate or public key that is accepted. Its
	// signature, names and dates do not matter then. Another certificate is
	// ErrPin.
	Pin Pin

	// Insecure allows a login without TLS (NoTLS), or with unverified TLS
	// (TLS.InsecureSkipVerify without a Pin or a Verify function), at a host that
	// is not loopback. Otherwise Dial returns ErrInsecure there.
	Insecure bool

	// Compress is when to ask for COMPRESS.
	Compress Compression

	// NoID suppresses the ID command (RFC 2971). By default a server that offers
	// ID gets the name and version of this module.
	NoID bool

	// Login returns the credentials for a trial to log in. After a refusal Login
	// is called again, with Trial one higher, at most ten times. An error ends
	// the trials, and Dial returns it. Each trial has a connection of its own.
	// Login runs on the goroutine of Dial.
	Login func(context.Context, Challenge) (Credentials, error)

	// Handler receives the events; nil is callbacks.Nop.
	Handler callbacks.Handler

	// Quirks is what earlier sessions with this server have learned; nil: learn
	// for this session only.
	Quirks *Quirks

	// Debug turns on Handler.Debug, which costs time.
	Debug bool

	// Dial replaces the TCP dialer, in tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Timeouts Timeouts
}

// Challenge is the server's request to log in.
type Challenge struct {
	Trial      int      // number of the trial, from 1
	Mechanisms []string // SASL mechanisms that the server offers, upper case
	Last       error    // the refusal of the previous trial, an *AuthError; nil in the first trial
}

// Credentials answer a Challenge. With a Token the mechanism is OAUTHBEARER (RFC
// 7628) or XOAUTH2. With a Password it is PLAIN (RFC 4616), LOGIN, or the LOGIN
// command (RFC 9051 section 6.2.3). With both, the password serves if the server
// offers neither token mechanism. With none it is EXTERNAL (RFC 4422): the client
// certificate of Options.TLS.
type Credentials struct {
	Username string // with EXTERNAL the user to act as; empty: the user of the certificate
	Password Secret
	Token    Secret    // an OAuth2 access token
	Expires  time.Time // end of the token's life; zero: not known

	// Mechanism overrides the choice: PLAIN, LOGIN, EXTERNAL, OAUTHBEARER or
	// XOAUTH2. It is used even if the server does not offer it.
	Mechanism string
}

// Timeouts limit every wait of a session. A wait over its limit ends the session
// with a *TimeoutError. A zero field means the default, which the field's comment
// gives.
type Timeouts struct {
	Dial     time.Duration // TCP connection, and TLS handshake, each: 20 s
	Greeting time.Duration // the server's first line: 30 s
	Auth     time.Duration // each whole answer during Dial, after the greeting: 60 s
	Select   time.Duration // silence while a mailbox is opened: 60 s
	Command  time.Duration // silence before the end of any other answer: 60 s
	IdleCont time.Duration // "+" after IDLE: 30 s
	Done     time.Duration // OK after DONE: 15 s
	Write    time.Duration // until the network has taken a command: 30 s
}

func or(d, def time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return def
}

func (t Timeouts) withDefaults() Timeouts {
	return Timeouts{
		Dial:     or(t.Dial, 20*time.Second),
		Greeting: or(t.Greeting, 30*time.Second),
		Auth:     or(t.Auth, 60*time.Second),
		Select:   or(t.Select, 60*time.Second),
		Command:  or(t.Command, 60*time.Second),
		IdleCont: or(t.IdleCont, 30*time.Second),
		Done:     or(t.Done, 15*time.Second),
		Write:    or(t.Write, 30*time.Second),
	}
}

func (o *Options) handler() callbacks.Handler {
	if o.Handler == nil {
		return callbacks.Nop{}
	}
	return o.Handler
}

func (o *Options) quirks() *Quirks {
	if o.Quirks == nil {
		return new(Quirks)
	}
	return o.Quirks
}

func (o *Options) port() int {
	switch {
	case o.Port != 0:
		return o.Port
	case o.Security == ImplicitTLS:
		return 993
	}
	return 143
}

func (o *Options) tlsConfig() *tls.Config {
	conf := &tls.Config{}
	if o.TLS != nil {
		conf = o.TLS.Clone()
	}
	if conf.ServerName == "" {
		conf.ServerName = o.Host
	}
	conf.MinVersion = max(conf.MinVersion, tls.VersionTLS12)
	o.Pin.Require(conf)
	return conf
}

// private reports whether the connection is encrypted to a verified server.
func (o *Options) private() bool {
	if o.Security == NoTLS {
		return false
	}
	conf := o.tlsConfig()
	return !conf.InsecureSkipVerify || conf.VerifyConnection != nil || conf.VerifyPeerCertificate != nil
}

// Compression is when to ask for COMPRESS=DEFLATE (RFC 4978). It saves most of a
// message's octets, but on a fast network it costs more time than it saves. A server
// that does not offer it, or refuses, is used without.
type Compression int

const (
	CompressAuto Compression = iota // if the server's address is neither loopback nor private (RFC 1918, RFC 4193)
	CompressOn                      // always
	CompressOff                     // never
)
