package settings

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/fblwatch/fblwatch/internal/ledger/backend"
	"github.com/fblwatch/fblwatch/internal/plainfile"
	"github.com/fblwatch/fblwatch/internal/remote"
)

// Exposed names the files with secrets, and the ledger, that anybody may read. Each
// text says what to do.
func (c *Config) Exposed() (warnings []string) {
	look := func(what, path string) {
		if text := plainfile.Exposed(path); path != "" && text != "" {
			warnings = append(warnings, what+" "+text)
		}
	}
	if len(c.secrets) > 0 {
		look("config, which holds "+strings.Join(c.secrets, ", ")+":", c.path)
	}
	for _, a := range c.Accounts {
		account := "account " + a.Name + ": "
		look(account+"password_file", a.PasswordFile)
		look(account+"key_file", a.KeyFile)
		if a.OAuth2 != nil {
			look(account+"client_secret_file", a.OAuth2.ClientSecretFile)
			look(account+"token_file", a.OAuth2.TokenFile)
		}
	}
	for _, s := range c.Sinks {
		for key, path := range s.SecretFiles() {
			look("sink "+s.Name+": "+key, path)
		}
	}
	for _, rule := range c.Identify.Rules {
		if rule.Verify != nil {
			look("identify: key_file", rule.Verify.KeyFile)
		}
	}
	look("privacy: key_file", c.Privacy.KeyFile)
	file, _ := backend.Path(c.Ledger)
	if info, err := os.Lstat(file); err == nil && info.Mode()&fs.ModeSymlink != 0 { // a mode that is not ours to change
		look("ledger", file)
	}
	return warnings
}

// Warning says what is not safe about the way to the account's server. It is empty if
// the way is safe. Its names are the config's, and may hold control characters.
func (a Account) Warning() string {
	switch {
	case a.URL.NoValidate && a.URL.Scheme != "imap":
		return fmt.Sprintf("account %s: novalidate-cert: whoever is on the way to %s can pass for it, and read the password", a.Name, a.URL.Host)
	case a.Insecure && a.URL.Scheme == "imap" && !remote.IsLoopback(a.URL.Host):
		return fmt.Sprintf("account %s: insecure: the password and all messages go to %s in clear", a.Name, a.URL.Host)
	}
	return ""
}
