package imapclient_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/imaptest"
)

// loginFacts are of servers that offer a way to log in and do not know it, and of
// refusals that are not about the password.
var loginFacts = []fact{
	{
		name: "GreenMail: SASL-IR offered, an initial response answered by BAD", goimap: byNature,
		server: func(s *imaptest.Server) { s.Hook = notAtOnce },
		ours:   logsIn("AUTHENTICATE PLAIN "+b64("\x00user\x00pass"), "AUTHENTICATE PLAIN"),
	},
	{
		name: "AUTH=PLAIN offered and answered by BAD", goimap: byNature,
		server: refusing("AUTHENTICATE", "BAD Command unrecognized: AUTHENTICATE"),
		ours:   logsIn("AUTHENTICATE PLAIN "+b64("\x00user\x00pass"), "AUTHENTICATE PLAIN", `LOGIN "user" "pass"`),
	},
	{
		name: "AUTH=PLAIN offered and answered by NO: no such mechanism", goimap: byNature,
		server: refusing("AUTHENTICATE", "NO Unsupported authentication mechanism"),
		ours:   logsIn("AUTHENTICATE PLAIN "+b64("\x00user\x00pass"), "AUTHENTICATE PLAIN", `LOGIN "user" "pass"`),
	},
	{
		name: "AUTH=LOGIN offered and answered by BAD, no SASL-IR", goimap: byNature,
		server: func(s *imaptest.Server) {
			offers("IMAP4rev1 AUTH=LOGIN")(s)
			refusing("AUTHENTICATE", "BAD Unknown command")(s)
		},
		ours: logsIn("AUTHENTICATE LOGIN", `LOGIN "user" "pass"`),
	},
	{
		name: "AUTH=PLAIN answered by BAD and a close", goimap: byNature,
		server: func(s *imaptest.Server) {
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Part == imaptest.Received && step.Command == "AUTHENTICATE" {
					tag, _, _ := strings.Cut(step.Text, " ")
					return imaptest.Action{Do: imaptest.Cut, Before: tag + " BAD Unknown command\r\n"}
				}
				return imaptest.Action{}
			}
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c, err := imapclient.Dial(t.Context(), options(s, nil))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			want(t, sent(s, "AUTHENTICATE", "LOGIN"), "AUTHENTICATE PLAIN "+b64("\x00user\x00pass"), "AUTHENTICATE PLAIN", `LOGIN "user" "pass"`)
			if s.Conns() != 3 {
				t.Errorf("%d connections", s.Conns())
			}
		},
	},
	{
		name: "BAD behind the response", goimap: byNature,
		server: func(s *imaptest.Server) {
			offers("IMAP4rev1 AUTH=PLAIN")(s)
			s.Hook = func(step imaptest.Step) imaptest.Action {
				if step.Command == "AUTHENTICATE" && step.Part == imaptest.Tagged {
					return imaptest.Action{Do: imaptest.Answer, Text: "BAD Invalid command"}
				}
				return imaptest.Action{}
			}
		},
		ours: func(t *testing.T, s *imaptest.Server) {
			c, err := imapclient.Dial(t.Context(), options(s, nil))
			if err == nil {
				c.Close()
			}
			want(t, sent(s, "AUTHENTICATE", "LOGIN"), "AUTHENTICATE PLAIN", `LOGIN "user" "pass"`)
		},
	},
	{
		name: "AUTH=PLAIN answered by BAD, LOGINDISABLED", goimap: byNature,
		server: func(s *imaptest.Server) {
			offers("IMAP4rev1 AUTH=PLAIN LOGINDISABLED")(s)
			refusing("AUTHENTICATE", "BAD no")(s)
		},
		ours: refused("AUTHENTICATE PLAIN"),
	},
	{
		name: "AUTH=PLAIN answered by BAD, LOGIN by NO: once", goimap: byNature,
		server: func(s *imaptest.Server) {
			refusing("AUTHENTICATE", "BAD no")(s)
			s.Password = "other"
		},
		ours: refused("AUTHENTICATE PLAIN "+b64("\x00user\x00pass"), "AUTHENTICATE PLAIN", `LOGIN "user" "pass"`),
	},
	{
		name: "a wrong password is not said in another way", goimap: byNature,
		server: func(s *imaptest.Server) { s.Password = "other" },
		ours:   refused("AUTHENTICATE PLAIN " + b64("\x00user\x00pass")),
	},
	{
		name: "BAD that names the password's refusal", goimap: byNature,
		server: refusing("AUTHENTICATE", "BAD [AUTHENTICATIONFAILED] no"),
		ours:   refused("AUTHENTICATE PLAIN " + b64("\x00user\x00pass")),
	},
	{
		name: "too many connections, said by the greeting", goimap: byNature,
		server: func(s *imaptest.Server) { s.Greeting = "* BYE Too many connections from your address" },
		ours: func(t *testing.T, s *imaptest.Server) {
			if _, err := imapclient.Dial(t.Context(), options(s, nil)); !errors.Is(err, imapclient.ErrTemporary) {
				t.Errorf("error: %v", err)
			}
		},
	},
	crowdedBy("Dovecot, node-imap#606", "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=16)"),
	crowdedBy("Dovecot, without its code", "NO Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)"),
	crowdedBy("Gmail, wildduck#35", "NO [ALERT] Too many simultaneous connections. (Failure)"),
	crowdedBy("Microsoft 365, node-imap#523", "BAD User is authenticated but not connected."),
	crowdedBy("Exchange", "BAD Server Unavailable. 15"),
	crowdedBy("Yahoo", "NO [LIMIT] LOGIN Rate limit hit"),
	crowdedBy("RFC 5530 INUSE", "NO [INUSE] another session has it"),
	crowdedBy("WildDuck", "NO [ALERT] Too many connections"),
	crowdedBy("a BAD for too many", "BAD too many connections"),
}

