// Package backend opens the ledger that a path or a URL names. A path, and a URL
// with the scheme file or sqlite, is an SQLite file.
package backend

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/ledger/sqlite"
)

// Path returns the file that a path or URL names. The error is ledger.ErrScheme for
// any other URL, and does not repeat it: a password may be in it. Taken for a path,
// a URL would make folders of its pieces.
func Path(where string) (string, error) {
	scheme, rest, found := strings.Cut(where, ":")
	file := scheme == "file" || scheme == "sqlite"
	switch {
	case !found, strings.Contains(scheme, "/"), !file && !strings.HasPrefix(rest, "//"):
		return where, nil
	case scheme == "postgres", scheme == "postgresql":
		return "", fmt.Errorf("%w (PostgreSQL is not built in yet)", ledger.ErrScheme)
	case !file:
		return "", ledger.ErrScheme
	}
	u, err := url.Parse(where)
	switch {
	case err != nil || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return "", errors.New("ledger: a URL of a file has nothing but its path, such as sqlite:///var/lib/fblwatch/fblwatch.db")
	case u.Host != "":
		return "", errors.New("ledger: a URL of a file names no host: write three slashes, such as sqlite:///var/lib/fblwatch/fblwatch.db")
	case u.Opaque != "":
		return url.PathUnescape(u.Opaque)
	}
	return u.Path, nil
}

// Open opens a ledger for writing, and makes it if there is none. See sqlite.Open.
func Open(ctx context.Context, where string) (ledger.Ledger, error) {
	return at(ctx, where, sqlite.Open)
}

// OpenReader opens a ledger for reading. The error is ledger.ErrNone if there is none.
func OpenReader(ctx context.Context, where string) (ledger.Reader, error) {
	return at(ctx, where, sqlite.OpenReader)
}

// Edit opens a ledger for changes, also beside its writer. The error is ledger.ErrNone
// if there is none.
func Edit(ctx context.Context, where string) (ledger.Editor, error) {
	return at(ctx, where, sqlite.Edit)
}

// Written reports whether a process writes the ledger now. An error means that this
// is unknown.
func Written(ctx context.Context, where string) (bool, error) {
	return at(ctx, where, sqlite.Written)
}

func at[T any](ctx context.Context, where string, open func(context.Context, string) (T, error)) (T, error) {
	path, err := Path(where)
	if err != nil {
		return *new(T), err
	}
	return open(ctx, path)
}
