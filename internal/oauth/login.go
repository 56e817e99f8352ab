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
	maxApproval = 30 * time.Minute // for a person's approval, even if the issuer allows more
	maxFailures = 10               // polls that may fail before Login gives up
	maxCode     = 64               // runes of a user code
)

// Prompt is what a person must do to approve.
type Prompt struct {
	URL     string    // to open in a browser
	Code    string    // to enter there; empty: none is needed
	Port    int       // of this machine's 127.0.0.1, which the browser must reach; 0: none
	Expires time.Time // the end of the time for approval
}

// Login lets a person approve the access, and stores the tokens in the token file. It
// calls prompt once, which must show the person what to do and must not block. The
// errors are those of Token, ErrDenied and ErrExpired.
func (s *Source) Login(ctx context.Context, prompt func(Prompt)) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer s.release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.writable(ctx); err != nil {
		return err // before the person does anything
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
		return errors.New("oauth: the issuer gave no refresh token, so the login would end within hours; try the scope offline_access")
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

// writable creates the token file's folder, and checks that files can be created there.
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
	if app.ClientSecret != "" && s.config.Provider != Microsoft { // section 3.1; Microsoft's endpoint accepts public clients only
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

// shown checks what a person will see.
func shown(r *oauth2.DeviceAuthResponse) error {
	u, err := url.Parse(r.VerificationURI)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsFunc(r.VerificationURI, notToken) {
		return &Error{Err: errors.New("it has no URL for the approval")}
	}
	if n := len([]rune(r.UserCode)); n == 0 || n > maxCode || r.DeviceCode == "" {
		return &Error{Err: errors.New("it has no code for the approval")}
	}
	return nil
}
