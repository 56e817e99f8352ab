package trust

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// receiver is the system that receives messages for a mailbox. What the config
// lists is one with AuthservIDs and Hops alone.
type receiver struct {
	Profile
	gateway *Gateway // in front of it; nil: none
	refused bool     // the message's topmost Received is by none of its hosts: nothing of it counts
}

// Account is the mailbox that a message was found in.
type Account struct {
	Host    string  // of the IMAP server; a name, without a port
	Mailbox Mailbox // the zero value: as Config.Mailbox
}

// Mailbox says which system receives messages for a mailbox. In the config it is
// the name of a profile alone, or keys.
type Mailbox struct {
	// Profile is auto, own, or a profile's name. auto, as "" is, goes by the IMAP
	// host; own is AuthservIDs and Hops, or those of the config where both are
	// left out.
	Profile     string   `yaml:"profile"`
	AuthservIDs []string `yaml:"authserv_ids"`
	Hops        []string `yaml:"hops"`
	Gateway     *Gateway `yaml:"gateway"` // in front of microsoft365
}

// Gateway is a system that messages pass before a profile's. What it found counts
// in place of what the profile's found, which is of the message as the gateway
// changed it. Others send through a gateway too: it is ours by the address that the
// profile's border saw and by a host that receives messages for us alone, which uses its
// name in HELO and in Received. Its fields count above the Received by which it received
// the message: below that, fields are the sender's.
type Gateway struct {
	AuthservIDs []string `yaml:"authserv_ids"`
	Hops        []string `yaml:"hops"` // its hosts, one by one
	IPs         []string `yaml:"ips"`  // addresses or prefixes that it sends from
}

const (
	autoMailbox = "auto"
	ownMailbox  = "own"
	microsoft   = "microsoft365"
)

func (m *Mailbox) isZero() bool {
	return m.Profile == "" && len(m.AuthservIDs)+len(m.Hops) == 0 && m.Gateway == nil
}

// UnmarshalText reads the name alone.
func (m *Mailbox) UnmarshalText(text []byte) error {
	*m = Mailbox{Profile: string(text)}
	return nil
}

// UnmarshalYAML reads keys or the name alone.
func (m *Mailbox) UnmarshalYAML(decode func(any) error) error {
	if decode(&m.Profile) == nil {
		return nil
	}
	type keys Mailbox
	return decode((*keys)(m))
}

// profile finds a row by its name: the config's own first. nil: there is none.
func (c *Config) profile(name string) *Profile {
	for _, rows := range [][]Profile{c.Profiles, profiles} {
		for i := range rows {
			if strings.EqualFold(rows[i].Name, name) {
				return &rows[i]
			}
		}
	}
	return nil
}

// profileAt finds a row by an IMAP host.
func (c *Config) profileAt(host string) *Profile {
	for _, rows := range [][]Profile{c.Profiles, profiles} {
		for i := range rows {
			if isHost(rows[i].IMAPHosts, host) {
				return &rows[i]
			}
		}
	}
	return nil
}

// receivers gives the systems that may have taken a message in for an account of
// Accounts; any other name, such as that of a file, is one without a host.
//
// Each is whole: ids count with the hops of their own system only. An id of ours
// below a hop of another system is what the sender wrote, as that system leaves
// our ids alone. So there is one system for an account: what its mailbox names,
// else what Config.Mailbox names, else the profile of its IMAP host, else what the
// config lists. Microsoft365 alone gives a choice, as it always went with ids.
func (c *Config) receivers(account string) []receiver {
	at := c.Accounts[account]
	box := at.Mailbox
	if box.isZero() {
		box = c.Mailbox
	}
	own := receiver{Profile: Profile{Name: ownMailbox, AuthservIDs: c.AuthservIDs, Hops: c.Hops}}
	switch name := strings.ToLower(box.Profile); {
	case name == ownMailbox || name == "" && len(box.AuthservIDs)+len(box.Hops) > 0:
		if len(box.AuthservIDs)+len(box.Hops) > 0 {
			own.AuthservIDs, own.Hops = box.AuthservIDs, box.Hops
		}
		return []receiver{own}
	case name != autoMailbox && name != "":
		if row := c.profile(name); row != nil {
			return []receiver{{Profile: *row, gateway: box.Gateway}}
		}
		return nil // Validate refuses it
	}
	if row := c.profileAt(at.Host); row != nil {
		return []receiver{{Profile: *row, gateway: box.Gateway}}
	}
	if c.Microsoft365 {
		return []receiver{{Profile: *c.profile(microsoft)}, own}
	}
	return []receiver{own}
}

// receiver is the system that received the message. A profile's that did not write
// the topmost Received is refused.
func (c *Checker) receiver(m *signable, top string) (r receiver) {
	for _, r = range c.config.receivers(m.account) {
		if r.refused = r.Name != ownMailbox && !r.isHop(top); !r.refused {
			break
		}
	}
	return r
}

// isID reports whether the system names itself so. The empty id is that of a
// system which leaves it out.
func (r *receiver) isID(id string) bool {
	return id == "" && r.Nameless || isID(r.AuthservIDs, id)
}

// isID reports whether an id, as authResults has it, is in a list.
func isID(list []string, id string) bool {
	return id != "" && slices.ContainsFunc(list, func(own string) bool { return isName(id, serverID(own)) })
}

