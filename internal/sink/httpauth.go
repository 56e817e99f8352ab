package sink

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/remote"
)

// secretAge is how long a secret is used before its file is read or its command is run
// again. After a failure it is at once.
const secretAge = time.Minute

// auth makes the Authorization of requests.
type auth struct {
	user   string
	source remote.Source
	value  imapclient.Secret
	at     time.Time // when value was made; zero: it is to be made
}

func newAuth(c Config) auth {
	if c.Remote.User != "" {
		return auth{user: c.Remote.User, source: c.Remote.source()}
	}
	return auth{source: c.HTTP.source()}
}

func (a *auth) forget() { a.at = time.Time{} }

// header returns the field's value, "" if there is none.
func (a *auth) header(ctx context.Context) (imapclient.Secret, error) {
	if a.source.Ways() == 0 || !a.at.IsZero() && time.Since(a.at) < secretAge {
		return a.value, nil
	}
	secret, err := a.source.Get(ctx)
	if err != nil {
		return "", fmt.Errorf("%s: %w", a.source.Key, err)
	}
	a.value = "Bearer " + secret
	if a.user != "" {
		a.value = imapclient.Secret("Basic " + base64.StdEncoding.EncodeToString([]byte(a.user+":"+secret.Reveal())))
	}
	a.at = time.Now()
	return a.value, nil
}

// leastMasked is how many octets a secret has that an answer is searched for: shorter
// ones are in any text.
const leastMasked = 6

// mask hides what an answer repeats of our secrets: they would be in a log.
func (c *httpClient) mask(body []byte, header http.Header) []byte {
	hide := func(secret string) {
		if len(secret) >= leastMasked {
			body = bytes.ReplaceAll(body, []byte(secret), []byte(imapclient.Secret("").String()))
		}
	}
	for name := range c.headers {
		hide(header.Get(name))
	}
	if c.auth.value != "" {
		_, code, _ := strings.Cut(c.auth.value.Reveal(), " ")
		hide(code)
		if plain, err := base64.StdEncoding.DecodeString(code); err == nil && c.auth.user != "" {
			hide(string(plain[len(c.auth.user)+1:]))
		}
	}
	for piece := range strings.SplitSeq(c.base.EscapedPath(), "/") {
		if len(piece) >= hideFrom {
			hide(piece)
		}
	}
	hide(c.base.RawQuery)
	for _, values := range c.base.Query() {
		for _, value := range values {
			hide(value)
		}
	}
	return body
}
