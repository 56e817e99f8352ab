package settings

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/oauth"
	"github.com/fblwatch/fblwatch/internal/remote"
)

// password returns a func that finds the account's password. A person is asked once.
func (a Account) password(person Person) func(context.Context) (imapclient.Secret, error) {
	source := a.source()
	if source.Ways() > 0 || person.Ask == nil {
		return source.Get
	}
	ask := sync.OnceValues(func() (imapclient.Secret, error) { return person.Ask("Password of " + a.Name + ": ") })
	return func(context.Context) (imapclient.Secret, error) { return ask() }
}

func (a Account) source() remote.Source {
	return remote.Source{Key: "password", Value: a.Password, File: a.PasswordFile, Command: a.PasswordCommand}
}

// login returns the account's imapclient.Options.Login. It gives a password once a
// session: the server would refuse it again.
func (a Account) login(person Person) func(context.Context, imapclient.Challenge) (imapclient.Credentials, error) {
	if a.OAuth2 != nil {
		return a.tokenLogin(person)
	}
	if a.External() {
		return func(_ context.Context, challenge imapclient.Challenge) (imapclient.Credentials, error) {
			return imapclient.Credentials{Username: a.URL.User}, challenge.Last
		}
	}
	password := a.password(person)
	return func(ctx context.Context, challenge imapclient.Challenge) (imapclient.Credentials, error) {
		if challenge.Trial > 1 {
			return imapclient.Credentials{}, challenge.Last
		}
		secret, err := password(ctx)
		if err != nil {
			return imapclient.Credentials{}, fmt.Errorf("password: %w", err)
		}
		return imapclient.Credentials{Username: a.URL.User, Password: secret}, nil
	}
}

// tokenTrials is how many tokens a server may refuse in one session: the stored one
// and a new one.
const tokenTrials = 2

// tokenLogin gives the account's access token, and a new one if the server refuses it.
func (a Account) tokenLogin(person Person) func(context.Context, imapclient.Challenge) (imapclient.Credentials, error) {
	source := oauth.New(*a.OAuth2)
	return func(ctx context.Context, challenge imapclient.Challenge) (imapclient.Credentials, error) {
		if errors.Is(challenge.Last, imapclient.ErrTemporary) { // a new token would change nothing
			return imapclient.Credentials{}, challenge.Last
		}
		if challenge.Trial > tokenTrials {
			return imapclient.Credentials{}, advised{challenge.Last, mailboxHint(*a.OAuth2)}
		}
		token, expires, err := source.Token(ctx, challenge.Trial)
		if errors.Is(err, oauth.ErrNoLogin) || errors.Is(err, oauth.ErrRevoked) {
			// Like a wrong password: it is tried as seldom.
			err = advised{&imapclient.AuthError{Username: a.URL.User, Err: err}, person.hint(a.Name)}
		}
		if err != nil {
			return imapclient.Credentials{}, err
		}
		return imapclient.Credentials{Username: a.URL.User, Token: token, Expires: expires}, nil
	}
}

// mailboxHint says why a server may refuse a good token.
func mailboxHint(c oauth.Config) string {
	hint := "the issuer gave a token, but the mail server does not take it: check that the user in url is the one who approved, and that IMAP is switched on for this mailbox"
	if c.Provider == oauth.Microsoft {
		hint += " (Set-CASMailbox -ImapEnabled $true)"
	}
	if c.Provider == oauth.Microsoft && c.Unattended() {
		hint += "; an application needs the permission IMAP.AccessAsApp with an administrator's consent, and in Exchange Online New-ServicePrincipal for itself and Add-MailboxPermission for the mailbox"
	}
	return hint
}
