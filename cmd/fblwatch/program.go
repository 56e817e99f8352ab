package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/settings"
	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// program is what a command sees of the process around it.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	env            func(name string) (value string, set bool)
	resolver       trust.Resolver // of signatures' keys; nil: the system's
	drain          time.Duration  // daemon.Options.Drain
	configFile     string         // that was read with -c; empty: none
}

// colours reports whether a stream of the program takes colours.
func (p *program) colours(stream any) terminal.Colours { return terminal.ColoursOf(stream, p.env) }

// progress is a line on stderr; nil if records are printed on the same terminal.
func (p *program) progress(printing bool) *terminal.Progress {
	if printing && terminal.IsTerminal(p.stdout) {
		return nil
	}
	return terminal.NewProgress(p.stderr, p.env)
}

func (p *program) printError(err error) {
	for line := range strings.SplitSeq(err.Error(), "\n") { // errors.Join makes lines
		fmt.Fprintf(p.stderr, "fblwatch: %s %s\n", p.colours(p.stderr).Failure("error:"), terminal.Printable(line))
	}
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(p.stderr, "fblwatch: hint: %s\n", hint)
	}
}

func (p *program) warn(text string) {
	fmt.Fprintf(p.stderr, "fblwatch: warning: %s\n", terminal.Printable(text))
}

// The exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or config
)

// advice is an error that knows what the reader can do about it, and the code
// the program exits with.
type advice struct {
	err  error
	hint string
	code int
}

func (a *advice) Error() string { return a.err.Error() }
func (a *advice) Unwrap() error { return a.err }
func (a *advice) Hint() string  { return a.hint }

// wrong marks err as wrong usage or config.
func wrong(err error, hint string) error { return &advice{err, hint, exitUsage} }

// failed gives err a hint.
func failed(err error, hint string) error { return &advice{err, hint, exitFailed} }

// hintFor returns what to do about err, or "".
func hintFor(err error) string {
	if advised := interface{ Hint() string }(nil); errors.As(err, &advised) {
		return advised.Hint()
	}
	return sessionHint(err)
}

// sessionHint says what to do about a session that could not be.
func sessionHint(err error) string {
	var (
		refused     *imapclient.AuthError
		response    *imapclient.ResponseError
		folder      *watch.FolderError
		action      *watch.ActionError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		certificate x509.CertificateInvalidError
		noTLS       tls.RecordHeaderError
		dns         *net.DNSError
		dial        *net.OpError
		timeout     *imapclient.TimeoutError
	)
	switch {
	case errors.Is(err, imapclient.ErrTemporary) && errors.As(err, &response) && strings.HasPrefix(response.Command, "UID "):
		return "the server does not do this now; it is tried again"
	case errors.As(err, &refused) && errors.Is(err, imapclient.ErrTemporary), errors.Is(err, imapclient.ErrTemporary) && !errors.As(err, &folder):
		return "the server takes no login now: it, or the account, has too many connections, or it is busy; try again later, and see connections in the config"
	case errors.As(err, &refused):
		return "check user and password; many providers want an app password, or IMAP switched on first"
	case errors.As(err, &folder) && errors.Is(err, watch.ErrShort):
		return "the messages stay in the folder and are asked for again next time; if that goes on, look at one of them by another program"
	case errors.As(err, &folder):
		return "fblwatch folders lists the folders there are"
	case errors.As(err, &action):
		return "give the user the right to change this folder, or take from after in the config what the server does not allow"
	case errors.As(err, &authority):
		return "if the certificate is your own, name its authority with ca_file, or with SSL_CERT_FILE in the environment"
	case errors.As(err, &hostname):
		return "use the host name that is in the certificate"
	case errors.As(err, &certificate):
		return "the server's certificate is not valid; its clock or yours may be wrong"
	case errors.As(err, &noTLS):
		return "this port does not begin with TLS; imap+starttls:// (port 143) or smtp:// may be what the server speaks, or imap://, http:// and syslog:// on this machine"
	case errors.Is(err, imapclient.ErrTLSPort):
		return "this port begins with TLS: write imaps:// in the url, or /ssl in a {} name"
	case errors.Is(err, imapclient.ErrNoSTARTTLS):
		return "imaps:// (port 993), or /ssl in a {} name, may be what the server speaks"
	case errors.Is(err, imapclient.ErrInsecure):
		return "use imaps:// or imap+starttls://, or set insecure: true for this account"
	case errors.As(err, &dns):
		return "check the host's name"
	case errors.As(err, &dial), errors.As(err, &timeout):
		return "check host and port, and that the server can be reached from here"
	case errors.Is(err, context.DeadlineExceeded):
		return "the server did not answer in time; check host and port, and whether the port begins with TLS"
	}
	return ""
}

// logger writes to stderr as the config says. To an error that it logs it adds
// what to do about it, as run does at the end of a command.
func (p *program) logger(c settings.LogConfig) *slog.Logger {
	options := slog.HandlerOptions{ReplaceAttr: withUnit}
	if c.Level != "" {
		var level slog.Level
		_ = level.UnmarshalText([]byte(c.Level)) // Validate has read it
		options.Level = level
	}
	if c.Format == "json" || c.Format != "text" && !terminal.IsTerminal(p.stderr) {
		return slog.New(hinting{slog.NewJSONHandler(p.stderr, &options)})
	}
	return slog.New(hinting{slog.NewTextHandler(p.stderr, &options)})
}

// withUnit writes a length of time with its unit, such as "1.5s": in JSON it would
// be a number of nanoseconds.
func withUnit(_ []string, a slog.Attr) slog.Attr {
	if d, ok := a.Value.Any().(time.Duration); ok {
		return slog.String(a.Key, d.String())
	}
	return a
}

// hinting adds a "hint" to a record whose "err" has one.
type hinting struct{ slog.Handler }

func (h hinting) Handle(ctx context.Context, r slog.Record) error {
	hint := ""
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok && a.Key == "err" {
			hint = hintFor(err)
		}
		return hint == ""
	})
	if hint != "" {
		r.AddAttrs(slog.String("hint", hint))
	}
	return h.Handler.Handle(ctx, r)
}

func (h hinting) WithAttrs(attrs []slog.Attr) slog.Handler {
	return hinting{h.Handler.WithAttrs(attrs)}
}
func (h hinting) WithGroup(name string) slog.Handler { return hinting{h.Handler.WithGroup(name)} }
