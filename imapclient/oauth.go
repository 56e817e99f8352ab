package imapclient

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/emersion/go-sasl"
)

const xoauth2 = "XOAUTH2" // Google's and Microsoft's, older than RFC 7628; go-sasl has it not

// tokenClient is OAUTHBEARER or XOAUTH2: one response. If the server refuses the
// token, it sends a challenge with the reason, and says NO after the answer to it.
type tokenClient struct {
	name   string
	first  []byte
	dummy  []byte // answers the challenge
	asked  bool
	status string // of that challenge
	text   string
}

func newXOAUTH2Client(user, token string) *tokenClient {
	return &tokenClient{name: xoauth2, first: []byte("user=" + user + "\x01auth=Bearer " + token + "\x01\x01")}
}

// newBearerClient is RFC 7628. That of go-sasl cancels after a refusal, and then a BAD
// hides the server's reason.
func newBearerClient(user, token, host string, port int) *tokenClient {
	user = strings.NewReplacer("=", "=3D", ",", "=2C").Replace(user) // RFC 5801 section 4
	options := sasl.OAuthBearerOptions{Username: user, Token: token, Host: host, Port: port}
	name, first, _ := sasl.NewOAuthBearerClient(&options).Start()
	return &tokenClient{name: name, first: first, dummy: []byte{1}}
}

func (c *tokenClient) Start() (string, []byte, error) { return c.name, c.first, nil }

func (c *tokenClient) Next(challenge []byte) ([]byte, error) {
	if c.asked {
		return nil, sasl.ErrUnexpectedServerChallenge
	}
	c.asked = true
	c.status, c.text = parseTokenFailure(challenge)
	return c.dummy, nil
}

// refused reports whether the server's reason is that the token is no longer valid.
// The status is a status of HTTP (Google, Microsoft) or an error of RFC 6750.
func (c *tokenClient) refused() bool { return c.status == "401" || c.status == "invalid_token" }

// parseTokenFailure reads the JSON of RFC 7628 section 3.2.2: the status, and a text
// for people.
func parseTokenFailure(challenge []byte) (status, text string) {
	var said map[string]any
	if json.Unmarshal(challenge, &said) != nil {
		return "", excerpt(challenge)
	}
	for _, key := range []string{"status", "error", "error_description", "scope"} {
		value, ok := said[key]
		if !ok {
			continue
		}
		word := excerpt(fmt.Append(nil, value))
		if key == "status" {
			status = word
		}
		text += ", " + key + " " + word
	}
	return status, strings.TrimPrefix(text, ", ")
}
