package trust

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/message"
)

// Warnings says, for people, what of a valid config does not do what it seems to,
// or trusts more than it seems to; at most one text for each key or account.
func (c Config) Warnings() (texts []string) {
	say := func(format string, args ...any) { texts = append(texts, fmt.Sprintf(format, args...)) }
	own := c.Own.IsSet()
	if !own && c.IsSet() {
		say("trust.own is not set: no report is trusted, and no verdict is yes")
	}
	texts = append(texts, c.Own.warnings()...)
	for i, domain := range c.ARCSealers {
		if covered(lenientSealers, domain) {
			say("trust.arc_sealers[%d] seals messages of its own customers unverified: any customer can have a forged report sealed", i)
		}
	}
	if len(c.Hops) > 0 && len(c.AuthservIDs) == 0 {
		say("trust.hops has no effect without trust.authserv_ids")
	}
	accounts, listed := slices.Sorted(maps.Keys(c.Accounts)), false
	for _, account := range accounts {
		systems, box := c.receivers(account), c.Accounts[account].Mailbox
		if len(systems) == 0 {
			continue // Validate refuses it
		}
		last := systems[len(systems)-1] // that of the lists, where it may be
		listed = listed || last.Name == ownMailbox && len(box.AuthservIDs)+len(box.Hops) == 0
		switch {
		case !own || c.Verifies():
		case len(c.ARCSealers) == 0 && !slices.ContainsFunc(systems, receiver.tells):
			say("account %s: the sender of its reports cannot be verified: set trust.dkim to true, or name the servers of its mailbox", account)
		case last.Name == ownMailbox && len(last.Hops) > 0 && len(last.AuthservIDs) > 0, last.Name != ownMailbox && last.Below && !last.Strips && last.note == "":
			say("account %s: its servers write results below a Received, where the sender can write as well, and no signature is verified: set trust.dkim to true, or make sure that they remove foreign Authentication-Results with their ids", account)
		}
	}
	if len(c.AuthservIDs) > 0 && len(accounts) > 0 && !listed {
		say("trust.authserv_ids and trust.hops apply to no account: each has a profile or lists of its own")
	}
	return texts
}

// IsSet reports whether the config trusts any server or signer, or means to.
func (c Config) IsSet() bool {
	return c.Own.IsSet() || len(c.AuthservIDs)+len(c.Hops)+len(c.Reporters)+len(c.ARCSealers) > 0 || c.Microsoft365 || c.DKIM != nil && *c.DKIM
}

// tells reports whether the results of the system, or its seals, can identify a sender.
func (r receiver) tells() bool {
	return r.Nameless || len(r.AuthservIDs)+len(r.Sealers) > 0
}

// lenientSealers have no Sealers in their profiles for that reason.
var lenientSealers = []string{"microsoft.com", "zohomail.com"}

const (
	widest4 = 16 // bits of a prefix that one sender may have; of a shorter one others have a part
	widest6 = 32
)

func (o *Own) warnings() (texts []string) {
	for i, domain := range o.Domains {
		if isMailboxes(domain) || isMailboxes(message.Organisation(canonical(domain))) {
			texts = append(texts, fmt.Sprintf("trust.own.domains[%d] is a domain at which anybody can have a mailbox, or send from: anybody's message counts as yours", i))
		}
	}
	for i, s := range o.IPs {
		prefix, err := parsePrefix(s)
		if err != nil {
			continue // Validate refuses it
		}
		switch addr := prefix.Addr(); {
		case message.IsPrivate(addr.String()):
			texts = append(texts, fmt.Sprintf("trust.own.ips[%d] is no address of the Internet: no reporter sees it", i))
		case addr.Is4() && prefix.Bits() < widest4, addr.Is6() && prefix.Bits() < widest6:
			texts = append(texts, fmt.Sprintf("trust.own.ips[%d] is a wide network: list only addresses that nobody else sends from", i))
		}
	}
	return texts
}

// Rival is one of two Authentication-Results of one server, in the order of the
// header.
type Rival struct {
	Says string // the field's value on one line, cut
	By   string // the host of the next Received above; "": there is none
}

const maxRival = 300 // octets of Rival.Says

// Rivals looks for two Authentication-Results with DKIM results of one trusted
// server, of which the lower one is below another Received or says otherwise: that server
// does not remove the fields of a message, and anybody can write its id. ok is false if
// there are none, and if account has a profile: only its provider could mend that.
func (c *Checker) Rivals(message []byte, account string) (id string, upper, lower Rival, ok bool) {
	m, err := readMessage(message)
	if err != nil {
		return "", upper, lower, false
	}
	m.account = account
	t := c.follow(m)
	if t.system.Name != ownMailbox {
		return "", upper, lower, false
	}
	type place struct {
		rival    Rival
		received int
		found    string
	}
	first, by := make(map[string]place), ""
	for i := range t.steps {
		s := &t.steps[i]
		switch s.field.name {
		case "received":
			by = s.by
		case "authentication-results":
			a := s.read()
			found := a.dkim()
			if !t.system.isID(a.id) || found == "" {
				continue
			}
			says := strings.Join(strings.Fields(s.field.value()), " ")
			here := place{Rival{says[:min(len(says), maxRival)], by}, s.place, found}
			top, twice := first[a.id]
			if !twice {
				first[a.id] = here
			} else if top.received != here.received || top.found != found {
				return a.id, top.rival, here.rival, true
			}
		}
	}
	return "", upper, lower, false
}

// dkim is what a field says of signatures; "": nothing.
func (a *authResults) dkim() string {
	var words []string
	for _, r := range a.results {
		if r.method == "dkim" {
			words = append(words, r.value+" "+r.domain())
		}
	}
	return strings.Join(words, ", ")
}
