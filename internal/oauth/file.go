package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/plainfile"
)

const (
	maxFile  = 256 << 10              // octets of a token file
	lockWait = 100 * time.Millisecond // between two tries to lock
)

// tokens are what a token file holds: the refresh token that a person approved, and the
// last access token made from it.
type tokens struct {
	refresh  imapclient.Secret
	access   imapclient.Secret
	obtained time.Time // by our clock
	expires  time.Time // by our clock; zero: unknown

	// Whose tokens these are. They are never sent to another client or endpoint.
	client, endpoint string
}

// fresh reports whether the access token has not used up three quarters of its life. A
// session is renewed after four fifths (internal/watch), and must find a new token then.
func (t tokens) fresh(now time.Time) bool {
	return t.valid(now) && (t.expires.IsZero() || now.Sub(t.obtained) < t.expires.Sub(t.obtained)/4*3)
}

func (t tokens) valid(now time.Time) bool {
	return t.access != "" && !now.Before(t.obtained) && (t.expires.IsZero() || now.Before(t.expires))
}

// stored is the JSON of tokens.
type stored struct {
	RefreshToken  string     `json:"refresh_token"`
	AccessToken   string     `json:"access_token,omitempty"`
	Obtained      time.Time  `json:"obtained"`
	Expires       *time.Time `json:"expires,omitempty"`
	ClientID      string     `json:"client_id"`
	TokenEndpoint string     `json:"token_endpoint"`
}

func readTokens(path string) (tokens, error) {
	file, info, err := plainfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return tokens{}, fmt.Errorf("%w: %w", ErrNoLogin, err)
	} else if err != nil {
		return tokens{}, fmt.Errorf("oauth: token_file: %w", err)
	}
	defer file.Close()
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return tokens{}, fmt.Errorf("oauth: token_file %s is open to others (mode %04o); run chmod 600 %s, and log in again if somebody may have read it", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return tokens{}, fmt.Errorf("oauth: token_file: %w", err)
	}
	var s stored
	if json.Unmarshal(text, &s) != nil || s.RefreshToken == "" { // the error of json may quote a token
		return tokens{}, fmt.Errorf("oauth: token_file %s holds no login", path)
	}
	t := tokens{
		refresh: imapclient.Secret(s.RefreshToken), access: imapclient.Secret(s.AccessToken),
		obtained: s.Obtained, client: s.ClientID, endpoint: s.TokenEndpoint,
	}
	if s.Expires != nil {
		t.expires = *s.Expires
	}
	return t, nil
}

// writeTokens replaces the file's content, entirely or not at all.
func writeTokens(path string, t tokens) error {
	s := stored{
		RefreshToken: t.refresh.Reveal(), AccessToken: t.access.Reveal(), Obtained: t.obtained.UTC(),
		ClientID: t.client, TokenEndpoint: t.endpoint,
	}
	if !t.expires.IsZero() {
		expires := t.expires.UTC()
		s.Expires = &expires
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // the link stays
	}
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new") // mode 600
	if err != nil {
		return fmt.Errorf("oauth: token_file: %w", err)
	}
	_, err = temp.Write(append(text, '\n'))
	if err == nil {
		err = temp.Sync()
	}
	if closed := temp.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		os.Remove(temp.Name())
		return fmt.Errorf("oauth: token_file: %w", err)
	}
	if folder, err := os.Open(filepath.Dir(path)); err == nil {
		_ = folder.Sync() // lets the rename survive a power failure, on systems that can
		folder.Close()
	}
	return nil
}

// lockFile keeps other processes from using the refresh token until unlock: an issuer
// that sees a token used twice may assume that it is stolen (RFC 9700 section 4.14.2).
// The lock file beside the token file is never removed.
func lockFile(ctx context.Context, path string) (unlock func(), err error) {
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, lockWait); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = errors.New("another process has held it for too long")
		}
		return nil, fmt.Errorf("oauth: token_file: %s: %w; its folder must be writable, as the issuer may replace the refresh token", path+".lock", err)
	}
	return func() { _ = lock.Close() }, nil
}
