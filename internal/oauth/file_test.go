package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fblwatch/fblwatch/internal/fixture"
	"github.com/fblwatch/fblwatch/internal/oauthtest"
)

// The token file: nobody else may read it, it is replaced whole, and a login
// made for another client goes to no issuer.
func TestTokenFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &oauthtest.Issuer{Rotate: true}
		config := account(t)
		if _, _, err := source(t, issuer, config).Token(t.Context(), 1); !errors.Is(err, ErrNoLogin) || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("no file: %v", err)
		}
		loggedIn(t, issuer, config)
		info, err := os.Stat(config.TokenFile)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", info.Mode(), err)
		}
		var keys map[string]any
		if text, err := os.ReadFile(config.TokenFile); err != nil || json.Unmarshal(text, &keys) != nil || keys["refresh_token"] != "refresh-c4n4ry-1" {
			t.Errorf("the file holds %v, %v", keys, err)
		}

		other := config
		other.ClientID = "another"
		time.Sleep(time.Hour)
		if _, _, err := source(t, issuer, other).Token(t.Context(), 1); !errors.Is(err, ErrRevoked) || renewals(issuer) != 0 {
			t.Errorf("another client: %v, %d renewals", err, renewals(issuer))
		}
		for _, mode := range []os.FileMode{0o604, 0o640, 0o644, 0o666} {
			if err := os.Chmod(config.TokenFile, mode); err != nil {
				t.Fatal(err)
			}
			if _, _, err := source(t, issuer, config).Token(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "chmod 600 "+config.TokenFile) {
				t.Errorf("mode %v: %v", mode, err)
			}
		}
		loggedIn(t, issuer, config)
		if info, err = os.Stat(config.TokenFile); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("after a login: %v, %v", info.Mode(), err)
		}
		left, err := filepath.Glob(config.TokenFile + ".new*")
		if err != nil || len(left) != 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}

		fixture.File(t, config.TokenFile, `{"refresh_token": 1234c4n4ry}`)
		if _, _, err := source(t, issuer, config).Token(t.Context(), 1); err == nil || strings.Contains(err.Error(), "c4n4ry}") {
			t.Errorf("no JSON: %v", err)
		}
	})
}

// A link to the file stays one.
func TestTokenFileLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := account(t)
		target := filepath.Join(t.TempDir(), "target")
		fixture.File(t, target, "")
		if err := os.Symlink(target, config.TokenFile); err != nil {
			t.Fatal(err)
		}
		loggedIn(t, &oauthtest.Issuer{}, config)
		if l, err := readTokens(target); err != nil || l.refresh != "refresh-c4n4ry-1" {
			t.Errorf("the target holds %q, %v", l.refresh.Reveal(), err)
		}
	})
}

// A new refresh token that cannot be written is an error at once, is not lost,
// and is written as soon as it can be.
func TestTokenUnsaved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &oauthtest.Issuer{Rotate: true}
		config := account(t)
		s := loggedIn(t, issuer, config)
		time.Sleep(time.Hour)
		folder := filepath.Dir(config.TokenFile)
		issuer.Set(func(i *oauthtest.Issuer) { // the folder goes between the request and the file
			i.Answer = func(http.ResponseWriter, *http.Request) bool {
				if err := os.Rename(folder, folder+".away"); err != nil {
					t.Error(err)
				}
				return false
			}
		})
		if _, _, err := s.Token(t.Context(), 1); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("%v", err)
		}
		issuer.Set(func(i *oauthtest.Issuer) { i.Answer = nil })
		if _, _, err := s.Token(t.Context(), 1); err == nil {
			t.Fatal("no error while it is not saved")
		}
		if err := os.Rename(folder+".away", folder); err != nil {
			t.Fatal(err)
		}
		time.Sleep(renewPause)
		want(t, s, 1, "access-c4n4ry-2", time.Hour-renewPause)
		if l, err := readTokens(config.TokenFile); err != nil || l.refresh != "refresh-c4n4ry-2" || renewals(issuer) != 1 {
			t.Errorf("%q, %v, %d renewals", l.refresh.Reveal(), err, renewals(issuer))
		}
	})
}
