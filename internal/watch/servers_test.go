package watch

import (
	"os"
	"testing"

	"github.com/fblwatch/fblwatch/internal/imaptest/realserver"
)

// refusals are the parts of the contract that a server cannot give, each with
// its reason; docs/servers.md has them too. An after-action that is refused must
// leave the folder as it was.
var refusals = map[string]map[string]string{
	"maddy": {"after-deleted": "no UIDPLUS"},
	"pymap": {"after-marked": "no keywords in PERMANENTFLAGS"},
	"twisted": {
		"after-moved":   "neither MOVE nor UIDPLUS",
		"after-deleted": "no UIDPLUS",
	},
	"imap4d": {
		"folders":       "a mailbox that holds messages has none below it (mbox)",
		"after-marked":  "no keywords in PERMANENTFLAGS",
		"after-moved":   "neither MOVE nor UIDPLUS",
		"after-deleted": "no UIDPLUS",
	},
}

// TestServers is the contract of TestFamilies on the servers that make servers
// installs.
func TestServers(t *testing.T) {
	if os.Getenv("FBLWATCH_SERVERS") == "" {
		t.Skip("six more real servers: make servers installs them")
	}
	for _, server := range realserver.Others {
		t.Run(server.Name, func(t *testing.T) {
			s := server.Start(t)
			for _, part := range familyParts {
				t.Run(part.name, func(t *testing.T) {
					if reason := refusals[server.Name][part.name]; reason != "" {
						t.Skip(reason)
					}
					part.test(t, s)
				})
			}
		})
	}
}
