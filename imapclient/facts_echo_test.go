package imapclient_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

const (
	echoed      = `Tr0ub4"dor\&3`
	echoedShort = "pass"
)

// echoes are what servers make of a password in what they say.
func echoes(password string) []string {
	return []string{
		"bad password " + password + " for user",
		`bad command LOGIN "user" ` + fmt.Sprintf("%q", password),
		"bad response " + b64("\x00user\x00"+password),
		"bad response " + b64("user\x00user\x00"+password),
		"bad response " + b64(password),
		"bad response " + strings.TrimRight(b64(password), "="),
		"bad response " + base64.RawURLEncoding.EncodeToString([]byte("\x00somebody\x00"+password)),
		"bad header Authorization: Basic " + b64("user:"+password),
		strings.Repeat("x", 95) + " " + password,   // cut in an excerpt
		strings.Repeat("x", 1990) + " " + password, // and in a status
	}
}

// shows is the form in which a text has the password, or all but two octets of a
// long one; "": in none.
func shows(text, password string) string {
	text = strings.NewReplacer("password", "", "passed over", "").Replace(text)
	forms := []string{password, strings.Trim(fmt.Sprintf("%q", password), `"`)}
	for n := range 3 {
		code := b64(strings.Repeat("x", n) + password)
		forms = append(forms, code[(8*n+5)/6:8*(n+len(password))/6])
	}
	for _, form := range forms {
		if len(form) > 8 {
			form = form[:len(form)-2]
		}
		if strings.Contains(text, form) {
			return form
		}
	}
	return ""
}

// TestEchoes has a server say a password in each way and at each place. It shows
// in no event, debug line or error.
func TestEchoes(t *testing.T) {
	for _, password := range []string{echoed, echoedShort} {
		for _, echo := range echoes(password) {
			for _, at := range []string{"NO", "BAD", "untagged", "+", "no answer", "later", "later untagged", "later stray", "BYE"} {
				t.Run(at+" "+echo[:12], func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s, h := imaptest.Filled(t, 1, nil), &recorder{}
						t.Cleanup(func() { s.Close() })
						s.Password = password
						s.Hook = echoing(at, echo)
						opts := options(s, h)
						opts.Debug = true
						opts.Login = once(imapclient.Credentials{Username: "user", Password: imapclient.Secret(password)})
						c, err := imapclient.Dial(t.Context(), opts)
						if err == nil {
							err = c.Noop(t.Context())
							c.Close()
						}
						text := h.text() + fmt.Sprintf("%v %+v", err, err)
						if form := shows(text, password); form != "" {
							t.Errorf("%q shows in\n%s", form, text)
						}
						if !strings.Contains(text, "<secret>") {
							t.Errorf("no secret in\n%s", text)
						}
					})
				})
			}
		}
	}
}

// echoing has a server say text at one place.
func echoing(place, text string) func(imaptest.Step) imaptest.Action {
	return func(step imaptest.Step) imaptest.Action {
		login := step.Part == imaptest.Received && step.Command == "AUTHENTICATE"
		noop := step.Part == imaptest.Received && step.Command == "NOOP"
		switch {
		case login && (place == "NO" || place == "BAD"):
			return imaptest.Action{Do: imaptest.Answer, Text: place + " [ALERT] " + text}
		case login && place == "untagged":
			return imaptest.Action{Before: "* NO [ALERT " + text + "] " + text + "\r\n"}
		case login && place == "+":
			return imaptest.Action{Do: imaptest.Answer, Before: "+ " + text + "\r\n+ " + b64(text) + "\r\n", Text: "NO " + text}
		case login && place == "no answer":
			return imaptest.Action{Before: text + "\r\n"}
		case noop && place == "later":
			return imaptest.Action{Do: imaptest.Answer, Text: "NO " + text}
		case noop && place == "later untagged":
			return imaptest.Action{Before: "* XYZZY " + text + "\r\n* BAD " + text + "\r\n"}
		case noop && place == "later stray":
			return imaptest.Action{Before: text + " OK " + text + "\r\n"}
		case noop && place == "BYE":
			return imaptest.Bye(text)
		}
		return imaptest.Action{}
	}
}
