package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fblwatch/fblwatch/internal/terminal"
	"github.com/fblwatch/fblwatch/internal/trust"
)

// rivals are messages of an account with two Authentication-Results of one server.
type rivals struct {
	account, id  string
	messages     int
	upper, lower trust.Rival // of the first message
}

// mostRivals limits the list: an id can be any name below a domain.
const mostRivals = 5

// rival notes a message with two Authentication-Results of one server.
func (s *sampling) rival(message []byte, account string) {
	if s.reading.Trust == nil {
		return
	}
	id, upper, lower, ok := s.reading.Trust.Rivals(message, account)
	if !ok {
		return
	}
	i := slices.IndexFunc(s.rivals, func(r *rivals) bool { return r.account == account && r.id == id })
	if i < 0 && len(s.rivals) < mostRivals {
		i, s.rivals = len(s.rivals), append(s.rivals, &rivals{account: account, id: id, upper: upper, lower: lower})
	}
	if i >= 0 {
		s.rivals[i].messages++
	}
}

// rivals prints both fields and what the server must do.
func (t *trial) rivals(list []*rivals) {
	for _, r := range list {
		have := "have"
		if r.messages == 1 {
			have = "has"
		}
		t.say("warning", r.account, fmt.Sprintf("%s %s two Authentication-Results of %s, such as", terminal.Plural(r.messages, "message"), have, r.id))
		indent := strings.Repeat(" ", checkIndent)
		for _, one := range []trust.Rival{r.upper, r.lower} {
			where := "above every Received: "
			if one.By != "" {
				where = "below a Received by " + terminal.Printable(one.By) + ": "
			}
			fmt.Fprint(t.p.stdout, terminal.Wrap(indent+"- ", where+terminal.Cut(terminal.Printable(one.Says), longValue), checkIndent+2, terminal.Width(t.p.stdout)))
		}
		fmt.Fprint(t.p.stdout, terminal.Wrap(indent, "anybody can write that name: your server must remove Authentication-Results of others that have its id, see docs/trust.md", checkIndent, terminal.Width(t.p.stdout)))
	}
}
