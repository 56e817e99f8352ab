package trust

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Config says which servers and signers to believe. The zero value believes none.
type Config struct {
	Own         Own      `yaml:"own"`
	AuthservIDs []string `yaml:"authserv_ids"` // of servers with true Authentication-Results (RFC 8601 section 2.5)
	// Hops are our own mail servers by the names they give themselves in the "by" of a
	// Received; ".example.com" is every host below that domain. A field below a Received
	// of theirs may be the sender's. It proves nothing if signatures are verified. If
	// they are not, our servers must remove foreign Authentication-Results with our ids
	// (RFC 8601 section 5).
	Hops         []string           `yaml:"hops"`
	Reporters    []string           `yaml:"reporters"`    // domains that mailboxes are not given away at, or single addresses, that report beside the known providers; a parent may sign
	ARCSealers   []string           `yaml:"arc_sealers"`  // domains whose ARC seals are believed (RFC 8617)
	Microsoft365 bool               `yaml:"microsoft365"` // as Mailbox microsoft365, for messages that its hosts received
	DKIM         *bool              `yaml:"dkim"`         // verify signatures ourselves, which asks the DNS; nil: true where Own is set
	Timeout      time.Duration      `yaml:"timeout"`      // for all of one message's DNS; default 5 s
	Mailbox      Mailbox            `yaml:"mailbox"`      // the system that receives messages, if an account does not name it
	Profiles     []Profile          `yaml:"profiles"`     // rows before the built-in ones
	Accounts     map[string]Account `yaml:"-"`            // by the name of the account
}

// Own says which reported message is ours, by what its reporter found: see foreign.
type Own struct {
	Domains []string `yaml:"domains"` // for which SPF or DKIM passes; with all below them
	IPs     []string `yaml:"ips"`     // addresses or prefixes from which only we send
}

// IsSet reports whether any message can be ours.
func (o *Own) IsSet() bool { return len(o.Domains)+len(o.IPs) > 0 }

const (
	defaultTimeout = 5 * time.Second
	maxTimeout     = time.Minute
)

// Validate names the first value that is wrong, by its key.
func (c Config) Validate() error {
	isPrefix := func(s string) bool { _, err := parsePrefix(s); return err == nil }
	for _, list := range []struct {
		key    string
		values []string
		valid  func(string) bool
		want   string
	}{
		{"own.domains", c.Own.Domains, isDomain, "a domain"},
		{"own.ips", c.Own.IPs, isPrefix, "an address or a prefix"},
		{"reporters", c.Reporters, isReporter, "a domain or an address"},
		{"arc_sealers", c.ARCSealers, isDomain, "a domain"},
	} {
		for i, v := range list.values {
			if _, err := parsePrefix(v); errors.Is(err, errAll) && list.key == "own.ips" {
				return fmt.Errorf("own.ips[%d] is every address: list those that you send from", i)
			}
			if strings.Contains(v, "*") && (list.key == "own.domains" || list.key == "reporters") {
				return fmt.Errorf(`%s[%d] has a "*": "example.com" is also every domain below it`, list.key, i)
			}
			if !list.valid(v) {
				return fmt.Errorf("%s[%d] is not %s", list.key, i, list.want)
			}
		}
	}
	for _, err := range []error{checkServers("authserv_ids", c.AuthservIDs), checkServers("hops", c.Hops), c.checkProfiles(), c.CheckMailbox(c.Mailbox)} {
		if err != nil {
			return err
		}
	}
	if name := strings.ToLower(c.Mailbox.Profile); c.Microsoft365 && !c.Mailbox.isZero() && name != autoMailbox && name != microsoft {
		return errors.New("microsoft365 is another way to say mailbox: microsoft365; keep one of the two")
	}
	for i, v := range c.Reporters {
		if domain := domainOf(v); below(domain, topics) || below(topics, domain) {
			return fmt.Errorf("reporters[%d] is a domain with which Amazon SNS signs for every owner of a topic: its notifications are never trusted", i)
		}
		if isMailboxes(v) {
			return fmt.Errorf("reporters[%d] is a domain at which anybody can have a mailbox: name the address that reports, such as fbl@%s", i, canonical(v))
		}
	}
	if c.Timeout < 0 || c.Timeout > maxTimeout {
		return fmt.Errorf("timeout: %v is not between 0 and %v", c.Timeout, maxTimeout)
	}
	return nil
}

// Verifies reports whether signatures are verified.
func (c Config) Verifies() bool {
	if c.DKIM == nil {
		return c.Own.IsSet()
	}
	return *c.DKIM
}

func (c Config) timeout() time.Duration {
	if c.Timeout == 0 {
		return defaultTimeout
	}
	return c.Timeout
}

// isDomain wants more than a public suffix: trust in all below one is a mistake.
func isDomain(s string) bool {
	s = canonical(s)
	if suffix, official := publicsuffix.PublicSuffix(s); official && suffix == s {
		return false
	}
	return isWord(s) && !strings.ContainsAny(s, "@*/:") && strings.Contains(s, ".") && !strings.HasPrefix(s, ".") && !strings.Contains(s, "..")
}

func isReporter(s string) bool {
	local, domain, found := strings.Cut(s, "@")
	return isDomain(s) || found && isWord(local) && isDomain(domain)
}

func isWord(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == ';' || r == 0x7f })
}

var errAll = errors.New("all addresses")

// parsePrefix reads an address as the prefix that holds only itself.
func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err == nil && prefix.Bits() == 0 { // everybody's
		err = errAll
	}
	return prefix.Masked(), err
}
