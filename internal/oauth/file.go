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
	lockWait = 100 * time.Millisecond // between two tries for the lock
)

// login is what a token file holds: what a person approved, and the last access
// token made of it.
type login struct {
	refresh  imapclient.Secret
	access   imapclient.Secret
	obtained time.Time // by our clock
	expires  time.Time // likewise; zero: unknown

	// For whom it was made: what was given to one is sent to no other.
	client, endpoint string
}

// Three quarters of a token's life are its use. A session is made anew after
// four fifths (internal/watch) and must find a fresh one then.
func (l login) fresh(now time.Time) bool {
	return l.valid(now) && (l.expires.IsZero() || now.Sub(l.obtained) < l.expires.Sub(l.obtained)/4*3)
}

func (l login) valid(now time.Time) bool {
	return l.access != "" && !now.Before(l.obtained) && (l.expires.IsZero() || now.Before(l.expires))
}

// stored is a login as JSON.
type stored struct {
	RefreshToken  string     `json:"refresh_token"`
	AccessToken   string     `json:"access_token,omitempty"`
	Obtained      time.Time  `json:"obtained"`
	Expires       *time.Time `json:"expires,omitempty"`
	ClientID      string     `json:"client_id"`
	TokenEndpoint string     `json:"token_endpoint"`
}

func readLogin(path string) (login, error) {
	file, info, err := plainfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return login{}, fmt.Errorf("%w: %w", ErrNoLogin, err)
	} else if err != nil {
		return login{}, fmt.Errorf("oauth: token_file: %w", err)
	}
	defer file.Close()
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return login{}, fmt.Errorf("oauth: token_file %s is open to others (mode %04o); run chmod 600 %s, and log in again if somebody may have read it", path, mode, path)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxFile))
	if err != nil {
		return login{}, fmt.Errorf("oauth: token_file: %w", err)
	}
	var s stored
	if json.Unmarshal(text, &s) != nil || s.RefreshToken == "" { // its error may quote a token
		return login{}, fmt.Errorf("oauth: token_file %s holds no login", path)
	}
	l := login{
		refresh: imapclient.Secret(s.RefreshToken), access: imapclient.Secret(s.AccessToken),
		obtained: s.Obtained, client: s.ClientID, endpoint: s.TokenEndpoint,
	}
	if s.Expires != nil {
		l.expires = *s.Expires
	}
	return l, nil
}

// writeLogin puts a login in the place of what the file holds, whole or not at
// all.
func writeLogin(path string, l login) error {
	s := stored{
		RefreshToken: l.refresh.Reveal(), AccessToken: l.access.Reveal(), Obtained: l.obtained.UTC(),
		ClientID: l.client, TokenEndpoint: l.endpoint,
	}
	if !l.expires.IsZero() {
		expires := l.expires.UTC()
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
		_ = folder.Sync() // the rename is to outlive a loss of power; not every system can
		folder.Close()
	}
	return nil
}

// lockFile keeps other processes from using the refresh token meanwhile: an
// issuer that sees one used twice may take it for stolen (RFC 9700 section
// 4.14.2). The file beside the token file stays.
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
