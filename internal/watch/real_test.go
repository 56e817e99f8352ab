package watch

import (
	"context"
	"crypto/tls"
	"net"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/sqlite"
)

// real is an account on a real Dovecot.
func real(t testing.TB, d *realserver.DovecotServer, security imapclient.Security, l ledger.Ledger) *Account {
	t.Helper()
	return accountOn(t, d.Server, security, l)
}

// accountOn reads INBOX of a real server into l.
func accountOn(t testing.TB, d *realserver.Server, security imapclient.Security, l ledger.Ledger) *Account {
	t.Helper()
	addr := d.PlainAddr()
	if security == imapclient.ImplicitTLS {
		addr = d.TLSAddr()
	}
	a := &Account{
		Name: "real",
		IMAP: imapclient.Options{
			Security: security, TLS: &tls.Config{RootCAs: d.CA()},
			Login: func(_ context.Context, ch imapclient.Challenge) (imapclient.Credentials, error) {
				return imapclient.Credentials{Username: d.User(), Password: imapclient.Secret(d.Password())}, ch.Last
			},
		},
		Folders: []string{"INBOX"},
		Ledger:  l,
	}
	through(t, a, addr)
	return a
}

// through has an account dial addr.
func through(t testing.TB, a *Account, addr string) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	a.IMAP.Host = host
	if a.IMAP.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
}

func openLedger(t testing.TB) ledger.Ledger {
	t.Helper()
	l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "fblwatch.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func samples(from, to, size int) [][]byte {
	var messages [][]byte
	for i := from; i < to; i++ {
		messages = append(messages, messageOf(i, size))
	}
	return messages
}
