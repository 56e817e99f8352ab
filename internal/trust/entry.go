package trust

import (
	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// entry is what a provider wrote into the header of a message when it took it in.
type entry struct {
	found   bool   // what stands above is its word
	ip      string // from which it came
	results []authResults
}

// enter reads what stands above the hop at which the hosts of a provider, which
// are domains, took the message in; nothing where that hop is in doubt. What stands
// below it came with the message. A hop whose sender only calls itself by a name of
// the provider's, from an address in the Internet, is in doubt: so could
// anybody, and write the hops below it. So is one of whose words it is unclear
// whether the server or its client chose them, and one at which a user of the
// provider's may have handed in the message.
func enter(h *report.Header, hosts []string) (e entry) {
	inner := false
	for name, v := range h.Fields() {
		switch name {
		case "authentication-results":
			if a := parseResults(v); a.id == "" || covered(hosts, a.id) {
				e.results = append(e.results, a)
			}
		case "received":
			hop := message.ReadHop(v)
			inside, known := hop.IsWithin(hosts)
			switch {
			case hop.Queue:
			case !covered(hosts, hop.By) && !(inner && message.IsPrivate(hop.By)):
				return entry{}
			case !known:
				return entry{}
			case inside:
				inner = true
			default:
				if e.found = true; !message.IsPrivate(hop.IP) {
					e.ip = hop.IP
				}
				return e
			}
		}
	}
	return entry{}
}
