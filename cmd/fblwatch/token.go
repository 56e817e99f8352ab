package main

import (
	"context"
	"errors"
	"strings"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/oauth"
)

// tokenTrials is how many tokens a server may refuse in one session: the one
// there is, and a new one.
const tokenTrials = 2

// tokenLogin gives the account's access token, and a new one where the server
// refuses it. All sessions of the account share what it returns.
func (p *program) tokenLogin(a Account) func(context.Context, imapclient.Challenge) (imapclient.Credentials, error) {
	source := oauth.New(*a.OAuth2)
	return func(ctx context.Context, challenge imapclient.Challenge) (imapclient.Credentials, error) {
		if errors.Is(challenge.Last, imapclient.ErrTemporary) { // a new token would change nothing
			return imapclient.Credentials{}, challenge.Last
		}
		if challenge.Trial > tokenTrials {
			return imapclient.Credentials{}, failed(challenge.Last, mailboxHint(*a.OAuth2))
		}
		token, expires, err := source.Token(ctx, challenge.Trial)
		if errors.Is(err, oauth.ErrNoLogin) || errors.Is(err, oauth.ErrRevoked) {
			// As good as a wrong password, and to be tried as seldom.
			err = failed(&imapclient.AuthError{Username: a.URL.User, Err: err}, p.loginHint(a))
		}
		if err != nil {
			return imapclient.Credentials{}, err
		}
		return imapclient.Credentials{Username: a.URL.User, Token: token, Expires: expires}, nil
	}
}

// loginHint is the command that logs in.
func (p *program) loginHint(a Account) string {
	command := "fblwatch login"
	if p.configFile != "" {
		command += " -c " + shellWord(p.configFile)
	}
	return "run " + command + " --account " + shellWord(a.Name)
}

// shellWord is a word for the shell.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./@+:,=", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// mailboxHint says why a server may refuse what its issuer gave.
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
