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
	// renewTimeout is for one renewal, including the wait for another process.
	renewTimeout = 45 * time.Second
	// renewPause is between a failed renewal and the next one.
	renewPause = 10 * time.Second
	// youth is the age below which a refused token is not replaced: a new one would
	// be refused, too. It bounds the renewals that an IMAP server can cause,
	// independent of the clocks.
	youth = 30 * time.Second
	// maxToken is the longest token that goes to an IMAP server, in octets.
	maxToken = 16 << 10
)

// Source gives access tokens to all sessions of an account. It is for concurrent use.
type Source struct {
	config Config
	client *http.Client
	turn   chan struct{} // full while a goroutine uses the fields below

	endpoint *oauth2.Endpoint // nil: not known yet
	held     tokens
	unsaved  bool // held is newer than the file
	failure  error
	failedAt time.Time
}

// New returns a Source. It does no I/O. config must be valid.
func New(config Config) *Source {
	return &Source{config: config, client: newClient(), turn: make(chan struct{}, 1)}
}

// Format prints no token. Without it fmt would print the unexported fields.
func (*Source) Format(f fmt.State, _ rune) { fmt.Fprint(f, "oauth.Source") }

// Token returns an access token and its expiry by our clock, or the zero time if the
// issuer gives none. trial counts from 1 within one session. A second trial means that
// the server refused the token: Token replaces it even if it should be valid.
//
// Token renews a token once three quarters of its life are over. If that fails, it
// returns the old one as long as that is valid. A renewal goes on after the end of ctx,
// for up to 45 s: a lost answer could hold the only copy of a new refresh token.
//
// The errors are ErrNoLogin, ErrRevoked, *Error, those of files, and ctx's cause.
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

// renew replaces held. refused: not by the same access token from the file.
func (s *Source) renew(ctx context.Context, refused bool) error {
	if s.failure != nil && time.Since(s.failedAt).Abs() < renewPause {
		return s.failure
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewTimeout)
	defer cancel()
	var err error
	if s.config.Unattended() {
		err = s.request(ctx, tokens{})
	} else {
		err = s.renewShared(ctx, refused)
	}
	s.failure, s.failedAt = err, time.Now()
	return err
}

// renewShared renews the tokens in the file, which other processes may do as well.
func (s *Source) renewShared(ctx context.Context, refused bool) error {
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
	file, done, err := s.adopt(refused) // another process may have renewed it just now
	if done || err != nil {
		return err
	}
	if err := s.request(ctx, file); err != nil {
		return err
	}
	return s.save()
}

// adopt reads the file, and takes over its tokens if they are fresh.
func (s *Source) adopt(refused bool) (file tokens, done bool, err error) {
	file, err = readTokens(s.config.TokenFile)
	if err != nil || !file.fresh(time.Now()) || refused && file.access == s.held.access {
		return file, false, err
	}
	s.held = file
	return file, true, nil
}

func (s *Source) save() error {
	s.unsaved = true
	if err := writeTokens(s.config.TokenFile, s.held); err != nil {
		return err
	}
	s.unsaved = false
	return nil
}

// request gets a token from the issuer, by a refresh token or by the client's secret.
func (s *Source) request(ctx context.Context, by tokens) error {
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

// accept checks a token. Its times are by our wall clock, which goes on while the
// machine is suspended. The issuer's clock does not matter.
func accept(app *oauth2.Config, token *oauth2.Token) (tokens, error) {
	if token.Type() != "Bearer" {
		return tokens{}, &Error{Err: errors.New("its token is of a type that IMAP does not take")}
	}
	for _, t := range []string{token.AccessToken, token.RefreshToken} {
		if len(t) > maxToken || strings.ContainsFunc(t, notToken) {
			return tokens{}, &Error{Err: errors.New("its token is too long or holds octets that no token has")}
		}
	}
	made := tokens{
		refresh: imapclient.Secret(token.RefreshToken), access: imapclient.Secret(token.AccessToken),
		obtained: time.Now().Round(0), client: app.ClientID, endpoint: app.Endpoint.TokenURL,
	}
	if token.Expiry.After(made.obtained) {
		made.expires = token.Expiry.Round(0)
	}
	return made, nil
}
