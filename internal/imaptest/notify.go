package imaptest

import "fmt"

// notifySet does NONE, and SET with the filters selected, mailboxes and personal (RFC
// 5465). It ignores the list of events.
func (c *session) notifySet(args []arg) (string, error) {
	if len(args) == 0 {
		return "BAD NOTIFY wants SET or NONE", nil
	}
	notify := map[string]bool{}
	c.srv.mu.Lock()
	defer c.srv.mu.Unlock()
	for _, group := range args[1:] {
		if len(group.list) == 0 {
			return "BAD NOTIFY wants groups of events", nil
		}
		switch filter := group.list[0].upper(); {
		case filter == "SELECTED" && len(group.list) == 2:
		case filter == "MAILBOXES" && len(group.list) == 3:
			names := group.list[1].list
			if names == nil {
				names = group.list[1:2]
			}
			if len(names) > 100 { // as Dovecot
				return "NO [NOTIFICATIONOVERFLOW] too many mailbox names", nil
			}
			for _, name := range names {
				if b := c.srv.find(name.text); b != nil { // others are ignored, section 5
					notify[b.name] = true
				}
			}
		case filter == "PERSONAL" && len(group.list) == 2:
			for _, b := range c.srv.boxes {
				notify[b.name] = true
			}
		default:
			return "BAD unknown filter", nil
		}
	}
	c.notify, c.stirred = notify, nil
	return "OK NOTIFY completed", nil
}

// notice is the STATUS line for a change. It needs Server.mu.
func (b *mailbox) notice() string {
	return fmt.Sprintf("STATUS %s (MESSAGES %d UIDNEXT %d UIDVALIDITY %d)", quote(b.name), len(b.messages), b.uidNext, b.uidValidity)
}
