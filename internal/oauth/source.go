package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/fblwatch/fblwatch/imapclient"
)

const (
	// renewTimeout is for one renewal, the wait for another process included.
	renewTimeout = 45 * time.Second
	// renewPause is between a renewal that failed and the next.
	renewPause = 10 * time.Second
	// youth: a refused token is not replaced while it is so young, since the
	// next one would fare no better. It bounds the renewals that an IMAP server
	// can cause, whatever the clocks say.
	youth = 30 * time.Second
	// maxToken is the most octets of a token that go to an IMAP server.
	maxToken = 16 << 10
)

// Source gives access tokens to all sessions of an account. It is for
// concurrent use.
type Source struct {
	config Config
	client *http.Client
	turn   chan struct{} // full while one uses what is below

	endpoint *oauth2.Endpoint // nil: not found yet
	held     login
	unsaved  bool // held is newer than the file
	failure  error
	failedAt time.Time
}

// New does no I/O; config must be valid.
func New(config Config) *Source {
	return &Source{config: config, client: newClient(), turn: make(chan struct{}, 1)}
}

// Format keeps what is held out of every print; fmt asks no method of an
// unexported field.
func (*Source) Format(f fmt.State, _ rune) { fmt.Fprint(f, "oauth.Source") }

// Token returns an access token and when it expires by our clock, or the zero
// time where the issuer does not say. trial counts from 1 within one session; a
// second one says that the server refused the token, which is then replaced
// although it should be valid.
//
// A token is renewed once three quarters of its life are over; where that fails
// it is returned as long as it is valid. A renewal goes on when ctx ends, for up
// to 45 s: an answer that nobody takes may be the only copy of a new refresh
// token. The errors are ErrNoLogin, ErrRevoked, *Error and those of files.
func (s *Source) Token(ctx context.Context, trial int) (imapclient.Secret, time.Time, error) {
	if err := s.take(ctx); err != nil {
		return "", time.Time{}, err
	}
	defer s.release()
	now := time.Now()
	refused := trial > 1 && now.Sub(s.held.obtained).Abs() >= youth
	if s.unsaved || refused || !s.held.fresh(now) {
		err := s.renew(ctx, refused)
		if err != nil && (s.unsaved || refused || !s.held.valid(now)) {
			return "", time.Time{}, err
		}
	}
	return s.held.access, s.held.expires, nil
}

func (s *Source) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Source) release() { <-s.turn }

// renew replaces held. refused: not by the same from the file.
func (s *Source) renew(ctx context.Context, refused bool) error {
	if s.failure != nil && time.Since(s.failedAt).Abs() < renewPause {
		return s.failure
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTimeout)
	defer cancel()
	var err error
	if s.config.Unattended() {
		err = s.request(ctx, login{})
	} else {
		err = s.renewLogin(ctx, refused)
	}
	s.failure, s.failedAt = err, time.Now()
	return err
}

func (s *Source) renewLogin(ctx context.Context, refused bool) error {
	if !s.unsaved {
		if _, done, err := s.adopt(refused); done || err != nil {
			return err
		}
	}
	unlock, err := lockFile(ctx, s.config.TokenFile)
	if err != nil {
		return err
	}
	defer unlock()
	if s.unsaved {
		return s.save()
	}
	file, done, err := s.adopt(refused) // another process may just have been here
	if done || err != nil {
		return err
	}
	if err := s.request(ctx, file); err != nil {
		return err
	}
	return s.save()
}

// adopt reads the file, and takes its token if that is fresh.
func (s *Source) adopt(refused bool) (file login, done bool, err error) {
	file, err = readLogin(s.config.TokenFile)
	if err != nil || !file.fresh(time.Now()) || refused && file.access == s.held.access {
		return file, false, err
	}
	s.held = file
	return file, true, nil
}

func (s *Source) save() error {
	s.unsaved = true
	if err := writeLogin(s.config.TokenFile, s.held); err != nil {
		return err
	}
	s.unsaved = false
	return nil
}

// request gets a token from the issuer, by a login or without one.
func (s *Source) request(ctx context.Context, by login) error {
	app, err := s.application(ctx)
	if err != nil {
		return err
	}
	if by.refresh != "" && (by.client != app.ClientID || by.endpoint != app.Endpoint.TokenURL) {
		return fmt.Errorf("%w: it was made for another client_id or issuer", ErrRevoked)
	}
	within := s.within(ctx)
	var token *oauth2.Token
	if s.config.Unattended() {
		credentials := clientcredentials.Config{
			ClientID: app.ClientID, ClientSecret: app.ClientSecret,
			TokenURL: app.Endpoint.TokenURL, AuthStyle: app.Endpoint.AuthStyle, Scopes: app.Scopes,
		}
		token, err = credentials.Token(within)
	} else {
		token, err = app.TokenSource(within, &oauth2.Token{RefreshToken: by.refresh.Reveal()}).Token()
	}
	if err != nil {
		err = clean(err, s.secrets(app, by.refresh, by.access)...)
		var e *Error
		if errors.As(err, &e) && by.refresh != "" && slices.Contains([]string{"invalid_grant", "interaction_required"}, e.Code) {
			return fmt.Errorf("%w: %w", ErrRevoked, err)
		}
		return err
	}
	accepted, err := accept(app, token)
	if err == nil {
		s.held = accepted
	}
	return err
}

// accept checks a token. Times are the wall clock's, which goes on while the
// machine is suspended; the issuer's clock is not asked.
func accept(app *oauth2.Config, token *oauth2.Token) (login, error) {
	if token.Type() != "Bearer" {
		return login{}, &Error{Err: errors.New("its token is of a type that IMAP does not take")}
	}
	for _, t := range []string{token.AccessToken, token.RefreshToken} {
		if len(t) > maxToken || strings.ContainsFunc(t, notToken) {
			return login{}, &Error{Err: errors.New("its token is too long or holds octets that no token has")}
		}
	}
	l := login{
		refresh: imapclient.Secret(token.RefreshToken), access: imapclient.Secret(token.AccessToken),
		obtained: time.Now().Round(0), client: app.ClientID, endpoint: app.Endpoint.TokenURL,
	}
	if token.Expiry.After(l.obtained) {
		l.expires = token.Expiry.Round(0)
	}
	return l, nil
}
