package imapclient_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
)

// TestTLSPort: a port for TLS is known by its number and its silence, or by what
// it says. Another port may be slow to greet.
func TestTLSPort(t *testing.T) {
	const (
		alert    = "\x15\x03\x01\x00\x02\x02\x46" // protocol_version, without a line's end
		greeting = "* BYE not now\r\n"
	)
	for _, test := range []struct {
		name     string
		port     int
		security imapclient.Security
		says     string
		behind   time.Duration
		want     error
		after    time.Duration
	}{
		{"silent, 993", 993, imapclient.NoTLS, "", time.Hour, imapclient.ErrTLSPort, time.Second},
		{"silent, 993, STARTTLS", 993, imapclient.STARTTLS, "", time.Hour, imapclient.ErrTLSPort, time.Second},
		{"an alert", 143, imapclient.NoTLS, alert, 0, imapclient.ErrTLSPort, 0},
		{"slow, 143", 143, imapclient.NoTLS, greeting, 20 * time.Second, &imapclient.ResponseError{}, 20 * time.Second},
		{"no TLS, 993", 993, imapclient.NoTLS, greeting, 0, &imapclient.ResponseError{}, 0},
		{"silent, 143", 143, imapclient.NoTLS, "", time.Hour, &imapclient.TimeoutError{}, 30 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				defer server.Close()
				stop := time.AfterFunc(test.behind, func() { server.Write([]byte(test.says)) }).Stop
				defer stop()
				start := time.Now()
				_, err := imapclient.Dial(t.Context(), imapclient.Options{
					Host: "imap.example.com", Port: test.port, Security: test.security, Insecure: true, Login: once(imapclient.Credentials{}),
					Dial: func(context.Context, string, string) (net.Conn, error) { return client, nil },
				})
				var ok bool
				switch test.want.(type) {
				case *imapclient.ResponseError:
					ok = errors.As(err, new(*imapclient.ResponseError))
				case *imapclient.TimeoutError:
					ok = errors.As(err, new(*imapclient.TimeoutError))
				default:
					ok = errors.Is(err, test.want)
				}
				if took := time.Since(start); !ok || took != test.after {
					t.Errorf("%v after %v", err, took)
				}
			})
		})
	}
}
