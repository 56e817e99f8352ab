package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/imapclient"
	"github.com/fblwatch/fblwatch/internal/oauth"
	"github.com/fblwatch/fblwatch/internal/watch"
)

// Account is one mailbox account of the config file.
type Account struct {
	Name            string            `yaml:"name"`
	URL             MailboxURL        `yaml:"url"`
	Password        imapclient.Secret `yaml:"password"`
	PasswordFile    string            `yaml:"password_file"`
	PasswordCommand []string          `yaml:"password_command"` // program and arguments; no shell
	OAuth2          *oauth.Config     `yaml:"oauth2"`           // tokens instead of a password
	Folders         []string          `yaml:"folders"`
	Since           *Span             `yaml:"since"` // nil: defaultSince
	After           watch.After       `yaml:"after"`
	Watch           string            `yaml:"watch"`       // auto, notify, idle, poll
	Connections     int               `yaml:"connections"` // at most; 0: 8
	OnUIDValidity   string            `yaml:"on_uidvalidity"`
	CAFile          string            `yaml:"ca_file"`  // PEM; trusted instead of the system's
	Insecure        bool              `yaml:"insecure"` // allows imap:// to another machine
}

// defaultSince is how old a mail may be when its folder is first read, for its
// records to be acted upon.
const defaultSince = 30 * 24 * time.Hour

// mostConnections of an account are more than any provider allows.
const mostConnections = 100

func (a Account) since() time.Duration {
	if a.Since == nil {
		return defaultSince
	}
	return time.Duration(*a.Since)
}

// Validate checks one account.
func (a Account) Validate() error {
	if a.Name == "" {
		return errors.New("name is missing")
	}
	if a.URL.Host == "" {
		return errors.New("url is missing")
	}
	ways := 0
	for _, given := range []bool{a.Password != "", a.PasswordFile != "", len(a.PasswordCommand) > 0, a.OAuth2 != nil} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return fmt.Errorf("needs one of password_file, password_command, password and oauth2, has %d", ways)
	}
	for _, choice := range []struct{ key, value, values string }{
		{"watch", a.Watch, "auto, notify, idle, poll"}, {"on_uidvalidity", a.OnUIDValidity, "rescan, new-only, stop"},
	} {
		if choice.value != "" && !slices.Contains(strings.Split(choice.values, ", "), choice.value) {
			return fmt.Errorf("%s is %q, none of %s", choice.key, choice.value, choice.values)
		}
	}
	if a.Connections < 0 || a.Connections > mostConnections {
		return fmt.Errorf("connections is not between 1 and %d", mostConnections)
	}
	if a.URL.ReadOnly && a.After != (watch.After{}) {
		return errors.New("url says /readonly, and after would change the folder; keep one of the two")
	}
	for _, target := range a.After.Targets() {
		read := a.Folders
		if a.URL.Folder != "" {
			read = []string{a.URL.Folder}
		} else if len(read) == 0 {
			read = []string{"INBOX"}
		}
		if slices.ContainsFunc(read, func(name string) bool {
			return name == target || strings.EqualFold(name, "INBOX") && strings.EqualFold(name, target)
		}) {
			return fmt.Errorf("after moves mails to %s, which is read itself: they would come again and again", target)
		}
	}
	if a.URL.Folder != "" && len(a.Folders) > 0 {
		return errors.New("names a folder in url and others in folders; keep one of the two")
	}
	return nil
}
