package trust

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// checkServer says what is wrong with the name of a server, or with ".example.com".
func checkServer(s string) error {
	_, notAddr := netip.ParseAddr(strings.Trim(s, "[]"))
	_, notNet := netip.ParsePrefix(s)
	name, wild := strings.CutPrefix(s, ".")
	switch {
	case strings.Contains(s, "*"):
		return errors.New(`has a "*": ".example.com" is every server below that domain`)
	case strings.Contains(s, "://"):
		return errors.New("is a URL: it must be the name of a server alone")
	case strings.Contains(s, "@"), notAddr == nil, notNet == nil:
		return errors.New("is an address: it must be the name of a server, as in the header")
	case wild && !isDomain(name):
		return errors.New("is not a dot and a domain")
	case !isWord(s):
		return errors.New("is not a server's name")
	}
	return nil
}

func checkServers(key string, values []string) error {
	for i, v := range values {
		if err := checkServer(v); err != nil {
			return fmt.Errorf("%s[%d] %w", key, i, err)
		}
	}
	return nil
}

// checkHosts is checkServers for a Profile, whose hosts may be addresses.
func checkHosts(key string, values []string) error {
	for i, v := range values {
		if _, err := parsePrefix(v); err == nil {
			continue
		} else if errors.Is(err, errAll) {
			return fmt.Errorf("%s[%d] is every address", key, i)
		}
		if err := checkServer(v); err != nil {
			return fmt.Errorf("%s[%d] %w", key, i, err)
		}
	}
	return nil
}

func checkNets(key string, values []string) error {
	for i, v := range values {
		if _, err := parsePrefix(v); err != nil {
			return fmt.Errorf("%s[%d] is not an address or a prefix", key, i)
		}
	}
	return nil
}

// checkProfiles names the first value of Profiles that is wrong.
func (c Config) checkProfiles() error {
	for i, row := range c.Profiles {
		if err := row.check(); err != nil {
			return fmt.Errorf("profiles[%d]: %w", i, err)
		}
		for j := range i {
			if strings.EqualFold(c.Profiles[j].Name, row.Name) {
				return fmt.Errorf("profiles[%d] has the name of profiles[%d]", i, j)
			}
		}
	}
	return nil
}

func (p Profile) check() error {
	switch name := strings.ToLower(p.Name); {
	case !isWord(name):
		return errors.New("name is missing, or no word")
	case name == autoMailbox, name == ownMailbox:
		return errors.New("name is that of no profile: auto and own have a meaning of their own")
	case len(p.AuthservIDs) == 0 && !p.Nameless && len(p.Sealers) == 0:
		return errors.New("needs authserv_ids, nameless or sealers: nothing else of a system is believed")
	case p.Nameless && (len(p.Border) == 0 || p.Below || !p.Strips):
		return errors.New("nameless needs border and strips, and results above the border: anybody can write fields without an id")
	case p.Below && len(p.Border) == 0:
		return errors.New("below needs border")
	}
	for _, err := range []error{
		checkServers("imap_hosts", p.IMAPHosts), checkServers("authserv_ids", p.AuthservIDs),
		checkHosts("hops", p.Hops), checkNets("inner", p.Inner), checkHosts("border", p.Border),
	} {
		if err != nil {
			return err
		}
	}
	for i, v := range p.Sealers {
		if !isDomain(v) {
			return fmt.Errorf("sealers[%d] is not a domain", i)
		}
	}
	return nil
}

// CheckMailbox says what is wrong with a mailbox; the error begins with its key.
func (c Config) CheckMailbox(m Mailbox) error {
	name := strings.ToLower(m.Profile)
	listed := len(m.AuthservIDs)+len(m.Hops) > 0
	switch {
	case m.isZero(), name == "" && listed && m.Gateway == nil, name == ownMailbox && m.Gateway == nil:
	case listed && name != "":
		return errors.New("mailbox: authserv_ids and hops are for own: a profile has its own")
	case m.Gateway != nil && name != microsoft:
		return errors.New("mailbox: gateway needs profile: microsoft365")
	case name != autoMailbox && c.profile(name) == nil:
		return fmt.Errorf("mailbox is none of auto, own, %s, nor a name of trust.profiles", strings.Join(profileNames(), ", "))
	}
	for _, err := range []error{checkServers("mailbox.authserv_ids", m.AuthservIDs), checkServers("mailbox.hops", m.Hops), m.Gateway.check()} {
		if err != nil {
			return err
		}
	}
	return nil
}

// shared are names that a gateway gives its hosts for all its customers: such a
// hop does not identify one customer. (Mimecast writes its results at the end of the header as
// well, among the sender's fields, and Barracuda none: seen in 2021 to 2025.)
var shared = []string{
	".mimecast.com", "pphosted.com", ".ppops.net", ".ppe-hosted.com", ".cudaops.com", ".barracudanetworks.com",
}

func (g *Gateway) check() error {
	if g == nil {
		return nil
	}
	if len(g.AuthservIDs) == 0 || len(g.Hops) == 0 || len(g.IPs) == 0 {
		return errors.New("mailbox.gateway needs authserv_ids, hops and ips: each alone is anybody's to write, or shared with the gateway's other customers")
	}
	for _, err := range []error{checkServers("mailbox.gateway.authserv_ids", g.AuthservIDs), checkServers("mailbox.gateway.hops", g.Hops)} {
		if err != nil {
			return err
		}
	}
	for i, v := range g.Hops {
		if strings.HasPrefix(v, ".") || isHost(shared, v) {
			return fmt.Errorf("mailbox.gateway.hops[%d] names hosts that other customers of the gateway send through: name those of yours one by one", i)
		}
	}
	return checkNets("mailbox.gateway.ips", g.IPs)
}

func profileNames() (names []string) {
	for _, row := range profiles {
		names = append(names, row.Name)
	}
	return names
}
