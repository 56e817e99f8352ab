package trust

import (
	"github.com/fblwatch/fblwatch/internal/message"
	"github.com/fblwatch/fblwatch/report"
)

// intake is what a provider wrote into the header of a message when it took it in.
type intake struct {
	found   bool   // what stands above is its word
	ip      string // from which it came
	results []authResults
}

// intakeOf reads what stands above the hop at which the hosts of a provider, which
// are domains, took the message in; nothing where that hop is in doubt. What stands
// below it came with the message. A hop whose sender only calls itself by a name of
// the provider's, from an address in the Internet, is in doubt: so could
// anybody, and write the hops below it. So is one of whose words it is unclear
// whether the server or its client chose them, and one at which a user of the
// provider's may have handed in the message.
func intakeOf(h *report.Header, hosts []string) (in intake) {
	inner := false
	for name, v := range h.Fields() {
		switch name {
		case "authentication-results":
			if a := parseResults(v); a.id == "" || covered(hosts, a.id) {
				in.results = append(in.results, a)
			}
		case "received":
			hop := message.ReadHop(v)
			inside, known := hop.IsWithin(hosts)
			switch {
			case hop.Queue:
			case !covered(hosts, hop.By) && !(inner && message.IsPrivate(hop.By)):
				return intake{}
			case !known:
				return intake{}
			case inside:
				inner = true
			default:
				if in.found = true; !message.IsPrivate(hop.IP) {
					in.ip = hop.IP
				}
				return in
			}
		}
	}
	return intake{}
}
