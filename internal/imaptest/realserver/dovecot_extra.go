package realserver

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"time"
)

// Extra is a part of Dovecot's configuration that few tests need. It works with
// Dovecot 2.3 only.
type Extra struct {
	config string            // arguments as in dovecotConfig
	files  map[string]string // by name; one argument, the directory
}

const tokenKey = "0123456789abcdef0123456789abcdef"

// Tokens offers OAUTHBEARER and XOAUTH2. Token makes the user's tokens.
var Tokens = Extra{
	config: `
auth_mechanisms = $auth_mechanisms oauthbearer xoauth2
passdb {
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = %[1]s/oauth2.conf
}
`,
	files: map[string]string{
		"oauth2.conf": `
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=%[1]s/keys/
username_attribute = sub
`,
		"keys/default/HS256/default": base64.StdEncoding.EncodeToString([]byte(tokenKey)),
	},
}

// Certificates offers EXTERNAL: a client certificate of the server's own CA
// names its user.
var Certificates = Extra{config: `
auth_mechanisms = $auth_mechanisms external
ssl_ca = <%[1]s/ca.pem
ssl_require_crl = no
ssl_verify_client_cert = yes
auth_ssl_username_from_cert = yes
passdb {
  driver = static
  mechanisms = external
  args = nopassword
}
`}

// Quotas offers QUOTA: 10 MB and 1,000 messages.
var Quotas = Extra{config: `
protocol imap {
  mail_plugins = $mail_plugins quota imap_quota
}
plugin {
  quota = count:all
  quota_vsizes = yes
  quota_rule = *:storage=10M:messages=1000
}
`}

// Token makes an access token of the user.
func (d *DovecotServer) Token(expires time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		encode(fmt.Appendf(nil, `{"sub":%q,"iat":%d,"exp":%d}`, d.User(), expires.Add(-time.Hour).Unix(), expires.Unix()))
	mac := hmac.New(sha256.New, []byte(tokenKey))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// ClientCertificate is the user's.
func (d *DovecotServer) ClientCertificate() tls.Certificate { return d.ca.Certificate(d.User()) }