// isHop reports whether a host is one of the system's.
func (r *receiver) isHop(host string) bool { return isHost(r.Hops, host) || isHost(r.Border, host) }

// isInner reports whether a hop had the message from within the system.
func (r *receiver) isInner(stamp string) bool {
	if len(r.Inner) == 0 {
		return true
	}
	hop := message.ReadHop(stamp)
	if hop.Doubt || hop.With == "mapi" { // so a user's own program hands it in
		return false
	}
	domains := make([]string, len(r.Hops))
	for i, own := range r.Hops {
		domains[i] = strings.TrimPrefix(own, ".")
	}
	inside, _ := hop.IsWithin(domains)
	return inside || isHost(r.Inner, hop.IP)
}

// isBorder reports whether a Received is the border, where it is the first that
// may be.
func (r *receiver) isBorder(stamp string) bool {
	return len(r.Border) > 0 && isHost(r.Border, receivedBy(stamp)) && !fromItself(stamp)
}

// fromItself reports whether a server had a message from its own machine.
func fromItself(stamp string) bool {
	addr, err := netip.ParseAddr(message.ReadHop(stamp).IP)
	return err == nil && addr.IsLoopback()
}

// receivedBy is the server that wrote a Received (RFC 5321 section 4.4).
func receivedBy(v string) string {
	return canonical(message.ReadHop(v).By)
}

// stampedBy is the server that wrote the first of fields, a Received. A line of
// qmail's queue names none: it is of the server that wrote the next Received.
// Who writes such a line below ours could write that one as well.
func stampedBy(fields []headerField) string {
	lines := 0
	for _, f := range fields {
		if f.name != "received" {
			continue
		}
		hop := message.ReadHop(f.value())
		if !hop.Queue {
			return canonical(hop.By)
		}
		if lines++; lines > maxQueue {
			break
		}
	}
	return ""
}

const maxQueue = 4 // lines of qmail's queue in a row

// isHost reports whether a host is in a list of Profile's kind.
func isHost(list []string, host string) bool {
	host = canonical(host)
	if host == "" {
		return false
	}
	addr, err := netip.ParseAddr(strings.TrimPrefix(strings.Trim(host, "[]"), "ipv6:"))
	return slices.ContainsFunc(list, func(own string) bool {
		if prefix, notOne := parsePrefix(own); notOne == nil {
			return err == nil && prefix.Contains(addr.Unmap().WithZone(""))
		}
		return isName(host, canonical(own))
	})
}

// isName reports whether name is own; or, where own begins with a dot, own without
// it or a name below that. A "*" in own is any part of one label.
func isName(name, own string) bool {
	if parent, wild := strings.CutPrefix(own, "."); wild {
		return parent != "" && (name == parent || strings.HasSuffix(name, own))
	}
	if !strings.Contains(own, "*") {
		return name == own
	}
	labels := strings.Split(own, ".")
	if strings.Count(name, ".") != len(labels)-1 {
		return false
	}
	for i, label := range strings.Split(name, ".") {
		if ok, err := path.Match(labels[i], label); !ok || err != nil || label == "" {
			return false
		}
	}
	return true
}

// Receives reports whether a system is known for any account, or for files.
func (c Config) Receives() bool { return c.anySystem(receiver.tells) }

// Asks reports whether a check may ask the DNS, which has the keys of signatures and of
// seals.
func (c Config) Asks() bool {
	return c.Verifies() || len(c.ARCSealers) > 0 || c.anySystem(func(r receiver) bool { return len(r.Sealers) > 0 })
}

// anySystem reports whether something is so of a system of any account, or of files.
func (c Config) anySystem(is func(receiver) bool) bool {
	for account := range c.Accounts {
		if slices.ContainsFunc(c.receivers(account), is) {
			return true
		}
	}
	return slices.ContainsFunc(c.receivers(""), is)
}

// System says, for people, which system receives messages for an account, why that
// one, and what comes of it where its results do not count.
func (c Config) System(account string) string {
	at := c.Accounts[account]
	box, by := at.Mailbox, "by its mailbox"
	if box.isZero() {
		box, by = c.Mailbox, "by trust.mailbox"
	}
	systems := c.receivers(account)
	if len(systems) == 0 {
		return "not known"
	}
	first := systems[0]
	switch name := strings.ToLower(box.Profile); {
	case name != "" && name != autoMailbox || len(box.AuthservIDs)+len(box.Hops) > 0:
	case first.Name != ownMailbox && len(systems) == 1:
		by = "by its host"
	case first.Name != ownMailbox:
		by = "by trust.microsoft365"
	case len(first.AuthservIDs) > 0:
		by = "by trust.authserv_ids"
	default:
		return "not known by its host" + c.instead()
	}
	text := fmt.Sprintf("%s (%s)", first.Name, by)
	switch {
	case first.gateway != nil:
		return text + ", behind a gateway"
	case first.note != "":
		return text + ", whose results do not count: " + first.note + c.instead()
	case !first.Nameless && len(first.AuthservIDs) == 0:
		return text + ", without authserv_ids" + c.instead()
	}
	return text
}

// instead says what else can identify a sender.
func (c Config) instead() string {
	if c.Verifies() {
		return "; signatures are verified"
	}
	return "; trust.dkim can verify signatures"
}
