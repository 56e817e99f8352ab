package authentic

import (
	"slices"
	"strings"
)

// receiver is the system that takes messages in for a mailbox: how it names
// itself, and where it writes what it found.
type receiver struct {
	ids  []string // its authserv-ids; ".example.com" is every one below that domain
	hops []string // its hosts, as the "by" of a Received has them; ".example.com" likewise
}

// Account is what is known of the mailbox that a message was found in.
type Account struct {
	Host    string // of the IMAP server; a name, without a port
	Mailbox string // as Config.Mailbox; "": as that
}

// receiver is the system that takes messages in for an account of Config.Accounts;
// for any other name, that of the config.
func (c *Checker) receiver(account string) receiver {
	own := receiver{ids: c.config.AuthservIDs, hops: c.config.Hops}
	return own
}

// isID reports whether the system names itself so.
func (r *receiver) isID(id string) bool {
	id = serverID(id)
	return id != "" && slices.ContainsFunc(r.ids, func(own string) bool { return isName(id, serverID(own)) })
}

// isHop reports whether a host is one of the system's.
func (r *receiver) isHop(host string) bool {
	host = canonical(host)
	return host != "" && slices.ContainsFunc(r.hops, func(own string) bool { return isName(host, canonical(own)) })
}

// isName reports whether name is own; or, where own begins with a dot, own
// without it or a name below that.
func isName(name, own string) bool {
	if parent, wild := strings.CutPrefix(own, "."); wild {
		return parent != "" && (name == parent || strings.HasSuffix(name, own))
	}
	return name == own
}
