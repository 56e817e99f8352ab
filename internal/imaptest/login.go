package imaptest

import (
	"crypto/tls"
	"encoding/base64"
	"strings"
)

func (c *session) caps() string {
	caps := c.srv.Caps
	if c.srv.TLS != nil && !c.secure {
		caps = append(caps[:len(caps):len(caps)], "STARTTLS")
	}
	return "CAPABILITY " + strings.Join(caps, " ")
}

// capCode is the response code with the capabilities.
func (c *session) capCode() string {
	if c.srv.QuietCaps {
		return ""
	}
	return "[" + c.caps() + "] "
}

func (c *session) capability([]arg) (string, error) {
	return "OK CAPABILITY completed", c.linef("%s", c.caps())
}

func (c *session) id([]arg) (string, error) {
	return "OK ID completed", c.linef(`ID ("name" "imaptest")`)
}

func (c *session) logout([]arg) (string, error) {
	if err := c.linef("BYE logging out"); err != nil {
		return "", err
	}
	return "OK LOGOUT completed", errLogout
}

func (c *session) starttls([]arg) (string, error) {
	if c.srv.TLS == nil || c.secure {
		return "BAD no TLS here", nil
	}
	return "OK begin TLS", nil
}

func (c *session) login(args []arg) (string, error) {
	if len(args) != 2 {
		return "BAD LOGIN wants a user and a password", nil
	}
	return c.admit(args[0].text, args[1].text), nil
}

func (c *session) admit(user, password string) string {
	if user != c.srv.User || password != c.srv.Password {
		return "NO [AUTHENTICATIONFAILED] wrong user or password"
	}
	c.loggedIn = true
	return "OK " + c.capCode() + "logged in"
}

// authenticate does PLAIN (RFC 4616), LOGIN, EXTERNAL (RFC 4422 appendix A),
// OAUTHBEARER (RFC 7628) and XOAUTH2.
func (c *session) authenticate(args []arg) (string, error) {
	if len(args) == 0 || len(args) > 2 {
		return "BAD AUTHENTICATE wants a mechanism", nil
	}
	var user, password string
	switch mechanism := args[0].upper(); mechanism {
	case "PLAIN":
		text, err := c.response(args[1:], "")
		if err != nil {
			return c.refusal(err)
		}
		identities := strings.Split(text, "\x00")
		if len(identities) != 3 {
			return "BAD PLAIN wants three fields", nil
		}
		user, password = identities[1], identities[2]
	case "LOGIN":
		var err error
		if user, err = c.response(args[1:], "Username:"); err == nil {
			password, err = c.response(nil, "Password:")
		}
		if err != nil {
			return c.refusal(err)
		}
	case "EXTERNAL":
		identity, err := c.response(args[1:], "")
		if err != nil {
			return c.refusal(err)
		}
		return c.admitCertificate(identity), nil
	case "OAUTHBEARER", "XOAUTH2":
		text, err := c.response(args[1:], "")
		if err != nil {
			return c.refusal(err)
		}
		return c.admitToken(mechanism, text)
	default:
		return "NO no such mechanism", nil
	}
	return c.admit(user, password), nil
}

// admitCertificate logs in the user of the client's certificate.
func (c *session) admitCertificate(identity string) string {
	conn, ok := c.conn.(*tls.Conn)
	if !ok || len(conn.ConnectionState().PeerCertificates) == 0 {
		return "NO [AUTHENTICATIONFAILED] no certificate"
	}
	user := conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	if user != c.srv.User || identity != "" && identity != user {
		return "NO [AUTHORIZATIONFAILED] the certificate is somebody else's"
	}
	c.loggedIn = true
	return "OK " + c.capCode() + "logged in"
}

// admitToken logs in a client with the right token. For another token it sends the
// reason, waits for the client's answer, and then says NO.
func (c *session) admitToken(mechanism, text string) (string, error) {
	user, port, answer := "user="+c.srv.User, "", ""
	if mechanism == "OAUTHBEARER" {
		user, answer = "n,a="+strings.NewReplacer("=", "=3D", ",", "=2C").Replace(c.srv.User)+",", "\x01"
		fields := strings.Split(text, "\x01")
		if len(fields) > 2 && strings.HasPrefix(fields[1], "host=") && strings.HasPrefix(fields[2], "port=") {
			port = fields[1] + "\x01" + fields[2] + "\x01"
		}
	}
	good := c.srv.GoodToken
	if good == nil {
		good = func(token string) bool { return token != "" && token == c.srv.Token }
	}
	token, named := strings.CutPrefix(text, user+"\x01"+port+"auth=Bearer ")
	token, ended := strings.CutSuffix(token, "\x01\x01")
	if named && ended && good(token) {
		c.loggedIn = true
		return "OK " + c.capCode() + "logged in", nil
	}
	got, err := c.response(nil, `{"status":"401","schemes":"bearer","scope":"https://mail.example.com/"}`)
	if err != nil {
		return c.refusal(err)
	}
	if got != answer {
		return "BAD not the answer that " + mechanism + " wants", nil
	}
	return "NO [AUTHENTICATIONFAILED] wrong token", nil
}

// response takes the initial response, or asks for one.
func (c *session) response(initial []arg, challenge string) (string, error) {
	var text string
	if len(initial) > 0 {
		if text = initial[0].text; text == "=" { // empty, RFC 4959 section 3
			return "", nil
		}
	} else {
		err := c.line(Continue, "+ "+base64.StdEncoding.EncodeToString([]byte(challenge)))
		if err == nil {
			text, err = c.readLine()
		}
		if err != nil {
			return "", err
		}
	}
	decoded, err := base64.StdEncoding.DecodeString(text) // "*" cancels and is no base64
	if err != nil {
		return "", errSyntax
	}
	return string(decoded), nil
}

func (c *session) refusal(err error) (string, error) {
	if err == errSyntax {
		return "BAD cancelled or not base64", nil
	}
	return "", err
}
