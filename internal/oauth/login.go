package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/fblwatch/fblwatch/imapclient"
)

const (
	maxApproval = 30 * time.Minute // that a person may take, whatever the issuer says
	maxFailures = 10               // polls in all that may go wrong before Login gives up
	maxCode     = 64               // runes of a user code
)

// Prompt is what a person has to do.
type Prompt struct {
	URL     string    // to be opened in a browser
	Code    string    // to be entered there; empty in a browser on this machine
	Port    int       // where a browser must reach this machine's 127.0.0.1; 0: it need not
	Expires time.Time // until then
}

// Login has a person approve the access, whom prompt must tell how, and keeps
// the login in the token file. prompt is called once and must not block. Beside
// the errors of Token there are ErrDenied and ErrExpired.
func (s *Source) Login(ctx context.Context, prompt func(Prompt)) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.writable(ctx); err != nil {
		return err // before somebody took the trouble
	}
	app, err := s.application(ctx)
	if err != nil {
		return err
	}
	approve := s.device
	if s.config.grant() == AuthorizationCode {
		approve = s.browser
	}
	token, err := approve(ctx, app, prompt)
	if err != nil {
		return err
	}
	if token.RefreshToken == "" {
		return errors.New("oauth: the issuer gave no refresh token, so the login would end within hours; the scope offline_access may be what it wants")
	}
	accepted, err := accept(app, token)
	if err != nil {
		return err
	}
	unlock, err := lockFile(ctx, s.config.TokenFile)
	if err != nil {
		return err
	}
	defer unlock()
	s.held, s.failure = accepted, nil
	return s.save()
}

// writable makes the token file's folder, and sees that files can be made there.
func (s *Source) writable(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(s.config.TokenFile), 0o700); err != nil {
		return fmt.Errorf("oauth: token_file: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	unlock, err := lockFile(ctx, s.config.TokenFile)
	if err == nil {
		unlock()
	}
	return err
}

// device asks for approval on another device (RFC 8628).
func (s *Source) device(ctx context.Context, app *oauth2.Config, prompt func(Prompt)) (*oauth2.Token, error) {
	var options []oauth2.AuthCodeOption
	if app.ClientSecret != "" && s.config.Provider != Microsoft { // section 3.1; Microsoft's endpoint knows public clients only
		options = append(options, oauth2.SetAuthURLParam("client_secret", app.ClientSecret))
	}
	began, err := app.DeviceAuth(s.within(ctx), options...)
	if err != nil {
		return nil, clean(err, s.secrets(app)...)
	}
	latest := time.Now().Add(maxApproval)
	if began.Expiry.IsZero() || began.Expiry.After(latest) {
		began.Expiry = latest
	}
	if err := shown(began); err != nil {
		return nil, err
	}
	prompt(Prompt{URL: began.VerificationURI, Code: began.UserCode, Expires: began.Expiry})
	for failures := 0; ; failures++ {
		token, err := app.DeviceAccessToken(s.within(ctx), began)
		if err == nil {
			return token, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !time.Now().Before(began.Expiry) {
			return nil, ErrExpired
		}
		err = clean(err, s.secrets(app, imapclient.Secret(began.DeviceCode))...)
		var e *Error
		switch errors.As(err, &e); {
		case e.Code == "access_denied", e.Code == "authorization_declined": // the latter is Microsoft's
			return nil, ErrDenied
		case e.Code == "expired_token":
			return nil, ErrExpired
		case !e.temporary() || failures == maxFailures:
			return nil, err
		}
	}
}

// shown checks what a person is to see.
func shown(r *oauth2.DeviceAuthResponse) error {
	u, err := url.Parse(r.VerificationURI)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsFunc(r.VerificationURI, notToken) {
		return &Error{Err: errors.New("it names no address to approve at")}
	}
	if n := len([]rune(r.UserCode)); n == 0 || n > maxCode || r.DeviceCode == "" {
		return &Error{Err: errors.New("it names no code to approve")}
	}
	return nil
}
