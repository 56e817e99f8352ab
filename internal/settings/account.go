package settings

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/mailboxurl"
	"github.com/fblwatch/fblwatch/internal/oauth"
	"github.com/fblwatch/fblwatch/internal/remote"
	"github.com/fblwatch/fblwatch/internal/trust"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// Account is one mailbox account of the config file.
type Account struct {
	Name            string            `yaml:"name"`
	URL             mailboxurl.URL    `yaml:"url"`
	Password        imapclient.Secret `yaml:"password"`
	PasswordFile    string            `yaml:"password_file"`
	PasswordCommand []string          `yaml:"password_command"` // program and arguments; no shell
	OAuth2          *oauth.Config     `yaml:"oauth2"`           // tokens instead of a password
	Folders         []string          `yaml:"folders"`
	Mailbox         trust.Mailbox     `yaml:"mailbox"` // which system takes messages in; the zero value: as trust says
	Since           *Span             `yaml:"since"`   // nil: 30 days
	After           watch.After       `yaml:"after"`
	Watch           string            `yaml:"watch"`       // auto, notify, idle, poll
	Connections     int               `yaml:"connections"` // at most; 0: 8
	OnUIDValidity   string            `yaml:"on_uidvalidity"`
	CAFile          string            `yaml:"ca_file"`   // PEM; trusted instead of the system's
	Pin             imapclient.Pin    `yaml:"pin"`       // of the server's certificate or key
	CertFile        string            `yaml:"cert_file"` // PEM; a client certificate, and with key_file a way to log in
	KeyFile         string            `yaml:"key_file"`  // PEM
	Compress        string            `yaml:"compress"`  // auto, on, off
	Insecure        bool              `yaml:"insecure"`  // allows imap:// to another machine
}

const defaultSince = 30 * 24 * time.Hour

// mostConnections of an account are more than any provider allows.
const mostConnections = 100

// FirstAge is how old a message may be when its folder is first read, for its records
// to be acted upon.
func (a Account) FirstAge() time.Duration {
	if a.Since == nil {
		return defaultSince
	}
	return time.Duration(*a.Since)
}

// ways counts the ways to log in beside a client certificate.
func (a Account) ways() (n int) {
	n = a.source().Ways()
	if a.OAuth2 != nil {
		n++
	}
	return n
}

// FolderNames are the names and patterns of what is read.
func (a Account) FolderNames() []string {
	switch {
	case a.URL.Folder != "":
		return []string{a.URL.Folder}
	case len(a.Folders) == 0:
		return []string{"INBOX"}
	}
	return a.Folders
}

// External reports whether the client certificate logs in (EXTERNAL, RFC 4422
// appendix A).
func (a Account) External() bool { return a.CertFile != "" && a.ways() == 0 }

// Validate checks one account.
func (a Account) Validate() error {
	if a.Name == "" {
		return errors.New("name is missing")
	}
	if a.URL.Host == "" {
		return errors.New("url is missing")
	}
	if ways := a.ways(); ways != 1 && !a.External() {
		return fmt.Errorf("needs one of password_file, password_command, password and oauth2, has %d", ways)
	}
	encrypted := ""
	if a.URL.Scheme == "imap" {
		encrypted = "imaps:// or imap+starttls://"
	}
	if err := (remote.TLS{CAFile: a.CAFile, Pin: a.Pin, CertFile: a.CertFile, KeyFile: a.KeyFile}).Validate(encrypted); err != nil {
		return err
	}
	for _, choice := range []struct{ key, value, values string }{
		{"watch", a.Watch, "auto, notify, idle, poll"}, {"on_uidvalidity", a.OnUIDValidity, "rescan, new-only, stop"},
		{"compress", a.Compress, "auto, on, off"},
	} {
		if choice.value != "" && !slices.Contains(strings.Split(choice.values, ", "), choice.value) {
			return fmt.Errorf("%s is none of %s", choice.key, choice.values)
		}
	}
	if a.Connections < 0 || a.Connections > mostConnections {
		return fmt.Errorf("connections is not between 1 and %d", mostConnections)
	}
	if a.URL.ReadOnly && a.After != (watch.After{}) {
		return errors.New("url says /readonly, and after would change the folder; keep one of the two")
	}
	for _, target := range a.After.Targets() {
		if slices.ContainsFunc(a.FolderNames(), func(name string) bool {
			return name == target || strings.EqualFold(name, "INBOX") && strings.EqualFold(name, target)
		}) {
			return errors.New("after moves messages to a folder that is read itself: they would come again and again")
		}
	}
	if a.URL.Folder != "" && len(a.Folders) > 0 {
		return errors.New("names a folder in url and others in folders; keep one of the two")
	}
	return nil
}

// Reads reports whether the account names a folder, or has a pattern for it.
func (a Account) Reads(folder string) bool {
	return slices.ContainsFunc(a.FolderNames(), func(name string) bool {
		return name == folder || strings.EqualFold(name, "INBOX") && strings.EqualFold(folder, "INBOX") ||
			strings.ContainsAny(name, "*%") && matches(name, folder)
	})
}

// matches reports whether an IMAP pattern (RFC 9051 section 6.3.9) may mean name. The
// hierarchy's delimiter, at which % ends, is not known here.
func matches(pattern, name string) bool {
	expression := strings.NewReplacer(`\*`, ".*", "%", ".*").Replace(regexp.QuoteMeta(pattern))
	return regexp.MustCompile("(?s)^" + expression + "$").MatchString(name)
}
