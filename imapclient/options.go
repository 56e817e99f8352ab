package imapclient

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/fblwatch/fblwatch/callbacks"
)

// Security says how the connection is protected.
type Security int

const (
	ImplicitTLS Security = iota // TLS from the first octet (RFC 8314), port 993
	STARTTLS                    // TLS by command, port 143; refused if not offered
	NoTLS                       // no TLS: to loopback only, unless Options.Insecure
)

// Options say where and how to open a session. Host and Login must be set; the
// zero value of everything else is usable.
type Options struct {
	// Account is the name that events carry.
	Account string

	Host     string
	Port     int // 0: 993 for ImplicitTLS, 143 otherwise
	Security Security

	// TLS is cloned; ServerName defaults to Host, and MinVersion is TLS 1.2 at
	// least. RootCAs are authorities of one's own, Certificates log in by
	// EXTERNAL.
	TLS *tls.Config

	// Pin, if set, is the only certificate or key that is taken from the server,
	// whoever signed it and whatever name and dates are in it.
	Pin Pin

	// Insecure allows a login in clear (NoTLS), or to whomever it may be
	// (TLS.InsecureSkipVerify with no other way to verify), at a host that is
	// not loopback.
	Insecure bool

	// Compress says when to compress the connection.
	Compress Compression

	// NoID keeps from the server what it talks to, which it is told where it
	// offers ID (RFC 2971).
	NoID bool

	// Login decides with what to log in. It is called again, with Trial one
	// higher, right after each refusal, and ends the trials by an error. Each
	// trial has a connection of its own.
	Login func(context.Context, Challenge) (Credentials, error)

	// Handler receives the events; nil is callbacks.Nop.
	Handler callbacks.Handler

	// Quirks keeps what is learned of the server, for the sessions that share it;
	// nil: for this session only.
	Quirks *Quirks

	// Debug turns on Handler.Debug.
	Debug bool

	// Dial replaces the TCP dialer, in tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Timeouts Timeouts
}

// Challenge is what a server offers when it asks who we are.
type Challenge struct {
	Trial      int      // from 1
	Mechanisms []string // SASL mechanisms offered, upper case
	Last       error    // why the trial before was refused, an *AuthError; nil at the first
}

// Credentials answer a Challenge. A token logs in by OAUTHBEARER (RFC 7628) or
// XOAUTH2, a password by PLAIN, LOGIN or the LOGIN command; with neither it is
// EXTERNAL, the certificate of Options.TLS. Where there is a token and the server
// wants none, the password is used.
type Credentials struct {
	Username string // for EXTERNAL whom to act as, empty: whom the certificate names
	Password Secret
	Token    Secret    // an OAuth2 access token
	Expires  time.Time // of the token; zero: not known

	// Mechanism overrides the choice: PLAIN, LOGIN, EXTERNAL, OAUTHBEARER or
	// XOAUTH2, whether offered or not.
	Mechanism string
}

// Timeouts bound every wait of a session. A zero field takes its default.
type Timeouts struct {
	Dial     time.Duration // TCP and TLS handshake, each; 20 s
	Greeting time.Duration // 30 s
	Auth     time.Duration // each trial; 60 s
	Select   time.Duration // silence while a mailbox is opened; 60 s
	Command  time.Duration // silence while any other answer or literal is due; 60 s
	IdleCont time.Duration // "+" after IDLE; 30 s
	Done     time.Duration // OK after DONE; 15 s
	Write    time.Duration // a command to be taken by the network; 30 s
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
	if o.Pin == (Pin{}) {
		return conf
	}
	conf.InsecureSkipVerify = true // the pin says more
	also := conf.VerifyConnection
	conf.VerifyConnection = func(state tls.ConnectionState) error {
		if err := o.Pin.verify(state); err != nil || also == nil {
			return err
		}
		return also(state)
	}
	return conf
}

// private tells whether nobody on the way can read what is sent.
func (o *Options) private() bool {
	if o.Security == NoTLS {
		return false
	}
	conf := o.tlsConfig()
	return !conf.InsecureSkipVerify || conf.VerifyConnection != nil || conf.VerifyPeerCertificate != nil
}
