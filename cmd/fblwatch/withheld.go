package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/fblwatch/fblwatch/internal/ledger"
	"github.com/fblwatch/fblwatch/internal/terminal"
)

const withheldMost = 10 // UIDs named of a folder

// withheld names the messages that a server lists and does not give.
func (t *trial) withheld(folders []ledger.Claim) {
	for _, f := range folders {
		var uids []string
		var since time.Time
		n := 0
		for _, p := range f.Checkpoint.Pending {
			if p.Withheld.IsZero() {
				continue
			}
			if n++; n <= withheldMost {
				uids = append(uids, fmt.Sprint(p.UID))
			}
			if since.IsZero() || p.Withheld.Before(since) {
				since = p.Withheld
			}
		}
		if n > withheldMost {
			uids = append(uids, "...")
		}
		if n > 0 {
			t.say("WAITS", f.Folder.Account+"/"+f.Folder.Name, fmt.Sprintf("the server lists %s but has returned nothing for them since %s: UID %s; fblwatch asks again, and finally records them as unparsed",
				terminal.Plural(n, "message"), since.UTC().Format(time.RFC3339), strings.Join(uids, ", ")))
		}
	}
}
