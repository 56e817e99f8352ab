package oauth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"

	"golang.org/x/oauth2"

	"github.com/fblwatch/fblwatch/imapclient"
)

var (
	// ErrNoLogin means that the token file does not exist.
	ErrNoLogin = errors.New("oauth: nobody has logged in for this account yet; run fblwatch login")
	// ErrRevoked means that the issuer no longer accepts the refresh token: it was
	// revoked, was not used for long, or a password was changed. Only a new login
	// helps.
	ErrRevoked = errors.New("oauth: the login is no longer valid; run fblwatch login again")
	// ErrDenied means that the person did not approve.
	ErrDenied = errors.New("oauth: the access was not approved")
	// ErrExpired means that nobody approved within the issuer's time limit.
	ErrExpired = errors.New("oauth: nobody approved the access in time")
)

// Error is an issuer's answer other than a token. It contains no secret.
type Error struct {
	Status      int    // of HTTP; 0: no answer
	Code        string // RFC 6749 section 5.2; may be empty
	Description string // for people, by the issuer
	Err         error  // why there was no answer, or no readable one

	text string // of Err, scrubbed
}

func (e *Error) Error() string {
	switch {
	case e.Err != nil && e.text != "":
		return "oauth: the issuer gave no answer: " + e.text
	case e.Err != nil:
		return "oauth: the issuer gave no token: " + e.Err.Error()
	case e.Code == "":
		return fmt.Sprintf("oauth: the issuer answered with HTTP status %d", e.Status)
	case e.Description == "":
		return "oauth: the issuer refuses: " + e.Code
	}
	return "oauth: the issuer refuses: " + e.Code + ": " + e.Description
}

func (e *Error) Unwrap() error { return e.Err }

// temporary reports whether the same request may succeed later.
func (e *Error) temporary() bool {
	return e.Err != nil || e.Status >= 500 || e.Status == 429 || e.Code == "temporarily_unavailable"
}

// clean returns an error of x/oauth2 without the parts that may contain a secret: the
// answer's body and quotations of it.
func clean(err error, known ...imapclient.Secret) error {
	var (
		refused *oauth2.RetrieveError
		network *url.Error
	)
	switch {
	case errors.As(err, &refused):
		e := &Error{Code: scrub(refused.ErrorCode, known...), Description: scrub(refused.ErrorDescription, known...)}
		if refused.Response != nil {
			e.Status = refused.Response.StatusCode
		}
		return e
	case errors.Is(err, errTooLarge):
		return &Error{Err: errTooLarge}
	case errors.As(err, &network):
		return &Error{Err: network.Err, text: scrub(network.Err.Error(), known...)}
	}
	return &Error{Err: errUnread}
}

// secrets returns the secrets that an issuer may quote: the tokens that we hold, the
// client's secret in each form that a request may have, and more.
func (s *Source) secrets(app *oauth2.Config, more ...imapclient.Secret) []imapclient.Secret {
	known := append(more, s.held.refresh, s.held.access, imapclient.Secret(app.ClientSecret))
	if app.ClientSecret != "" {
		basic := url.QueryEscape(app.ClientID) + ":" + url.QueryEscape(app.ClientSecret)
		known = append(known, imapclient.Secret(base64.StdEncoding.EncodeToString([]byte(basic))))
	}
	return known
}

const maxText = 300 // runes of an issuer's text in an error

// likeToken matches what is longer than any word, and than the UUIDs at the end of
// Microsoft's descriptions.
var likeToken = regexp.MustCompile(`[A-Za-z0-9_.~+=-]{40,}`)

// scrub removes secrets, known and likely, and control characters from a text, and cuts
// it after maxText runes.
func scrub(text string, known ...imapclient.Secret) string {
	for _, secret := range known {
		for _, form := range []string{secret.Reveal(), url.QueryEscape(secret.Reveal())} {
			if form != "" {
				text = strings.ReplaceAll(text, form, secret.String())
			}
		}
	}
	text = likeToken.ReplaceAllString(text, imapclient.Secret("").String())
	words := strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	runes := []rune(strings.Join(words, " "))
	if len(runes) > maxText {
		return string(runes[:maxText]) + "..."
	}
	return string(runes)
}
