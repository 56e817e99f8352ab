package oauth

import "regexp"

// advice is what to do about an issuer's error, if that is certain. Microsoft's numbers
// are from "Microsoft Entra authentication & authorization error codes". They are for
// people: the program decides nothing by them.
var advice = map[string]string{
	"AADSTS50011":   "add http://localhost to the application, as a redirect URI of the platform \"Mobile and desktop applications\"",
	"AADSTS50020":   "this user is not in the directory that tenant names",
	"AADSTS50034":   "this user is not in the directory that tenant names",
	"AADSTS50059":   "set tenant to the directory's id or domain",
	"AADSTS50105":   "an administrator must assign this user to the application (Enterprise applications, Users and groups)",
	"AADSTS50194":   "the application is for one directory only: set tenant to its id or domain",
	"AADSTS53003":   "a Conditional Access policy of the directory blocks this: an administrator must allow the application, and the device grant if that is used",
	"AADSTS65001":   "an administrator must consent to the application's permission: IMAP.AccessAsUser.All (delegated), or IMAP.AccessAsApp (application) for client_credentials",
	"AADSTS65004":   "run the login again, and approve",
	"AADSTS650057":  "add the permission to the application (API permissions): IMAP.AccessAsUser.All of Office 365 Exchange Online or Microsoft Graph, delegated",
	"AADSTS700016":  "check client_id and tenant: the directory has no such application",
	"AADSTS700025":  "the application is a public client: leave client_secret out",
	"AADSTS7000215": "client_secret must be the secret's value, not its id",
	"AADSTS7000218": "switch on \"Allow public client flows\" for the application (Authentication), or give its client_secret",
	"AADSTS7000222": "the client secret has expired: make a new one (Certificates & secrets)",
	"AADSTS90002":   "check tenant: there is no such directory",

	"invalid_client":         "check client_id and client_secret",
	"invalid_scope":          "check scopes: the issuer does not know them, or does not give them to this application or grant",
	"unauthorized_client":    "the application is not allowed to use this grant: check how it is registered",
	"unsupported_grant_type": "the issuer does not offer this grant; see grant in config.example.yaml",
}

var entra = regexp.MustCompile(`\bAADSTS[0-9]+\b`)

// Hint returns what to do about the error. It may be empty.
func (e *Error) Hint() string {
	if hint := advice[entra.FindString(e.Description)]; hint != "" {
		return hint
	}
	switch {
	case advice[e.Code] != "":
		return advice[e.Code]
	case e.text != "":
		return "check that the issuer can be reached from here; HTTPS_PROXY sets a proxy, and SSL_CERT_FILE other certificate authorities"
	case e.temporary():
		return "the issuer has a problem of its own; try again later"
	}
	return ""
}