// notAtOnce takes no initial response.
func notAtOnce(step imaptest.Step) imaptest.Action {
	if step.Part == imaptest.Received && step.Command == "AUTHENTICATE" && len(strings.Fields(step.Text)) > 3 {
		return imaptest.Action{Do: imaptest.Answer, Text: "BAD Command AUTHENTICATE is invalid"}
	}
	return imaptest.Action{}
}

// logsIn checks what is sent until the login succeeds, on one connection.
func logsIn(lines ...string) func(*testing.T, *imaptest.Server) {
	return func(t *testing.T, s *imaptest.Server) {
		c, err := imapclient.Dial(t.Context(), options(s, nil))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		want(t, sent(s, "AUTHENTICATE", "LOGIN"), lines...)
		if _, err := c.Examine(t.Context(), "INBOX"); err != nil || s.Conns() != 1 {
			t.Errorf("%d connections, %v", s.Conns(), err)
		}
	}
}

func refused(lines ...string) func(*testing.T, *imaptest.Server) {
	return func(t *testing.T, s *imaptest.Server) {
		_, err := imapclient.Dial(t.Context(), options(s, nil))
		if !errors.As(err, new(*imapclient.AuthError)) || errors.Is(err, imapclient.ErrTemporary) {
			t.Errorf("error: %v", err)
		}
		want(t, sent(s, "AUTHENTICATE", "LOGIN"), lines...)
	}
}

// crowdedBy is a server that refuses every login for now.
func crowdedBy(name, text string) fact {
	return fact{
		name: name + ": no more connections", goimap: byNature, server: refusing("AUTHENTICATE", text),
		ours: func(t *testing.T, s *imaptest.Server) {
			_, err := imapclient.Dial(t.Context(), options(s, nil))
			if !errors.Is(err, imapclient.ErrTemporary) {
				t.Errorf("error: %v", err)
			}
			if n := len(sent(s, "AUTHENTICATE", "LOGIN")); n != 1 {
				t.Errorf("%d logins", n)
			}
		},
	}
}
