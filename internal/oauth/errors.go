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
	// ErrNoLogin: the token file is not there.
	ErrNoLogin = errors.New("oauth: nobody has logged in for this account yet; fblwatch login does")
	// ErrRevoked: the issuer does not take the refresh token any more, because
	// it was revoked, not used for long, or a password was changed. Only a new
	// login helps.
	ErrRevoked = errors.New("oauth: the login is no longer valid, and fblwatch login must be run again")
	// ErrDenied: the person said no.
	ErrDenied = errors.New("oauth: the access was not approved")
	// ErrExpired: nobody approved within the time the issuer gives.
	ErrExpired = errors.New("oauth: nobody approved the access in time")
)

// Error is what an issuer answers instead of a token. It holds no secret.
type Error struct {
	Status      int    // of HTTP; 0 without an answer
	Code        string // RFC 6749 section 5.2, or empty
	Description string // the issuer's words for people
	Err         error  // why there was no answer, or none that can be read

	text string // Err's, scrubbed
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

// temporary tells that the same request may do later.
func (e *Error) temporary() bool {
	return e.Err != nil || e.Status >= 500 || e.Status == 429 || e.Code == "temporarily_unavailable"
}

// clean takes out of an error of x/oauth2 what may hold a secret, which are the
// answer's body and whatever quotes it.
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

// secrets are what an issuer may quote: what we hold of it, the client's secret
// in every form that a request has it in, and more.
func (s *Source) secrets(app *oauth2.Config, more ...imapclient.Secret) []imapclient.Secret {
	known := append(more, s.held.refresh, s.held.access, imapclient.Secret(app.ClientSecret))
	if app.ClientSecret != "" {
		basic := url.QueryEscape(app.ClientID) + ":" + url.QueryEscape(app.ClientSecret)
		known = append(known, imapclient.Secret(base64.StdEncoding.EncodeToString([]byte(basic))))
	}
	return known
}

const maxText = 300 // runes of an issuer's that an error may hold

// likeToken is longer than any word, and than the UUIDs that Microsoft's
// descriptions end in.
var likeToken = regexp.MustCompile(`[A-Za-z0-9_.~+=-]{40,}`)

// scrub takes secrets, known and likely, and control characters out of a text,
// and its end where it is long.
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
